#!/usr/bin/env bash
# Builds the project's function and calls it from a program:
#
#   run.sh c|python|dotnet [BUILD_DIRECTORY]
#
# The program in C# is what tests/dotnet/build.sh has built.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "${2:-$root/build}" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cp -r "$here/greeter" "$scratch"
"$build/ubiq" build "$scratch/greeter" >&2
export LD_LIBRARY_PATH=$build
case ${1:?usage: run.sh c|python|dotnet [BUILD_DIRECTORY]} in
c)
    export PKG_CONFIG_PATH=$build
    # shellcheck disable=SC2046 # they are separate words
    ${CC:-cc} -std=c17 -Wall -Wextra -Werror "$here/greet.c" $(pkg-config --cflags --libs libubiq) \
        -o "$scratch/greet"
    "$scratch/greet" "$scratch/greeter"
    ;;
python)
    PYTHONPATH=$root/host/python python3 -B "$here/greet.py" "$scratch/greeter"
    ;;
dotnet)
    "$root/scripts/dotnet.sh" "$build/tests/dotnet/greet/Greet.dll" "$scratch/greeter"
    ;;
esac
