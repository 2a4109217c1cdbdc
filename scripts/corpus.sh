#!/usr/bin/env bash
# corpus.sh BITZEL: replays the cases recorded from BitBake, those that run the program
# included. Any difference fails, but for cases that say why they differ (`differs`).
set -euo pipefail
bitzel=$(realpath "$1")
cd "$(dirname "$0")/.."
status=0
# Tasks of the cases write to TOPDIR to tell what they did; the sandbox would refuse it.
export BITZEL_SANDBOX=off
for level in 2.18 2.8; do
  # First lines only: what follows them in messages is worded by bitzel.
  BITZEL_COMPAT=$level "$bitzel" python tests/corpus/corpus.py --check --level $level --first-lines \
    --command "'$bitzel' bitbake --compat $level" || status=1
done
exit $status
