#!/usr/bin/env bash
# Builds the plug-ins and runs the shop, from what tests/dotnet/build.sh has built:
#
#   run.sh [BUILD_DIRECTORY]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "${1:-$root/build}" && pwd)
cc=${WASM_CC:-$(command -v clang-14 || echo clang)}

plugins=$(mktemp -d)
trap 'rm -rf "$plugins"' EXIT
for source in "$here"/plugins/*.c; do
    "$cc" --target=wasm32 -O2 -nostdlib -fno-builtin -mbulk-memory -Wl,--no-entry \
        -I "$root/guest/c" "$source" -o "$plugins/$(basename "$source" .c).wasm"
done
export LD_LIBRARY_PATH=$build
"$root/scripts/dotnet.sh" "$build/tests/dotnet/example/Shop.dll" "$plugins"
