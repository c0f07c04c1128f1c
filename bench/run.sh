#!/usr/bin/env bash
# Measures our library side by side with upstream's and prints tables; `make bench` calls it after
# a build. QUICK=1 takes less than a minute and is less exact. UBIQ_BUILD_DIR names a build tree
# other than build/.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/.." && pwd)
build=${UBIQ_BUILD_DIR:-$root/build}
out=$build/bench
plugins=$out/plugins

paths=$("$root/scripts/setup.sh" paths)
UPSTREAM_EXTISM_LIB=$(sed -n 's/^UPSTREAM_EXTISM_LIB=//p' <<<"$paths")
[ -f "$UPSTREAM_EXTISM_LIB" ] || {
    echo "bench: there is no upstream library; scripts/setup.sh test fetches it" >&2
    exit 1
}
export UPSTREAM_EXTISM_LIB UBIQ_EXTISM_LIB=$build/libextism.so
export QUICK=${QUICK:-0}
quick=
[ "$QUICK" = 0 ] || quick=quick

# Compiled code that is left from runs before must not be found, and none is to be left.
caches=$(mktemp -d)
# The build tree is on a disk; /tmp often is not.
databases=$(mktemp -d "$out/databases.XXXXXX")
trap 'rm -rf "$caches" "$databases"' EXIT
export UBIQ_CACHE_DIR=$caches/ubiq EXTISM_CACHE_CONFIG=

"$root/tests/plugins/build.sh" "$plugins" >&2
records=$out/records.tsv
{
    "$out/bench_host" calls "$plugins"
    "$out/bench_host" after-large "$plugins"
    "$out/bench_host" load "$plugins" "$caches/load"
    "$out/bench_host" suspended "$plugins"
    "$out/bench_host" javascript "$plugins"
    "$out/bench_host" kv-writes "$databases"
    if grep -q ^DOTNET_DIR= <<<"$paths"; then
        "$root/tests/dotnet/build.sh" "$build/tests/dotnet" >&2
        LD_LIBRARY_PATH=$build:$out "$root/scripts/dotnet.sh" \
            "$build/tests/dotnet/tests/Ubiquitous.Extism.Tests.dll" bench "$quick"
    fi
    /usr/bin/python3 -B "$here/serve.py" "$build"
    /usr/bin/python3 -B "$here/keys.py" "$build"
    /usr/bin/python3 -B "$here/build.py" "$build"
    /usr/bin/python3 -B "$here/javascript.py" "$build" "$(sed -n 's/^WORKERD=//p' <<<"$paths")"
    /usr/bin/python3 -B "$here/waiting.py" "$build"
} >"$records.new"
mv "$records.new" "$records"

engine=prebuilt
grep -q ubiq_pooling_allocation_config_pagemap_scan_set "$build/libwasmtime.so" && engine=built
/usr/bin/python3 -B "$here/report.py" "$records" "$build/bench.json" "$engine"
