#!/usr/bin/env bash
# corpus.sh BITZEL: replays the cases recorded from BitBake, for both levels. Cases
# that differ from BitBake on purpose are named in tests/corpus/differs.txt.
set -euo pipefail
bitzel=$1
cd "$(dirname "$0")/.."
for level in 2.18 2.8; do
  BITZEL_COMPAT=$level "$bitzel" python tests/corpus/corpus.py --check --level $level --first-lines
done
