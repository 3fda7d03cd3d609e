#!/bin/sh
# Install the real Azure CLI into a cache outside the repository and print the path of its `az`.
#
# Idempotent: a finished installation is used as it is. A venv cannot be moved once made, so it is built in
# its final place under a lock, and only the stamp written last makes it count as installed; an interrupted
# one is thrown away and made anew.
set -eu

VERSION="${AZ_CLI_VERSION:-2.91.0}"
PYTHON="${PYTHON:-python3.11}"
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/batchaccess"
TARGET="$CACHE/az-cli-$VERSION"
STAMP="$TARGET/.installed"

mkdir -p "$CACHE"
exec 9>"$TARGET.lock"
flock 9

if [ ! -e "$STAMP" ]; then
    echo "installing azure-cli $VERSION into $TARGET (about two minutes, 750 MB)" >&2
    rm -rf "$TARGET"
    "$PYTHON" -m venv "$TARGET" >&2
    "$TARGET/bin/pip" install --quiet --disable-pip-version-check "azure-cli==$VERSION" >&2
    : >"$STAMP"
fi

echo "$TARGET/bin/az"
