#!/usr/bin/env bash
# builds-against-bitbake.sh BITZEL TARGET..: builds TARGETs from nothing with BitBake and with bitzel, in turn, in
# the build directory it is run in, with the real bitbake in PATH; then again with nothing to do, and once more
# from the sstate cache alone. Prints wall and CPU seconds of each. TMPDIR and SSTATE_DIR are REMOVED before runs:
# use a build directory made for this. RUNS=3 repeats, medians are shown.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
bitzel=$(realpath "$1"); shift
targets=("$@"); runs=${RUNS:-1}
. "$(dirname "$(realpath "$0")")/common.sh"
trap 'rm -rf "$scratch"' EXIT
tmp=$(value TMPDIR); sstate=$(value SSTATE_DIR)
case "$tmp:$sstate" in "$PWD"/*:"$PWD"/*) ;; *) echo "TMPDIR and SSTATE_DIR must lie below $PWD" >&2; exit 1;; esac

from_nothing() { rm -rf "$tmp" "$sstate"; }
from_sstate() { rm -rf "$tmp"; }

# Recipe caches are warm in all of them: what is measured is building.
for tool in bitbake bitzel; do measured "$tool" -p >/dev/null; done
for ((run = 0; run < runs; run++)); do
  for tool in bitbake bitzel; do
    from_nothing; measured "$tool" "${targets[@]}" >> "$scratch/$tool.nothing"
    measured "$tool" "${targets[@]}" >> "$scratch/$tool.again"
    from_sstate; measured "$tool" "${targets[@]}" >> "$scratch/$tool.sstate"
  done
done
printf '%-22s %12s %12s %8s %12s %12s %8s\n' "median of $runs" 'CPU bitbake' bitzel '%' 'wall bitbake' bitzel '%'
for row in nothing again sstate; do
  printf '%-22s' "$row"
  for column in 1 2; do
    theirs=$(median "$scratch/bitbake.$row" $column); ours=$(median "$scratch/bitzel.$row" $column)
    printf ' %12s %12s %8s' "$theirs" "$ours" "$(awk -v a="$ours" -v b="$theirs" 'BEGIN { printf "%.0f", 100 * a / b }')"
  done
  echo
done
