#!/usr/bin/env bash
# setup.sh [servers]: makes sure that what builds need is there, with `servers` also what the
# fetcher's tests start on loopback and unpack with. Installs it as root on Debian and Ubuntu, else
# says exactly what to install; servers that cannot be installed are left out by the tests, which say so.
set -euo pipefail

needed=(gcc:gcc make:make git:git python3:python3 patch:patch tar:tar zstd:zstd curl:curl)
packages=() wanted=()
for pair in "${needed[@]}"; do
  command -v "${pair%%:*}" >/dev/null || packages+=("${pair##*:}")
done
if [ "${1:-}" = servers ]; then
  PATH=$PATH:/usr/sbin
  for pair in nginx:nginx openssl:openssl svn:subversion hg:mercurial sshd:openssh-server sftp:openssh-client wget:wget \
      git-lfs:git-lfs unzip:unzip 7za:p7zip-full lzip:lzip bzip2:bzip2 xz:xz-utils cpio:cpio rpm2cpio:rpm2cpio \
      compress:ncompress ar:binutils; do
    command -v "${pair%%:*}" >/dev/null || wanted+=("${pair##*:}")
  done
fi
locale -a 2>/dev/null | grep -qi '^en_US\.utf-\?8$' || packages+=(locales)

if [ ${#packages[@]} -gt 0 ] || [ ${#wanted[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    # No service is to start: the tests start their own.
    export RUNLEVEL=1
    install() { apt-get -qq update && apt-get -qq install -y --no-install-recommends "$@" >/dev/null; }
    [ ${#packages[@]} -eq 0 ] || install "${packages[@]}"
    [ ${#wanted[@]} -eq 0 ] || install "${wanted[@]}" ||
      echo "Not installed, tests that need them are left out: ${wanted[*]}" >&2
  elif [ ${#packages[@]} -gt 0 ]; then
    echo "Please install first: apt-get install ${packages[*]}" >&2
    exit 1
  else
    echo "Tests that need them are left out, to run them: apt-get install ${wanted[*]}" >&2
  fi
fi

if ! locale -a 2>/dev/null | grep -qi '^en_US\.utf-\?8$'; then
  if [ "$(id -u)" = 0 ] && command -v locale-gen >/dev/null; then
    grep -qx 'en_US.UTF-8 UTF-8' /etc/locale.gen || echo 'en_US.UTF-8 UTF-8' >> /etc/locale.gen
    locale-gen >/dev/null
  else
    echo "Please make the locale en_US.UTF-8: dpkg-reconfigure locales" >&2
    exit 1
  fi
fi

if ! command -v "${CARGO:-cargo}" >/dev/null; then
  echo "Please install Rust 1.92 or newer: https://rustup.rs" >&2
  exit 1
fi
