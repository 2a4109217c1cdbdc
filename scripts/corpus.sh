#!/usr/bin/env bash
# corpus.sh BITZEL: replays the cases recorded from BitBake. Cases that are not equal
# yet are listed in tests/corpus/not-yet-equal-LEVEL.txt; any other difference fails, and
# so does a listed case that is equal by now (take it off the list).
set -euo pipefail
bitzel=$1
cd "$(dirname "$0")/.."
failed=0
for level in 2.18 2.8; do
  output=$(BITZEL_COMPAT=$level "$bitzel" python tests/corpus/corpus.py --check --level $level --first-lines) || true
  printf '%s\n' "$output" | tail -n 1
  printf '%s\n' "$output" | grep -q '^level .* cases equal' || { echo "the corpus did not run to its end"; exit 1; }
  if ! diff <(printf '%s\n' "$output" | grep -E '^[a-z_]+: ' | sort -u) "tests/corpus/not-yet-equal-$level.txt"; then
    echo "level $level: other cases differ than tests/corpus/not-yet-equal-$level.txt lists"
    failed=1
  fi
done
exit $failed
