#!/usr/bin/env bash
# corpus.sh BITZEL: replays the cases recorded from BitBake. Cases that are not equal
# yet are listed in tests/corpus/not-yet-equal-LEVEL.txt; any other difference fails. A
# listed case that is equal by now is named, to be taken off the list.
set -euo pipefail
bitzel=$1
cd "$(dirname "$0")/.."
failed=0
for level in 2.18 2.8; do
  output=$(BITZEL_COMPAT=$level "$bitzel" python tests/corpus/corpus.py --check --level $level --first-lines) || true
  printf '%s\n' "$output" | tail -n 1
  printf '%s\n' "$output" | grep -q '^level .* cases equal' || { echo "the corpus did not run to its end"; exit 1; }
  list=tests/corpus/not-yet-equal-$level.txt
  differ=$(printf '%s\n' "$output" | grep -E '^[a-z_]+: ' | LC_ALL=C sort -u)
  new=$(LC_ALL=C comm -23 <(printf '%s\n' "$differ") <(LC_ALL=C sort -u "$list"))
  LC_ALL=C comm -13 <(printf '%s\n' "$differ") <(LC_ALL=C sort -u "$list") | sed "s/^/equal by now, take it off $(basename "$list"): /"
  if [ -n "$new" ]; then
    printf 'level %s: differs from BitBake and is not listed:\n%s\n' "$level" "$new"
    failed=1
  fi
done
exit $failed
