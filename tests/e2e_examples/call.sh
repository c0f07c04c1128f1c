#!/usr/bin/env bash
# Tests of `ubiq call`, with plug-ins made from the C files here.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..
ubiq=${UBIQ_BUILD_DIR:-$root/build}/ubiq
cc=${WASM_CLANG:-clang-14}

work=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || kill "$server"
    rm -rf "$work"
}
trap cleanup EXIT
cd "$work"

fail() {
    echo "FAILED: $*"
    echo "--- status $status, standard output:"
    head -c 1000 out
    echo "--- standard error:"
    head -c 1000 err
    exit 1
}

# run ARGUMENT... : calls, with standard input from the file `in`.
run() {
    what=$*
    status=0
    "$ubiq" call "$@" <in >out 2>err || status=$?
}

# holds COMMAND... : this is so after the last run.
holds() {
    "$@" || fail "$what: not so: $*"
}

# gives OUTPUT : the last run went well, and printed this and a line's end.
gives() {
    [ "$status" = 0 ] || fail "$what"
    printf '%s\n' "$1" | cmp -s - out || fail "$what: not \"$1\""
    [ ! -s err ] || fail "$what: wrote to standard error"
}

# fails STATUS TEXT : the last run ended so, with this text among what it said, and no output.
fails() {
    [ "$status" = "$1" ] || fail "$what: not status $1"
    grep -qF -- "$2" err || fail "$what: did not say \"$2\""
    [ ! -s out ] || fail "$what: wrote to standard output"
}

"$cc" --target=wasm32-wasi -mexec-model=reactor -std=c17 -O2 -Wall -Wextra -Werror \
    -I "$root/guest/c" "$here/probe.c" -o probe.wasm
"$cc" --target=wasm32 -std=c17 -O2 -nostdlib -Wall -Wextra -Werror -I "$root/guest/c" \
    -Wl,--no-entry "$here/caller.c" -o caller.wasm
