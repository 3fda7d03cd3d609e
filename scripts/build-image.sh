#!/usr/bin/env bash
# Builds the Dockerfile for real without a Docker engine and without a container registry: Debian's buildah, on a base image of
# the right name made here from Debian's own Python 3.11. Then starts the operator from the image's root filesystem as its own
# user with that filesystem read-only. Needs root and Debian's packages buildah and mmdebstrap (installed where missing).
set -euo pipefail
cd "$(dirname "$0")/.."
base=docker.io/library/python:3.11-slim
image=localhost/batchaccess:dev
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs

if ! command -v buildah >/dev/null || ! command -v mmdebstrap >/dev/null; then
  [ "$(id -u)" = 0 ] || { echo "build-image: run as root, or install buildah and mmdebstrap first" >&2; exit 2; }
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends buildah mmdebstrap >/dev/null
fi

work=$(mktemp -d)
mounted=""
finish() {
  [ -z "$mounted" ] || buildah rm "$mounted" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT

if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
  echo "build-image: making a stand-in for $base from Debian's packages"
  mmdebstrap --quiet --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$work/base.tar"
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$work/base.tar" / >/dev/null
  buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  buildah commit --quiet "$container" "$base" >/dev/null
  buildah rm "$container" >/dev/null
fi

# The build fetches packages as this machine does: its certificates and pip settings are lent to the build, not kept in the image.
lend=(--volume /etc/ssl/certs:/etc/ssl/certs:ro)
[ ! -f /etc/pip.conf ] || lend+=(--volume /etc/pip.conf:/etc/pip.conf:ro)

buildah build --quiet --pull-never --layers "${lend[@]}" \
  --build-arg REVISION="$(git rev-parse HEAD 2>/dev/null || echo unknown)" --tag "$image" . >/dev/null
mounted=$(buildah from --pull-never "$image")
root=$(buildah mount "$mounted")

user=$(buildah inspect --type image --format '{{.OCIv1.Config.User}}' "$image")
[ "$user" = "65532:65532" ] || { echo "build-image: the image's user is '$user', not 65532:65532" >&2; exit 1; }
if find "$root/opt/batchaccess" -user 65532 -o -group 65532 | grep -q .; then
  echo "build-image: the image's user owns files of the image" >&2
  exit 1
fi

# Read-only root: a private mount namespace with the root filesystem bound read-only, entered as the image's user.
in_image() {
  unshare --mount --propagation private bash -c '
    set -euo pipefail
    mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"
    shift
    exec chroot --userspec=65532:65532 "$@"' _ "$root" "$root" "$@"
}
in_image /opt/batchaccess/bin/batchaccess --version
in_image /opt/batchaccess/bin/batchaccess run --help >/dev/null
in_image /opt/batchaccess/bin/batchaccess crds >/dev/null
if in_image /usr/bin/env touch /opt/batchaccess/written 2>/dev/null; then
  echo "build-image: the root filesystem was writable" >&2
  exit 1
fi
size=$(du -sm "$root" | cut -f1)
echo "build-image: built, started as $user on a read-only root; $size MiB"
