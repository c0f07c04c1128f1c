#!/usr/bin/env bash
# Builds an Extism plug-in from a Rust crate or a Go module:
#
#   plugin.sh DIRECTORY OUTPUT.wasm
#
# Status 3, with a line that says why, when the language's toolchain is absent; there is no output
# file then, and neither after a failure. What was built is kept in
# ${XDG_CACHE_HOME:-~/.cache}/ubiquitous/plugins, by the content of the sources and the version of
# the tools, so an unchanged plug-in is not built again.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source=$(cd "${1:?usage: plugin.sh DIRECTORY OUTPUT.wasm}" && pwd)
output=${2:?usage: plugin.sh DIRECTORY OUTPUT.wasm}
name=$(basename "$output" .wasm)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ubiquitous/plugins

leave_out() {
    echo "$name left out: $*" >&2
    rm -f "$output"
    exit 3
}

# Prints the kept file for these sources, built with the tools that "$1" names.
kept_file() {
    local sums
    sums=$(cd "$source" && find . -name target -prune -o -name Cargo.lock -o -type f -print0 |
        sort -z | xargs -0 sha256sum)
    echo "$cache/$(cat "$here/plugin.sh" - <<<"$1 $sums" | sha256sum | cut -c1-32).wasm"
}

# Makes the kept file "$1" with the function "$2", which is given the path to write, unless it is
# there, and puts it where it is wanted. Each step leaves a whole file or none.
deliver() {
    local kept=$1 make=$2 new
    if [ ! -s "$kept" ]; then
        new=$(mktemp "$cache/new.XXXXXX")
        # shellcheck disable=SC2064
        trap "rm -f '$new' '$output'" EXIT
        echo "building $name" >&2
        (cd "$source" && "$make" "$new") >&2
        mv "$new" "$kept"
        trap - EXIT
    fi
    cmp -s "$kept" "$output" && return
    cp "$kept" "$output.$$"
    chmod 644 "$output.$$"
    mv "$output.$$" "$output"
}

target=wasm32-unknown-unknown

# A toolchain that has the target's standard library, or Debian's rustc-web with rust-web-src, of
# which the standard library is built along.
find_rust() {
    local std linker
    command -v cargo >/dev/null || leave_out "there is no cargo"
    flags=()
    rustc=rustc
    std=$(rustc --print target-libdir --target "$target" 2>/dev/null || true)
    if [ -n "$std" ] && [ -d "$std" ] && [ -z "${UBIQ_RUST_BUILD_STD:-}" ]; then
        return
    fi
    linker=$(find /usr/bin -name 'wasm-ld-2[2-9]' | sort | tail -1)
    rustc=/usr/bin/rustc
    if [ ! -d /usr/lib/rustlib/src/rust/library ] || [ ! -x "$rustc" ] || [ -z "$linker" ]; then
        leave_out "Rust has no standard library for $target"
    fi
    flags=("-Zbuild-std=std,panic_abort")
    export RUSTC=$rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker
}

# All crates are built in one directory, so that what they share is compiled once. To cargo, crates
# of the same name from two trees are one, so nothing of an earlier build may be left, and the lock
# is held until the result is copied. Built from a copy, as cargo leaves a lock file beside the
# sources.
make_rust() (
    export CARGO_TARGET_DIR=$cache/rust
    exec 9>"$cache/rust.lock"
    flock 9
    rm -rf "$cache/rust-source"
    cp -r "$source" "$cache/rust-source"
    cd "$cache/rust-source"
    cargo clean --quiet --package "$package" --release --target "$target"
    cargo build --quiet --release --target "$target" "${flags[@]}"
    cp "$CARGO_TARGET_DIR/$target/release/${package//-/_}.wasm" "$1"
)

find_go() {
    command -v go >/dev/null || leave_out "there is no go"
    export GOTOOLCHAIN=local
    go version | grep -Eq 'go(1\.(2[4-9]|[3-9][0-9])|[2-9])' ||
        leave_out "$(go version) is older than 1.24"
}

make_go() {
    GOOS=wasip1 GOARCH=wasm GOFLAGS=-mod=readonly go build -buildmode=c-shared -trimpath \
        -ldflags='-s -w' -o "$1" .
}

mkdir -p "$cache" "$(dirname "$output")"
if [ -f "$source/Cargo.toml" ]; then
    find_rust
    package=$(sed -n '/^\[package\]/,/^\[/s/^name = "\(.*\)"/\1/p' "$source/Cargo.toml")
    deliver "$(kept_file "$("$rustc" -vV) ${flags[*]}")" make_rust
elif [ -f "$source/go.mod" ]; then
    find_go
    deliver "$(kept_file "$(go version)")" make_go
else
    echo "$source: neither Cargo.toml nor go.mod" >&2
    rm -f "$output"
    exit 1
fi
