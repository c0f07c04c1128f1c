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
    -nostartfiles -Wl,--no-entry -Wl,--export-table -Wl,--stack-first -Wl,-z,stack-size=196608
    -Wl,--initial-memory=4194304 -Wl,--strip-all -Wl,--gc-sections
)

make_runtime() {
    local out=$1 file
    unpack_crate rquickjs-sys "$out/crate"
    say "compiling the JavaScript runtime"
    for file in engine "$out"/crate/quickjs/{libregexp,libunicode,dtoa}; do
        case $file in
        engine) file=$source/engine ;;
        esac
        "$clang" "${flags[@]}" -std=gnu11 -w -I "$out/crate/quickjs" -I "$source" -c "$file.c" \
            -o "$out/$(basename "$file").o"
    done
    for file in compile host native runtime system text; do
        "$clang" "${flags[@]}" "${own_flags[@]}" -isystem "$out/crate/quickjs" -c "$source/$file.c" \
            -o "$out/$file.o"
    done
    "$clang" "${flags[@]}" "${link_flags[@]}" "$out"/*.o -lm -o "$out/runtime.wasm"
    mv "$out/crate/quickjs/LICENSE" "$out/LICENSE"
    rm -rf "$out"/*.o "$out/crate"
}

mkdir -p "$cache"
content=$(cat "$source"/*.[ch] && "$clang" --version && pin_of crate rquickjs-sys &&
    echo "${flags[*]} ${own_flags[*]} ${link_flags[*]}" && declare -f make_runtime)
runtime=$(kept_dir javascript "$content")
keep "$runtime" make_runtime
cmp -s "$runtime/runtime.wasm" "$output" || cp "$runtime/runtime.wasm" "$output"
