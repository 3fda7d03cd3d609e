#!/usr/bin/env bash
# Builds the Dockerfile for real without a Docker engine and without a container registry: Debian's buildah, on a base image of
# the right name made here from Debian's own Python 3.11. Then tests/e2e_image has the operator work in the image's root
# filesystem, as its own user, with that filesystem read-only. Needs root, kubectl and Debian's packages buildah and mmdebstrap
# (installed where missing), and the .venv of `make install`.
set -euo pipefail
cd "$(dirname "$0")/.."
base=docker.io/library/python:3.11-slim
image=localhost/batchaccess:dev
made=dev.batchaccess.stand-in
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs

if ! command -v buildah >/dev/null || ! command -v mmdebstrap >/dev/null; then
  [ "$(id -u)" = 0 ] || { echo "build-image: run as root, or install buildah and mmdebstrap first" >&2; exit 2; }
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends buildah mmdebstrap >/dev/null
fi

command -v kubectl >/dev/null || scripts/install-debian.sh kubectl kubernetes-client
[ -x .venv/bin/pytest ] || { echo "build-image: no .venv here: run 'make image', which makes it" >&2; exit 2; }

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
  buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --label "$made=true" "$container"
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

size=$(du -sm "$root" | cut -f1)
buildah inspect --type image "$image" >"$work/inspected.json"
BATCHACCESS_IMAGE_ROOT=$root BATCHACCESS_IMAGE_INSPECTED=$work/inspected.json .venv/bin/pytest -n 0 tests/e2e_image
of=$base
[ "$(buildah inspect --type image --format "{{index .OCIv1.Config.Labels \"$made\"}}" "$base")" != true ] || of="a stand-in for $base"
echo "build-image: built on $of; the operator worked in it; $size MiB"
