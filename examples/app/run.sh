#!/usr/bin/env bash
# Serves the plug-ins in this directory as functions, after building its functions in Rust and Go where their
# toolchains are there. Arguments go to `ubiq serve`: run.sh --listen 127.0.0.1:8080. UBIQ_BUILD_DIR
# names a build tree other than build/.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${UBIQ_BUILD_DIR:-$(cd "$here/.." && pwd)/build}
app=$build/examples/app

for plugin in "$here"/app/plugins/*/; do
    name=$(basename "$plugin")
    status=0
    "$here/../scripts/plugin.sh" "$plugin" "$app/functions/$name.wasm" || status=$?
    # 3: it has said itself that there is no toolchain.
    case $status in
    0 | 3) ;;
    *) echo "$name left out: it could not be built" >&2 ;;
    esac
done

exec "$build/ubiq" serve "$app" "$@"
