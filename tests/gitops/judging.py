"""Builds the Go program of `judge/` once, outside the repository, and asks it: real kstatus, and Argo CD's own Lua."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

import pytest

from tests.gitops.rows import KubernetesObject

_SOURCES: Final = Path(__file__).parent / "judge"
_BUILD_SECONDS: Final = 1200


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the two make of an object."""

    kstatus: str
    argocd: str
    argocd_message: str


def judge(cases: Sequence[tuple[KubernetesObject, str]]) -> list[Verdict]:
    """The verdicts on objects, each with the health.lua of its kind."""
    given = json.dumps([{"object": found, "health": script} for found, script in cases])
    done = subprocess.run([_program()], input=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [
        Verdict(
            kstatus=each["kstatus"]["status"], argocd=each["argocd"]["status"], argocd_message=each["argocd"]["message"]
        )
        for each in json.loads(done.stdout)
    ]


def _program() -> Path:
    """The built program; skips the test if it cannot be built, or fails it if BATCHACCESS_REQUIRE_TOOLS is 1."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum", "main.go"):
        digest.update((_SOURCES / name).read_bytes())
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "batchaccess" / "gitops"
    program = base / f"judge-{digest.hexdigest()[:12]}"
    if program.is_file():
        return program
    go = shutil.which("go")
    if go is None:
        _missing("Go is not on PATH: install it, and kstatus can be asked")
    base.mkdir(parents=True, exist_ok=True)
    with program.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.is_file():
            _build(go, program)
    return program


def _build(go: str, program: Path) -> None:
    unfinished = program.with_suffix(".unfinished")
    built = subprocess.run(
        [go, "build", "-mod=readonly", "-trimpath", "-ldflags", "-s -w", "-o", str(unfinished), "."],
        cwd=_SOURCES,
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"},
        capture_output=True,
        text=True,
        timeout=_BUILD_SECONDS,
        check=False,
    )
    if built.returncode != 0:
        _missing(f"tests/gitops/judge did not build: {built.stderr}")
    unfinished.rename(program)


def _missing(reason: str) -> NoReturn:
    if os.environ.get("BATCHACCESS_REQUIRE_TOOLS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
