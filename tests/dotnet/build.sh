#!/usr/bin/env bash
# Builds host/dotnet with its tests and its examples, into OUTPUT/{tests,netstandard,example,greet}:
#
#   build.sh OUTPUT
#
# What was built is kept in ${XDG_CACHE_HOME:-~/.cache}/ubiquitous/dotnet-build, by the content of the
# sources and the SDK, so that what has not changed is not built again. Nothing is written to the
# sources, and no package is restored.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${1:?usage: build.sh OUTPUT}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ubiquitous/dotnet-build
parts=(host/dotnet tests/dotnet examples/host-dotnet examples/embedding/dotnet)

sdk=$("$root/scripts/setup.sh" paths | sed -n 's/^DOTNET_DIR=//p')
sums=$(cd "$root" && find "${parts[@]}" -type f -print0 | sort -z | xargs -0 sha256sum)
kept=$cache/$(echo "$(basename "$sdk") $sums" | sha256sum | cut -c1-32)

build() {
    "$root/scripts/dotnet.sh" build "$1" -c Release -nologo -v quiet "${@:2}" >"$work/log" 2>&1 || {
        sort -u "$work/log" >&2
        return 1
    }
}

mkdir -p "$cache" "$out"
out=$(cd "$out" && pwd)
if [ ! -d "$kept" ]; then
    work=$(mktemp -d "$cache/new.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    (cd "$root" && cp --parents -r "${parts[@]}" "$work")
    cd "$work"
    echo '<configuration><packageSources><clear /></packageSources></configuration>' >nuget.config
    # The library is built for .NET Standard too, against declarations, and tested like that as well.
    build tests/dotnet/json -o "$work/json"
    reference=-p:JsonReference=$work/json/System.Text.Json.dll
    build host/dotnet/src "$reference"
    build host/dotnet/platform
    build tests/dotnet -o "$work/made/tests" "$reference"
    build examples/host-dotnet -o "$work/made/example" "$reference"
    build examples/embedding/dotnet -o "$work/made/greet"
    cp -r "$work/made/tests" "$work/made/netstandard"
    cp "$work"/host/dotnet/src/bin/Release/netstandard2.1/Ubiquitous.Extism.dll "$work/made/netstandard"
    chmod -R a+rX "$work/made"
    mv -T "$work/made" "$kept" 2>/dev/null || [ -d "$kept" ]
fi
cp -r "$kept/." "$out"
