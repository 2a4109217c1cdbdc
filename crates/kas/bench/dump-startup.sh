#!/bin/sh
# Start-up time: `dump` of a project with five includes and one checked out
# repository, paired runs of several programs.
#
#   bench/dump-startup.sh ROUNDS COMMAND [COMMAND...]
#   bench/dump-startup.sh 20 "target/release/examples/kas" kas
#
# Prints the median and the fastest wall time of each command in milliseconds.
set -eu
rounds=$1
shift
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/project" "$dir/up"
cd "$dir/up"
git init -q -b master
printf 'x\n' > oe-init-build-env
git add -A
git -c user.name=u -c user.email=u@example.com commit -q -m initial
commit=$(git rev-parse HEAD)
cd "$dir/project"
{
    printf 'header:\n  version: 23\n  includes:\n'
    for i in 1 2 3 4 5; do printf '    - inc/%s.yml\n' "$i"; done
    printf 'repos:\n  oe:\n    url: file://%s/up\n    commit: %s\n    layers: {meta: }\n' "$dir" "$commit"
} > k.yml
mkdir inc
for i in 1 2 3 4 5; do
    printf 'header:\n  version: 14\nlocal_conf_header:\n  part%s: |\n    A%s = "%s"\nenv:\n  V%s: "x"\n' $i $i $i $i > inc/$i.yml
done
for command in "$@"; do $command dump k.yml > /dev/null 2>&1; done
round=0
while [ $round -lt "$rounds" ]; do
    n=0
    for command in "$@"; do
        n=$((n + 1))
        before=$(date +%s%N)
        $command dump k.yml > /dev/null 2>&1
        after=$(date +%s%N)
        echo $(((after - before) / 1000)) >> "$dir/times.$n"
    done
    round=$((round + 1))
done
n=0
for command in "$@"; do
    n=$((n + 1))
    sort -n "$dir/times.$n" | awk -v name="$command" '{t[NR] = $1} END {
        printf "%s: median %.1f ms, fastest %.1f ms, %d runs\n", name, t[int((NR + 1) / 2)] / 1000, t[1] / 1000, NR }'
done
