#!/usr/bin/env bash
# Runs an upstream SDK's own tests, from a checkout of its sources, on our library:
#
#   run.sh cpp|ruby|php CHECKOUT [BUILD_DIRECTORY]
#
# For SDKs that no package registry has, so no part of `make test`. Needs: libjsoncpp-dev and
# libgtest-dev; ruby, ruby-ffi and ruby-minitest; php-cli and phpunit. What these tests fetch from the
# internet fails without it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
language=${1:?usage: run.sh cpp|ruby|php CHECKOUT [BUILD_DIRECTORY]}
checkout=$(cd "${2:?usage: run.sh cpp|ruby|php CHECKOUT [BUILD_DIRECTORY]}" && pwd)
build=$(cd "${3:-$here/../../build}" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export LD_LIBRARY_PATH=$build

case $language in
cpp)
    c++ -std=c++17 -w -I "$here/../../include" -I /usr/include/jsoncpp "$checkout"/src/*.cpp \
        "$checkout/test/test.cpp" -o "$scratch/test" -L "$build" -lextism -ljsoncpp -lgtest \
        -lgtest_main -lpthread
    cd "$checkout/test"
    "$scratch/test"
    ;;
ruby)
    cd "$checkout"
    ruby -Ilib -Itest test/test_extism.rb
    ;;
php)
    # It looks for the library in these two directories only.
    [ -e /usr/local/lib/libextism.so ] || [ -e /usr/lib/libextism.so ] || {
        echo "run.sh: php finds the library in /usr/local/lib only: make install" >&2
        exit 1
    }
    cat >"$scratch/autoload.php" <<'END'
<?php
spl_autoload_register(function ($class) {
    foreach (['Extism\\Tests\\' => 'tests/', 'Extism\\' => 'src/'] as $prefix => $directory) {
        $file = getcwd() . '/' . $directory .
            str_replace('\\', '/', substr($class, strlen($prefix))) . '.php';
        if (strncmp($class, $prefix, strlen($prefix)) === 0 && is_file($file)) {
            require $file;
            return;
        }
    }
});
END
    cd "$checkout"
    phpunit --no-configuration --bootstrap "$scratch/autoload.php" tests
    ;;
*)
    echo "run.sh: there is nothing for $language" >&2
    exit 1
    ;;
esac
