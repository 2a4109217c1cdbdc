#!/usr/bin/env bash
# Builds the example image and shows what there is to ask. Runs in its build directory.
set -euo pipefail
bitzel=$1
step() { printf '\n\033[1m$ bitzel %s\033[0m\n' "$*"; "$bitzel" "$@"; }
[ -t 1 ] || step() { printf '\n$ bitzel %s\n' "$*"; "$bitzel" "$@"; }

step build demo-image
step query 'deps(demo-image, 1)'
step why hello:do_compile
cat <<END

The image: $PWD/tmp/deploy/images/demo-image-pocket.tar
The build directory is $PWD. What to try next, there:
  $bitzel build demo-image          again: nothing has to run
  $bitzel what-if 'MACHINE=tower' demo-image
  $bitzel bitbake -e hello          every variable of a recipe, and who set it
  $bitzel getvar -r hello SRC_URI   one variable
  $bitzel doctor                    how well this host isolates tasks
END
