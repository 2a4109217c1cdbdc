#!/bin/sh
# setup.sh DIR: makes DIR a build directory of the demo. Settings that are already there stay.
set -e
[ -n "$1" ] || { echo "usage: $0 DIR" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/conf"
cat > "$1/conf/bblayers.conf" <<END
# Written by setup.sh
BBPATH = "\${TOPDIR}"
BBFILES ?= ""
BBLAYERS = "$here/meta-demo $here/meta-german"
END
[ -e "$1/conf/local.conf" ] || cat > "$1/conf/local.conf" <<END
# Your settings. Try MACHINE = "tower", or IMAGE_FSTYPES:append = " tar.gz".
MACHINE ?= "pocket"
END
echo "$1 is ready: cd there and build \`demo-image\`"
