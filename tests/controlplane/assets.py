"""Finds the programs of a control plane as envtest does, or builds them once and keeps them outside the repository.

Order: KUBEBUILDER_ASSETS (one folder, which then is the only release), the cache, a build with Go.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.controlplane.releases import API_SERVER, CONTROLLERS, ETCD, KUBECTL, LINKER_FLAGS, NEWEST, OLDEST, Release

_BUILD_SECONDS: Final = 3600
_NICE: Final = ("nice", "-n", "15")

Tell = Callable[[str], None]


class NoControlPlaneError(Exception):
    """There is no control plane and none can be built; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assets:
    """The programs of one control plane.

    Attributes:
        label: what a report calls this control plane; the version that was built, or where it was found.
        controllers: kube-controller-manager, where there is one: without it nothing is garbage collected.
    """

    label: str
    etcd: Path
    api_server: Path
    kubectl: Path
    controllers: Path | None


def all_assets(tell: Tell) -> list[Assets]:
    """One control plane per release, built where that is needed.

    Raises:
        NoControlPlaneError: none was found and none can be built.
    """
    given = os.environ.get("KUBEBUILDER_ASSETS")
    if given:
        return [_given(Path(given))]
    newest = _built(NEWEST, tell)
    oldest = _built(OLDEST, tell)
    return [_assets(OLDEST, oldest, newest), _assets(NEWEST, newest, newest)]


def _given(folder: Path) -> Assets:
    """As `setup-envtest use -p path` leaves it."""
    missing = [each.name for each in (ETCD, API_SERVER) if not (folder / each.name).is_file()]
    if missing:
        raise NoControlPlaneError(f"KUBEBUILDER_ASSETS is {folder}, which lacks {' and '.join(missing)}")
    kubectl = folder / KUBECTL.name
    if not kubectl.is_file():
        found = shutil.which(KUBECTL.name)
        if found is None:
            raise NoControlPlaneError(f"there is no kubectl in {folder} nor on PATH; install one")
        kubectl = Path(found)
    controllers = folder / CONTROLLERS.name
    return Assets(
        label=f"KUBEBUILDER_ASSETS={folder}",
        etcd=folder / ETCD.name,
        api_server=folder / API_SERVER.name,
        kubectl=kubectl,
        controllers=controllers if controllers.is_file() else None,
    )


def _assets(release: Release, folder: Path, newest: Path) -> Assets:
    controllers = folder / CONTROLLERS.name
    return Assets(
        label=release.version,
        etcd=newest / ETCD.name,
        api_server=folder / API_SERVER.name,
        kubectl=newest / KUBECTL.name,
        controllers=controllers if controllers.is_file() else None,
    )


def cache() -> Path:
    """Where built programs are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "batchaccess" / "controlplane"


def _built(release: Release, tell: Tell) -> Path:
    """The folder with the programs of a release; complete, because it gets its name only when it is."""
    folder = cache() / f"{release.version}-{release.digest}"
    if folder.is_dir():
        return folder
    go = shutil.which("go")
    if go is None:
        raise NoControlPlaneError("Go is not on PATH, so no control plane can be built")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.with_name(f"{folder.name}.lock")):
        if not folder.is_dir():
            _build(release, go, folder, tell)
    return folder


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _build(release: Release, go: str, folder: Path, tell: Tell) -> None:
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for program in release.programs:
        tell(f"building {program.name} of {release.version}; this happens once")
        started = time.monotonic()
        _go_build(release, go, program.package, unfinished / program.name)
        tell(f"built {program.name} in {time.monotonic() - started:.0f} s")
    unfinished.rename(folder)


def _go_build(release: Release, go: str, package: str, target: Path) -> None:
    major, minor, _ = release.version.split(".")
    stamp = "k8s.io/component-base/version"
    flags = [
        LINKER_FLAGS,
        f"-X {stamp}.gitVersion=v{release.version}",
        f"-X {stamp}.gitMajor={major}",
        f"-X {stamp}.gitMinor={minor}",
    ]
    command = [go, "build", "-mod=readonly", "-trimpath", "-ldflags", " ".join(flags), "-o", str(target), package]
    built = subprocess.run(
        [*(_NICE if shutil.which("nice") else ()), *command],
        cwd=release.module,
        env={**os.environ, "CGO_ENABLED": "0", "GOOS": "linux", "GOFLAGS": "-buildvcs=false"},
        stdout=sys.stderr,
        timeout=_BUILD_SECONDS,
        check=False,
    )
    if built.returncode != 0:
        raise NoControlPlaneError(f"{package} of {release.version} did not build; go told why above")
