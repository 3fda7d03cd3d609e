#!/bin/sh
# Puts promtool and prometheus, as Debian packages them, on PATH for the tests of deploy/monitoring.
# The package is unpacked, not installed: no service, no user, no configuration.
#
# usage: scripts/install-promtool.sh [DIRECTORY]     default: /usr/local/bin as root, ~/.local/bin otherwise
set -eu

if command -v promtool >/dev/null 2>&1 && command -v prometheus >/dev/null 2>&1; then
    echo "promtool is here: $(command -v promtool)"
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-deb >/dev/null 2>&1; then
    echo "install-promtool: this machine has no apt; install promtool and prometheus 2.42 or later from" \
        "your own distribution and put them on PATH" >&2
    exit 1
fi

if [ "$(id -u)" = 0 ]; then
    default=/usr/local/bin
    apt-get update -qq
else
    default=$HOME/.local/bin
fi
directory=${1:-$default}
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
chmod 755 "$unpacked"

if ! (cd "$unpacked" && apt-get -qq -o APT::Sandbox::User=root download prometheus); then
    echo "install-promtool: apt has no package 'prometheus' at hand; run 'apt-get update' as root once," \
        "then this script again" >&2
    exit 1
fi
dpkg-deb -x "$unpacked"/prometheus_*.deb "$unpacked/tree"
mkdir -p "$directory"
install -m 755 "$unpacked/tree/usr/bin/promtool" "$unpacked/tree/usr/bin/prometheus" "$directory"

"$directory/promtool" --version | head -n 1
case ":$PATH:" in
*":$directory:"*) ;;
*) echo "install-promtool: add $directory to PATH" ;;
esac
