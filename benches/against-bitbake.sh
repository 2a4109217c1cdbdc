#!/usr/bin/env bash
# against-bitbake.sh BITZEL RECIPE.bb [RUNS]: measures bitzel and BitBake in turn on the build
# directory it is run in, with the real bitbake in PATH, and prints medians as a table.
# `bitbake -g` writes its files there. RECIPE.bb and conf/local.conf get a comment while that is
# measured; recipe caches are removed. ROWS='-g*|-S*' measures only rows whose names match.
set -euo pipefail
shopt -s extglob
[ $# -ge 2 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
bitzel=$(realpath "$1"); recipe=$(realpath "$2"); runs=${3:-3}
. "$(dirname "$(realpath "$0")")/common.sh"
pn=$(basename "$recipe" .bb); pn=${pn%%_*}
restore() {
  cp -p "$scratch/recipe" "$recipe"; cp -p "$scratch/local.conf" conf/local.conf
  rm -rf "$scratch"
}
cp -p "$recipe" "$scratch/recipe"; cp -p conf/local.conf "$scratch/local.conf"
trap restore EXIT
cache=$(value CACHE); persistent=$(value PERSISTENT_DIR)

nothing() { :; }
no_caches() {
  rm -rf "$cache" "$persistent"/bb_codeparser.dat* "$persistent"/local_file_checksum_cache.dat*
  rm -f cache/bitzel-recipes.cache
}
edit_recipe() { echo "# $RANDOM" >> "$recipe"; }
edit_conf() { echo "# $RANDOM" >> conf/local.conf; }

row() {
  local name=$1 before=$2 tool column; shift 2
  [[ $name == @(${ROWS:-*}) ]] || return 0
  # The first run of each is for the caches only.
  for tool in bitbake bitzel; do measured "$tool" "$@" >/dev/null; : > "$scratch/$tool"; done
  for ((run = 0; run < runs; run++)); do
    for tool in bitbake bitzel; do "$before"; measured "$tool" "$@" >> "$scratch/$tool"; done
  done
  printf '%-22s' "$name"
  for column in 1 2 3; do
    for tool in bitbake bitzel; do
      printf ' %12s' "$(median "$scratch/$tool" $column)"
    done
  done
  echo
}

printf '%-22s %25s %25s %25s\n' '' 'CPU, s' 'wall, s' 'peak memory, MiB'
printf '%-22s' "median of $runs"; printf ' %12s %12s' bitbake bitzel bitbake bitzel bitbake bitzel; echo
row 'cold -p' no_caches -p
row 'warm -p' nothing -p
row "-p, $pn edited" edit_recipe -p
row '-p, local.conf edited' edit_conf -p
row "-e $pn" nothing -e "$pn"
row '-g core-image-minimal' nothing -g core-image-minimal
row '-S none' nothing -S none core-image-minimal
