#!/usr/bin/env bash
# Runs the `dotnet` that scripts/setup.sh test has fetched, so that it leaves nothing behind:
#
#   dotnet.sh ARGUMENT...
#
# Libraries are found in LD_LIBRARY_PATH, and compiled modules in the cache of the user's, as ever.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$("$here/setup.sh" paths | sed -n 's/^DOTNET_DIR=//p')
[ -n "$dir" ] || {
    echo "dotnet.sh: there is no .NET: scripts/setup.sh test fetches it" >&2
    exit 3
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=${XDG_CACHE_HOME:-$HOME/.cache}
export HOME=$scratch TMPDIR=$scratch NUGET_PACKAGES=$scratch/packages DOTNET_CLI_HOME=$scratch
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
export DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
export DOTNET_MULTILEVEL_LOOKUP=0 MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false
export COMPlus_EnableDiagnostics=0
export LD_LIBRARY_PATH=$dir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
# Else it greets its new user.
mkdir "$scratch/.dotnet"
touch "$scratch/.dotnet/$(ls "$dir/sdk").dotnetFirstUseSentinel"
"$dir/dotnet" "$@"
