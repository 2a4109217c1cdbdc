#!/usr/bin/env bash
# corpus.sh BITZEL: replays the cases recorded from BitBake, those that run the program
# included (without sandbox: their tasks write to TOPDIR). Any difference fails, but for
# cases that say why they differ (`differs`).
set -euo pipefail
bitzel=$(realpath "$1")
cd "$(dirname "$0")/.."
status=0
for level in 2.18 2.8; do
  # First lines only: what follows them in messages is worded by bitzel.
  BITZEL_COMPAT=$level "$bitzel" python tests/corpus/corpus.py --check --level $level --first-lines \
    --command "env BITZEL_SANDBOX=off '$bitzel' bitbake --compat $level" || status=1
done
exit $status
