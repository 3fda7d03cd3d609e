#!/bin/sh
# Install what the browser checks need into a cache outside the repository and print the path of its node_modules.
#
# Idempotent: the name of the cache holds the digest of the lock file, and it counts as installed only once its stamp is
# written. Chromium itself is Debian's; nothing is downloaded but the two locked packages.
set -eu

HERE="$(cd "$(dirname "$0")" && pwd)"
"$HERE/../../scripts/install-debian.sh" chromium chromium >&2
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/batchaccess"
TARGET="$CACHE/browser-$(sha256sum "$HERE/package-lock.json" | cut -c1-12)"
STAMP="$TARGET/.installed"

mkdir -p "$CACHE"
exec 9>"$TARGET.lock"
flock 9

if [ ! -e "$STAMP" ]; then
    rm -rf "$TARGET"
    mkdir -p "$TARGET"
    cp "$HERE/package.json" "$HERE/package-lock.json" "$TARGET/"
    (cd "$TARGET" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
    : >"$STAMP"
fi

echo "$TARGET/node_modules"
