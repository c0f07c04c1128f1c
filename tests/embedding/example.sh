#!/usr/bin/env bash
# examples/embedding in one language does what it should: example.sh LANGUAGE BUILD_DIRECTORY
set -euo pipefail

run=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../examples/embedding" && pwd)/run.sh
diff - <("$run" "$1" "$2") <<'END'
Hello, Ada! This is greeting number 1
200: Hello, Bob! This is greeting number 2
END
