#!/usr/bin/env bash
# Builds and serves the link shortener in examples/shortener. Arguments go to `ubiq serve`: run.sh
# --listen 127.0.0.1:8080. UBIQ_BUILD_DIR names a build tree other than build/.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${UBIQ_BUILD_DIR:-$(cd "$here/.." && pwd)/build}

# Its webhook leads to itself.
for argument; do
    [ "${before:-}" != --listen ] || export SHORTENER_PORT=${argument##*:}
    before=$argument
done
"$build/ubiq" build "$here/shortener"
exec "$build/ubiq" serve "$here/shortener" --env development "$@"