: >in
: >out
: >err
p="--wasi probe.wasm"
# $p is two words.
# shellcheck disable=SC2086
{
    # Input and output
    run $p echo --input 'a text'; gives 'a text'
    run $p echo -i=text; gives text
    run $p echo -i '=text'; gives '=text'
    run $p echo; gives ''
    run echo $p; fails 1 'echo: No such file or directory'
    head -c 3000000 /dev/urandom >in
    run $p echo --stdin
    holds [ "$(sha256sum <out)" = "$({ cat in; echo; } | sha256sum)" ]
    : >in
    run $p echo --stdin; gives ''
    run $p count; gives 1
    run $p count --loop 3; gives $'1\n\n2\n\n3\n'
    run $p fail --loop 0; holds [ "$status" = 0 ]; holds [ ! -s out ]

    # Configuration
    run $p config -i k --config k=a=b; gives a=b
    run $p config -i k --config k=a --config k=b; gives b
    run $p config -i k --config k=a --set-config '{"k":"b","l":"c"}'; gives a
    run $p config -i l --config k=a --set-config '{"k":"b","l":"c"}'; gives c
    run $p config -i k --config l; fails 1 'there is none'
    run $p config -i k --set-config '{"k":1}'; fails 2 '--set-config: k: expected a string'
    run $p config -i k --set-config '{"k"'; fails 2 '--set-config'
    run $p config -i k --set-config '{} x'; fails 2 '--set-config'
    run $p config -i k --config k=$'\xff'; fails 2 'not UTF-8'

    # Manifests, on top of which the flags stand
    cat >manifest.json <<<'{"wasm": [{"path": "probe.wasm"}], "config": {"k": "a", "l": "b"}}'
    cat >manifest.toml <<<$'[[wasm]]\npath = "probe.wasm"\n[config]\nk = "t"'
    echo "{\"wasm\": [{\"data\": \"$(base64 -w 0 probe.wasm)\"}], \"timeout_ms\": 100}" >data.json
    run --wasi --manifest manifest.json config -i k; gives a
    run --wasi -m manifest.json config -i k --config k=c; gives c
    run --wasi -m manifest.json config -i l --config k=c; gives b
    run --wasi -m manifest.toml config -i k; gives t
    run --wasi -m data.json echo -i data; gives data
    run --wasi -m data.json spin; fails 1 timeout
    run -m probe.wasm echo; fails 1 'probe.wasm: Unknown manifest format'
    run -m nothing.json echo; fails 1 'nothing.json: No such file or directory'
    run --wasi --manifest=false probe.wasm echo -i a; gives a

    # Linked modules
    cp probe.wasm other.wasm
    run --wasi --link other=probe.wasm caller.wasm count_twice; gives 2
    run --wasi --link ./other.wasm caller.wasm count_twice; gives 2
    cat >caller.json <<<'{"wasm": [{"path": "caller.wasm"}]}'
    run --wasi --link ./other.wasm -m caller.json count_twice; gives 2
    run caller.wasm count_twice; fails 1 'other::count'
    run --link other=nothing.wasm caller.wasm count_twice; fails 1 'nothing.wasm: No such file'

    # WASI and files
    run probe.wasm echo; fails 1 'wasi_snapshot_preview1'
    run --wasi=false probe.wasm echo; fails 1 'wasi_snapshot_preview1'
    run $p print -i 'through WASI'; gives $'through WASI\nprinted'
    mkdir dir
    echo content >dir/file
    run $p read -i /d/file --allow-path dir:/d; gives $'content\n'
    run $p read -i "$work/dir/file" --allow-path "$work/dir"; gives $'content\n'
    run $p read -i /d/file; fails 1 'cannot open it'
    run $p write -i /d/new --allow-path dir:/d; gives ''
    holds [ -f dir/new ]
    run $p read -i /d/file --allow-path ro:dir:/d; gives $'content\n'
    run $p write -i /d/newer --allow-path ro:dir:/d; fails 1 'cannot open it'
    run $p read -i /d/file --allow-path nothing:/d; fails 1 nothing

    # Limits
    run $p spin --timeout 100; fails 1 timeout
    run $p echo -i fast --timeout 60000; gives fast
    run $p grow -i 100; gives ''
    run $p grow -i 100 --memory-max 50; fails 1 oom
    run $p count --var-max 10; fails 1 'Variable store is full'

    # Errors of the plug-in, and its log
    run $p fail -i 'a reason'; fails 1 'a reason'
    holds grep -q '^ubiq call: fail returned 7$' err
    run $p fail_silently; fails 1 'fail_silently returned 7'
    run $p nothing; fails 1 nothing
    run $p log -i 'a line'; gives ''
    run $p log -i 'a line' --log-level info
    holds grep -q 'a line' err
    run $p log -i 'a line' --log-level warn; gives ''

    # HTTP
    echo from afar >served
    python3 -u -m http.server 0 --bind 127.0.0.1 >server.log 2>/dev/null &
    server=$!
    for _ in {1..100}; do
        url=$(sed -n 's/.*(\(http:[^)]*\)).*/\1/p' server.log)
        [ -z "$url" ] || break
        sleep 0.05
    done
    run $p fetch -i "${url}served" --allow-host 127.0.0.1; gives $'from afar\n'
    run $p fetch -i "${url}served" --allow-host x.org --allow-host '127.*'; gives $'from afar\n'
    run $p fetch -i "${url}served" --allow-host x.org; fails 1 'not allowed'
    run $p fetch -i "${url}served"; fails 1 'not allowed'
    run $p fetch -i "${url}served" --allow-host '*' --http-response-max 5
    holds [ "$status" = 1 ]; holds [ -s err ]
    run $p fetch_headers -i "${url}served" --allow-host '*'; fails 1 'there is none'
    run $p fetch_headers -i "${url}served" --allow-host '*' --enable-http-response-headers
    holds grep -q '"content-length":"10"' out
    run --wasi "${url}probe.wasm" echo -i 'from a URL'; gives 'from a URL'
    run --wasi "${url}nothing.wasm" echo; fails 1 404

    # The arguments
    run; fails 2 'missing'
    run probe.wasm; fails 2 'name of a function'
    run a b c; fails 2 'too many: c'
    run $p echo --wsai; fails 2 'unknown flag --wsai'
    run $p echo -x; fails 2 'unknown flag -x'
    run $p echo --input; fails 2 '--input needs a value'
    run $p echo --input a --stdin; fails 2 '--input and --stdin'
    run $p echo --loop x; fails 2 '--loop'
    run $p echo --timeout -1; fails 2 '--timeout'
    run $p echo --memory-max 4294967296; fails 2 '--memory-max'
    run $p echo --log-level loud; fails 2 '--log-level'
    run --wasi -- probe.wasm echo; gives ''
    run --help; holds [ "$status" = 0 ]; holds grep -q '^usage: ubiq call' out
}

# Each flag of --help stands in the manual page.
grep -oE -- '--[a-z-]+' out | while read -r flag; do
    holds grep -qF -- "${flag//-/\\-}" "$root/docs/man/ubiq-call.1"
done

what='output that cannot be written'
status=0
# shellcheck disable=SC2086
"$ubiq" call $p echo -i a >/dev/full 2>err || status=$?
: >out
fails 1 'No space left'
echo "ubiq call: all went well"
