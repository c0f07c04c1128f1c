#!/usr/bin/env bash
# Serves examples/app, posts a text of two megabytes to its functions,
# and checks the answers against what wc, tr and grep say.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${UBIQ_BUILD_DIR:-$here/../../build}
export UBIQ_BUILD_DIR=$build

work=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
cd "$work"

fail() {
    echo "FAILED: $*"
    echo "--- the server said:"
    cat log
    exit 1
}

# is FUNCTION EXPECTED ARGUMENT... : what curl, with these arguments, gets from the function.
is() {
    local function=$1 expected=$2
    shift 2
    curl -sS --fail-with-body "$@" "$url/$function" >answer || fail "$function: $(head -c 200 answer)"
    printf '%s' "$expected" | cmp -s - answer ||
        fail "$function: $(head -c 200 answer), expected $expected"
    echo "$function: $(head -c 100 answer)"
}

served() {
    [ -f "$build/examples/app/functions/$1.wasm" ] || { echo "$1 is not served here"; false; }
}

# As a list of words, one a line, and as a running text.
words=/usr/share/dict/american-english
{ cat $words; tr '\n' ' ' <$words | fold -s -w 72; echo; } >text
[ "$(wc -c <text)" -gt 1000000 ] || fail "the text is too short"

"$here/../../examples/app/run.sh" --listen 127.0.0.1:0 >log 2>&1 &
server=$!
# The first time, functions in Rust and Go are built before it listens.
until url=$(grep -oEm 1 'http://127\.0\.0\.1:[1-9][0-9]*' log); do
    kill -0 "$server" 2>/dev/null || fail "it ended"
    sleep 0.1
done
curl -sS --retry 20 --retry-connrefused --retry-delay 1 "$url/healthz" >answer || fail "no health"

read -r lines count bytes < <(LC_ALL=C wc <text)
is words "{\"lines\":$lines,\"words\":$count,\"bytes\":$bytes}
" --data-binary @text

LC_ALL=C tr '[:lower:]' '[:upper:]' <text >upper
curl -sS --data-binary @text "$url/upper" | cmp - upper || fail "upper"

is hello $'Hello, world!\n'
is hello $'Hello, Ada!\n' -d Ada

if served vowels; then
    each=
    for vowel in a e i o u; do
        each+=",\"$vowel\":$(LC_ALL=C tr -cd "$vowel${vowel^}" <text | wc -c)"
    done
    is vowels "{\"total\":$(LC_ALL=C tr -cd aeiouAEIOU <text | wc -c)$each}" --data-binary @text
fi

if served lines; then
    longest=$(LC_ALL=C.UTF-8 wc -L <text)
    # The number of the first line that is so long, and the line.
    read -r number line < <(LC_ALL=C.UTF-8 grep -nEm 1 "^.{$longest}\$" text | sed 's/:/ /')
    longest="{\"number\":$number,\"length\":$longest,\"text\":\"$line"
    curl -sS --data-binary @text "$url/lines" >answer
    grep -qF "{\"lines\":$lines,\"longest\":$longest" answer ||
        fail "lines: $(head -c 200 answer), expected $lines $longest"
    echo "lines: $(head -c 100 answer)"
fi

status=$(head -c 17000000 /dev/zero |
    curl -s -o answer -w '%{http_code}' --data-binary @- "$url/words" || true)
[ "$status" = 413 ] || fail "a body over the limit: status $status"
status=$(curl -s -o answer -w '%{http_code}' "$url/nothing")
[ "$status" = 404 ] || fail "a function that is not there: status $status"

kill -TERM "$server"
status=0
wait "$server" || status=$?
server=
[ "$status" = 0 ] || fail "it ended with status $status"
echo "the example application: all went well"
