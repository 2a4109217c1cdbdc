#!/usr/bin/env bash
# Makes sure that what builds and tests need is there: installs it as root on Debian
# and Ubuntu, else says exactly what to install.
set -euo pipefail

needed=(gcc:gcc make:make git:git python3:python3 patch:patch tar:tar zstd:zstd curl:curl)
packages=()
for pair in "${needed[@]}"; do
  command -v "${pair%%:*}" >/dev/null || packages+=("${pair##*:}")
done
locale -a 2>/dev/null | grep -qi '^en_US\.utf-\?8$' || packages+=(locales)

if [ ${#packages[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    apt-get -qq install -y --no-install-recommends "${packages[@]}" >/dev/null
  else
    echo "Please install first: apt-get install ${packages[*]}" >&2
    exit 1
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
