#!/usr/bin/env bash
# Compiles the JavaScript runtime to WebAssembly, not yet initialised:
#
#   javascript.sh OUTPUT.wasm
#
# QuickJS-ng comes out of the crate rquickjs-sys that scripts/pins names. What was built is kept outside
# the tree, by the content of the sources and the version of the compiler.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"

output=${1:?usage: javascript.sh OUTPUT.wasm}
source=$here/../guest/runtime/javascript
clang=clang-14

flags=(
    --target=wasm32-wasi -O2 -DNDEBUG -D_GNU_SOURCE
    -mbulk-memory -msign-ext -mnontrapping-fptoint
)
own_flags=(-std=c17 -Wall -Wextra -Werror)
# The stack lies at the bottom, so that what overflows it traps: STACK_JS + STACK_RESERVE of runtime.h. The
# memory is large enough for most calls, since one that has grown cannot be used again.
link_flags=(
    -nostartfiles -Wl,--no-entry -Wl,--export-table -Wl,--stack-first -Wl,-z,stack-size=212992
    -Wl,--initial-memory=2097152 -Wl,--strip-all -Wl,--gc-sections
)

# What engine.c says is changed.
adapt_engine() {
    sed -E -i \
        -e 's/--JS_REF_COUNT\((\w+)\)/engine_count_down(\&JS_REF_COUNT(\1))/' \
        -e 's/^( *)JS_REF_COUNT\((\w+)\)--;/\1engine_count_down(\&JS_REF_COUNT(\2));/' \
        -e 's/^( *)JS_REF_COUNT\((\w+)\)\+\+;/\1engine_count_up(\&JS_REF_COUNT(\2));/' \
        -e 's/js_check_stack_overflow\((\w+->rt|s->ctx->rt), 0\)/engine_overflows(\1)/' \
        -e '/^static __exception int js_parse_(expr_binary|unary|postfix_expr|statement_or_decl|assign_expr2|function_decl2)\(.*[^;]$/,/^\{/s/^\{/{ ENGINE_RECURSES;/' \
        -e '/^static int js_parse_destructuring_element\(/,/^\{/s/^\{/{ ENGINE_RECURSES;/' \
        -e 's/^(#define JS_ARENA_SIZE +)4096$/\11024/' "$1"
    if grep -E 'JS_REF_COUNT\(\w+\)(--|\+\+)|--JS_REF_COUNT|JS_ARENA_SIZE +4096|overflow\(.*, 0\)' "$1" ||
        [ "$(grep -c ENGINE_RECURSES "$1")" -lt 7 ]; then
        fail "QuickJS-ng is not written as adapt_engine expects"
    fi
}

make_runtime() {
    local out=$1 file
    unpack_crate rquickjs-sys "$out/crate"
    say "compiling the JavaScript runtime"
    adapt_engine "$out/crate/quickjs/quickjs.c"
    for file in engine "$out"/crate/quickjs/{libregexp,libunicode,dtoa}; do
        case $file in
        engine) file=$source/engine ;;
        esac
        "$clang" "${flags[@]}" -std=gnu11 -w -I "$out/crate/quickjs" -I "$source" -c "$file.c" \
            -o "$out/$(basename "$file").o"
    done
    for file in compile host native native_own runtime system text; do
        "$clang" "${flags[@]}" "${own_flags[@]}" -isystem "$out/crate/quickjs" -c "$source/$file.c" \
            -o "$out/$file.o"
    done
    "$clang" "${flags[@]}" "${link_flags[@]}" "$out"/*.o -lm -o "$out/runtime.wasm"
    mv "$out/crate/quickjs/LICENSE" "$out/LICENSE"
    rm -rf "$out"/*.o "$out/crate"
}

mkdir -p "$cache"
content=$(cat "$source"/*.[ch] && "$clang" --version && pin_of crate rquickjs-sys &&
    echo "${flags[*]} ${own_flags[*]} ${link_flags[*]}" && declare -f make_runtime adapt_engine)
runtime=$(kept_dir javascript "$content")
keep "$runtime" make_runtime
cmp -s "$runtime/runtime.wasm" "$output" || cp "$runtime/runtime.wasm" "$output"
