#!/usr/bin/env bash
# Builds the Wasmtime of engine/ once and prints the C API tree (include/, lib/) it is in, to be
# given to CMake as WASMTIME_DIR. It is kept outside the tree, in a directory named by the hash of
# what it was built from. Takes about fifteen minutes of CPU time the first time.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/common.sh"
engine=$here/../engine

make_engine() {
    local out=$1 source=$1/source
    mkdir "$source"
    cp -r "$engine"/{Cargo.toml,src} "$source"
    expand_lock "$engine/Cargo.lock" "$source/Cargo.lock"
    unpack_crate wasmtime "$source/wasmtime"
    patch --quiet -p1 -d "$source/wasmtime" <"$engine/pagemap.patch"
    say "building Wasmtime, which takes a while"
    # Wasmtime names the newest compiler as the one it needs, but builds with somewhat older ones.
    (cd "$source" && "$cargo" build --release --locked --ignore-rust-version \
        --jobs "${JOBS:-$(nproc)}" >&2)
    mkdir "$out/lib"
    mv "$source/target/release/libubiq_engine.so" "$out/lib/libwasmtime.so"
    mv "$source/wasmtime/LICENSE" "$out/LICENSE"
    unpack_crate wasmtime-c-api-impl "$source/c-api"
    move_headers "$source/c-api" "$out/include"
    rm -rf "$source"
}

mkdir -p "$cache"
find_cargo || install_packages crate
find_cargo || fail "no cargo; Debian's package is cargo-web"
pins=$(pin_of crate wasmtime && pin_of crate wasmtime-c-api-impl)
made_from=$(cd "$engine" && cat Cargo.toml Cargo.lock pagemap.patch src/lib.rs | sha256sum)
dir=$(kept_dir engine "$pins $made_from")
keep "$dir" make_engine
echo "$dir"
