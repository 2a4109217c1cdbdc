#!/usr/bin/env bash
# Shows what bitzel makes of the example layers. Runs in their build directory.
set -euo pipefail
bitzel=$1
step() { printf '\n\033[1m$ bitzel %s\033[0m\n' "$*"; "$bitzel" "$@"; }
[ -t 1 ] || step() { printf '\n$ bitzel %s\n' "$*"; "$bitzel" "$@"; }

step bitbake -p
step layers show-layers
step layers show-recipes
step getvar -r hello OVERRIDES
cat <<END

The build directory is $PWD. What to try next, there:
  $bitzel bitbake -e hello          every variable of a recipe, and who set it
  $bitzel getvar -r hello SRC_URI   one variable
  $bitzel export --out DIR          everything as JSON lines, for scripts
END
