#!/bin/sh
# Compares the names that a library exports with a list of names.
#   check_symbols.sh LIBRARY LIST
set -eu
exported=$(nm -D --defined-only "$1" | awk '{ print $3 }' | LC_ALL=C sort)
listed=$(LC_ALL=C sort "$2")
if [ "$exported" != "$listed" ]; then
    echo "$1 exports:"
    echo "$exported"
    echo "$2 lists:"
    echo "$listed"
    exit 1
fi
