#!/bin/sh
# check.sh [--record] LEVEL COMMAND..: builds the image in a new folder with COMMAND (a bitbake, of LEVEL 2.8 or
# 2.18) and compares what came out with expected/, which was recorded from BitBake. Exits 1 on a difference.
set -e
record=
[ "$1" = --record ] && { record=yes; shift; }
[ $# -ge 2 ] || { echo "usage: $0 [--record] 2.8|2.18 COMMAND.." >&2; exit 2; }
level=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/setup.sh" "$work/build" > /dev/null
cd "$work/build"
BB_SERVER_TIMEOUT=0 "$@" demo-image > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }

# Rights, owner and name; sizes are the compiler's business.
tar --numeric-owner -tvf tmp/deploy/images/demo-image-pocket.tar | awk '{ print $1, $2, $6 }' > "$work/image.txt"
# RECIPE/VERSION.TASK.HASH: the hash says that every input was seen as BitBake sees it.
(cd tmp/stamps && find . -type f ! -name '*.sig*data.*' | sed 's,^\./,,' | LC_ALL=C sort) > "$work/stamps-$level.txt"
mkdir rootfs
tar -C rootfs -xf tmp/deploy/images/demo-image-pocket.tar
rootfs/usr/bin/hello rootfs/etc/hello.conf > "$work/hello.txt"

status=0
for name in image.txt "stamps-$level.txt" hello.txt; do
    if [ -n "$record" ]; then
        cp "$work/$name" "$here/expected/$name"
    else
        diff -u "$here/expected/$name" "$work/$name" || status=1
    fi
done
exit $status
