#!/usr/bin/env bash
# Builds the tests' plug-ins from C, C++, Rust, Go and, with the program that the variable UBIQ names,
# JavaScript, which becomes a manifest:
#
#   build.sh OUTPUT_DIRECTORY
#
# A language whose toolchain is absent is left out, with a line that says so. What was built is kept
# in ${XDG_CACHE_HOME:-~/.cache}/ubiquitous/plugins, by the content of the sources and the versions
# of the tools, so an unchanged plug-in is not built again.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: build.sh OUTPUT_DIRECTORY}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ubiquitous/plugins
mkdir -p "$out" "$cache"
out=$(cd "$out" && pwd)

# key VERSIONS FILE... : a name for what these files become with these tools.
key() {
    local versions=$1
    shift
    { echo "$versions"; cat "$here/build.sh" "$@"; } | sha256sum | cut -c 1-32
}

# keep KEY NAME... : puts NAME.wasm of the cache's entry into the output directory; fails when the
# entry is not whole.
keep() {
    local dir=$cache/$1 name
    shift
    for name; do
        [[ -s $dir/$name.wasm ]] || return 1
    done
    for name; do
        cmp -s "$dir/$name.wasm" "$out/$name.wasm" || {
            cp "$dir/$name.wasm" "$out/.$name.$$" && mv "$out/.$name.$$" "$out/$name.wasm"
        }
    done
}

# publish KEY DIRECTORY : makes a directory that is complete an entry of the cache, at once.
publish() {
    chmod -R a+rX "$2"
    rm -rf "$cache/$1"
    mv -T "$2" "$cache/$1" 2>/dev/null || [[ -d $cache/$1 ]]
}

left_out() {
    echo "plugins: $1 left out: $2"
    shift 2
    local name
    for name; do
        rm -f "$out/$name.wasm"
    done
}

work=$(mktemp -d "$cache/.work.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Debian's package of the version that the project is built with has no other name.
cc=${WASM_CC:-$(command -v clang-14 || echo clang)}

build_c() {
    local names=(c_count_vowels c_services c_files c_command) k dir=$work/c f
    if ! command -v "$cc" >/dev/null || ! "$cc" --print-targets | grep -q wasm32; then
        left_out C "no clang that compiles to WebAssembly" "${names[@]}"
        return
    fi
    k=$(key "$("$cc" --version | head -1)" "$here"/c/*)
    keep "$k" "${names[@]}" && return
    mkdir "$dir"
    for f in count_vowels services; do
        "$cc" --target=wasm32 -O2 -nostdlib -Wall -Wextra -Werror -Wl,--no-entry -Wl,--strip-all \
            -o "$dir/c_$f.wasm" "$here/c/$f.c" || return 1
    done
    if ! echo '#include <stdio.h>' | "$cc" --target=wasm32-wasi -E - >/dev/null 2>&1; then
        echo "plugins: C for WASI left out: no wasi-libc"
        cp "$dir"/*.wasm "$out"
        rm -f "$out/c_files.wasm" "$out/c_command.wasm"
        return
    fi
    "$cc" --target=wasm32-wasi -O2 -Wall -Wextra -Werror -mexec-model=reactor -Wl,--strip-all \
        -o "$dir/c_files.wasm" "$here/c/files.c" || return 1
    "$cc" --target=wasm32-wasi -O2 -Wall -Wextra -Werror -Wl,--strip-all \
        -o "$dir/c_command.wasm" "$here/c/command.c" || return 1
    publish "$k" "$dir"
    keep "$k" "${names[@]}"
}

build_cpp() {
    local header=$here/../../guest/c k dir=$work/cpp
    if ! command -v "$cc" >/dev/null || ! "$cc" --print-targets | grep -q wasm32; then
        left_out C++ "no clang that compiles to WebAssembly" cpp_services
        return
    fi
    k=$(key "$("$cc" --version | head -1)" "$here"/cpp/* "$header/ubiq.h")
    keep "$k" cpp_services && return
    mkdir "$dir"
    "$cc" -x c++ --target=wasm32 -std=c++17 -O2 -nostdlib -fno-exceptions -fno-rtti -fno-threadsafe-statics \
        -Wall -Wextra -Werror -Wl,--no-entry -Wl,--strip-all -Wl,--export=__wasm_call_ctors \
        -I "$header" -o "$dir/cpp_services.wasm" "$here/cpp/services.cpp" || return 1
    publish "$k" "$dir"
    keep "$k" cpp_services
}

# As it says where its modules are, the manifest is made in its place; the program builds what has changed.
build_js() {
    local dir=$out/js
    [[ -n ${UBIQ:-} ]] || return 0
    mkdir -p "$dir/functions"
    cp "$here"/js/functions/*.js "$dir/functions"
    "$UBIQ" build "$dir" --manifest >/dev/null && cp "$dir/.ubiq/manifest/js_plugin.json" "$out"
}

# build_plugin NAME DIRECTORY : a plug-in in Rust or Go, unless its toolchain is absent.
build_plugin() {
    local status=0
    "$here/../../scripts/plugin.sh" "$here/$2" "$out/$1.wasm" || status=$?
    [[ $status == 0 || $status == 3 ]]
}

status=0
build_c || status=1
build_cpp || status=1
build_js || status=1
build_plugin rust_plugin rust || status=1
build_plugin go_plugin go || status=1
exit $status
