# shellcheck shell=bash disable=SC2034,SC2154
# What the set-up scripts share. Sourced, with `here` set to this directory.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/ubiquitous
# Debian's own, since the modules that the tests need are installed for that one.
python=/usr/bin/python3

say() { echo "set-up: $*" >&2; }
fail() {
    say "$*"
    exit 1
}

# The directory for what is made from the things that `$2` names, by content: `$1-<hash>`.
kept_dir() {
    echo "$cache/$1-$(echo "$2" | sha256sum | cut -c1-16)"
}

# Makes directory `$1` with the function `$2` unless it is there. It is made under another name and
# then renamed, so that it is there whole or not at all, whoever else is making it.
keep() {
    local dir=$1 make=$2 work
    [ ! -d "$dir" ] || return 0
    work=$(mktemp -d "$cache/tmp.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    "$make" "$work"
    chmod -R u+w,a+rX "$work"
    mv -T "$work" "$dir" 2>/dev/null || rm -rf "$work"
    [ -d "$dir" ] || fail "could not make $dir"
}

# Sets `cargo` to a cargo that can fetch one crate (`cargo info`, since 1.82), or fails.
find_cargo() {
    for cargo in "${CARGO:-cargo}" "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" /usr/bin/cargo; do
        if "$cargo" info --help >/dev/null 2>&1; then
            return 0
        fi
    done
    return 1
}

# Prints where a crate's archive is, of version `$2` and SHA-256 `$3`; fetches it if need be.
crate_archive() {
    local name=$1 version=$2 hash=$3 home=${CARGO_HOME:-$HOME/.cargo} try archive
    for try in kept fetched; do
        for archive in "$home"/registry/cache/*/"$name-$version.crate"; do
            if [ -f "$archive" ] && echo "$hash  $archive" | sha256sum --check --status; then
                echo "$archive"
                return 0
            fi
        done
        [ "$try" = kept ] || break
        find_cargo || fail "no cargo that can fetch a crate; Debian's package is cargo-web"
        say "fetching the crate $name $version"
        # Outside of any project, so that none is read or locked.
        (cd / && "$cargo" info --quiet --registry crates-io "$name@$version" >/dev/null)
    done
    fail "the crate $name $version is not the one that scripts/pins names"
}

# Writes the lock file `$1` to `$2`. In the tree, locks say `registry` for where crates come from;
# cargo has a name of its own for it, which this asks from it.
expand_lock() {
    local lab name
    lab=$(mktemp -d)
    mkdir "$lab/src"
    : >"$lab/src/lib.rs"
    printf '[package]\nname = "x"\nversion = "0.0.0"\n[dependencies]\ncfg-if = "=1.0.0"\n' \
        >"$lab/Cargo.toml"
    (cd "$lab" && "$cargo" generate-lockfile --quiet)
    name=$(sed -n 's/^source = //p' "$lab/Cargo.lock" | head -n 1)
    rm -rf "$lab"
    sed "s|^source = \"registry\"\$|source = $name|" "$1" >"$2"
}

# Moves the C API's headers out of the unpacked crate `$1` to `$2`, and makes conf.h.
move_headers() {
    mv "$1/include" "$2"
    sed -E -e '/WASMTIME_FEATURE_(DISABLE_LOGGING|ALL_ARCH)$/d' -e 's/^#cmakedefine /#define /' \
        "$2/wasmtime/conf.h.in" >"$2/wasmtime/conf.h"
    rm "$2/wasmtime/conf.h.in"
}

# Prints the pin (version, platform, hash) of an archive for this machine.
pin_of() {
    local line
    line=$(awk -v k="$1" -v n="$2" -v m="$(uname -m)" \
        '$1 == k && $2 == n && ($4 == m || $4 == "any") { print $3, $4, $5 }' "$here/pins")
    [ -n "$line" ] || fail "scripts/pins has no $1 $2 for $(uname -m); set WASMTIME_DIR"
    echo "$line"
}

# Fetches a pinned crate with cargo and unpacks it, after checking the hash.
unpack_crate() {
    local name=$1 into=$2 version hash archive
    read -r version _ hash <<<"$(pin_of crate "$name")"
    archive=$(crate_archive "$name" "$version" "$hash")
    mkdir -p "$into"
    tar -xzf "$archive" -C "$into" --strip-components=1
}

# The names of the packages in the given groups that are not installed.
missing_packages() {
    local group names
    names=$(for group in "$@"; do awk -v g="$group" '$1 == g { print $2 }' "$here/packages"; done)
    # shellcheck disable=SC2086
    { dpkg-query -W -f '${Package} ${db:Status-Status}\n' $names 2>/dev/null || true; } |
        names=$names awk '
            $2 == "installed" { have[$1] = 1 }
            END {
                n = split(ENVIRON["names"], all)
                for (i = 1; i <= n; i++)
                    if (!(all[i] in have))
                        print all[i]
            }'
}

# Installs what is missing of the packages in the given groups, or tells how to.
install_packages() {
    local missing install
    command -v dpkg-query >/dev/null ||
        fail "this set-up is for Debian; scripts/packages says what it installs"
    missing=$(missing_packages "$@" | paste -sd ' ')
    [ -n "$missing" ] || return 0
    # cargo-web cannot stand beside Debian's own cargo, and nothing of the user's may be removed.
    install="apt-get install -y --no-install-recommends --no-remove $missing"
    if [ "$(id -u)" != 0 ]; then
        echo "These packages are missing. Run this, then try again:" >&2
        echo "  sudo sh -c 'apt-get update && $install'" >&2
        exit 1
    fi
    say "installing $missing"
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get update && $install; } >"$cache/apt.log" 2>&1; then
        tail -20 "$cache/apt.log" >&2
        fail "apt-get failed"
    fi
}
