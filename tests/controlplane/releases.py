"""Which Kubernetes releases the operator is proved on, and which programs of each are built.

A release is pinned by the go.mod of its module folder; its go.sum proves what was fetched. The staging repositories of
k8s.io/kubernetes are replaced as in its own go.mod, by the versions published with it.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MODULES: Final = Path(__file__).parent / "modules"
_KUBERNETES: Final = re.compile(r"^(?:require)?\s*k8s\.io/kubernetes v(\S+)$", re.MULTILINE)

LINKER_FLAGS: Final = "-s -w"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program of a control plane, under the name that envtest gives it."""

    name: str
    package: str


ETCD: Final = Program(name="etcd", package="go.etcd.io/etcd/server/v3")
API_SERVER: Final = Program(name="kube-apiserver", package="k8s.io/kubernetes/cmd/kube-apiserver")
CONTROLLERS: Final = Program(name="kube-controller-manager", package="k8s.io/kubernetes/cmd/kube-controller-manager")
KUBECTL: Final = Program(name="kubectl", package="k8s.io/kubernetes/cmd/kubectl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One pinned release and what is built of it."""

    module: Path
    programs: tuple[Program, ...]

    @property
    def version(self) -> str:
        """As in `1.36.3`."""
        found = _KUBERNETES.search((self.module / "go.mod").read_text(encoding="utf-8"))
        assert found is not None, f"{self.module / 'go.mod'} does not require k8s.io/kubernetes"
        return found[1]

    @property
    def digest(self) -> str:
        """Changes with everything that decides what is built."""
        digest = hashlib.sha256(LINKER_FLAGS.encode())
        for name in ("go.mod", "go.sum"):
            digest.update((self.module / name).read_bytes())
        for program in self.programs:
            digest.update(f"{program.name} {program.package}\n".encode())
        return digest.hexdigest()[:12]


NEWEST: Final = Release(module=_MODULES / "v1_36", programs=(ETCD, API_SERVER, CONTROLLERS, KUBECTL))
OLDEST: Final = Release(module=_MODULES / "v1_31", programs=(API_SERVER, CONTROLLERS))
"""The oldest that the operator supports; etcd and kubectl are the newest release's."""
