#!/usr/bin/env bash
# against-bitbake.sh BITZEL RECIPE.bb [RUNS]: measures bitzel and BitBake in turn on the build
# directory it is run in, with the real bitbake in PATH, and prints medians as a table.
# `bitbake -g` writes its files there. RECIPE.bb and conf/local.conf get a comment while that is measured; recipe caches are removed.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
bitzel=$(realpath "$1"); recipe=$(realpath "$2"); runs=${3:-3}
here=$(dirname "$(realpath "$0")")
[ -f conf/bblayers.conf ] || { echo "$PWD is no build directory" >&2; exit 1; }
command -v bitbake >/dev/null || { echo "no bitbake in PATH" >&2; exit 1; }
pn=$(basename "$recipe" .bb); pn=${pn%%_*}
scratch=$(mktemp -d)
restore() {
  cp -p "$scratch/recipe" "$recipe"; cp -p "$scratch/local.conf" conf/local.conf
  rm -rf "$scratch"
}
cp -p "$recipe" "$scratch/recipe"; cp -p conf/local.conf "$scratch/local.conf"
trap restore EXIT
export BB_SERVER_TIMEOUT=0
value() { "$bitzel" getvar --value "$1"; }
cache=$(value CACHE); persistent=$(value PERSISTENT_DIR)

nothing() { :; }
no_caches() {
  rm -rf "$cache" "$persistent"/bb_codeparser.dat* "$persistent"/local_file_checksum_cache.dat*
  rm -f cache/bitzel-recipes.cache
}
edit_recipe() { echo "# $RANDOM" >> "$recipe"; }
edit_conf() { echo "# $RANDOM" >> conf/local.conf; }

# measured TOOL BEFORE ARGUMENTS...: one line "cpu wall peak"
measured() {
  local tool=$1 before=$2; shift 2
  "$before"
  if [ "$tool" = bitzel ]; then set -- "$bitzel" bitbake "$@"; else set -- bitbake "$@"; fi
  python3 "$here/measure.py" "$@" 2>"$scratch/log" || { cat "$scratch/log" >&2; return 1; }
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

row() {
  local name=$1 before=$2 tool column; shift 2
  # The first run of each is for the caches only.
  for tool in bitbake bitzel; do measured "$tool" nothing "$@" >/dev/null; : > "$scratch/$tool"; done
  for ((run = 0; run < runs; run++)); do
    for tool in bitbake bitzel; do measured "$tool" "$before" "$@" >> "$scratch/$tool"; done
  done
  printf '%-22s' "$name"
  for column in 1 2 3; do
    for tool in bitbake bitzel; do
      printf ' %12s' "$(cut -d' ' -f$column "$scratch/$tool" | median)"
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
