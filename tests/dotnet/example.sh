#!/usr/bin/env bash
# The example does what its README shows: example.sh BUILD_DIRECTORY
set -euo pipefail

example=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../examples/host-dotnet" && pwd)
diff <(sed -n '/^Ada orders/,/^```/p' "$example/README.md" | grep -v '^```') <("$example/run.sh" "$1")
