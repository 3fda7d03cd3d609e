#!/usr/bin/env bash
# Usage: install-debian.sh COMMAND PACKAGE. Installs Debian's PACKAGE if COMMAND is not there; starts none of its services.
set -euo pipefail
command -v "$1" >/dev/null && exit 0
[ "$(id -u)" = 0 ] || { echo "$1 is not installed: run 'apt-get install $2' as root, then try again" >&2; exit 2; }
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
command -v "$1" >/dev/null
