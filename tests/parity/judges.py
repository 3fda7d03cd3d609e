"""The two who accept or refuse an object: the CRD, as an API server applies it, and the models of `batchaccess.api`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from batchaccess import api
from batchaccess.ports import InvalidObject
from kubeemulator.admission import admit

ROOT = Path(__file__).parents[2]
CRDS = ROOT / "crds"

Problems = tuple[tuple[str, str], ...]
"""Field and text of every error; none means accepted."""


@lru_cache
def definitions() -> Mapping[str, dict[str, Any]]:
    """The CRDs by kind."""
    loaded = (yaml.safe_load(path.read_text()) for path in sorted(CRDS.glob("*.yaml")))
    return {crd["spec"]["names"]["kind"]: crd for crd in loaded}


def schema_of(kind: str) -> dict[str, Any]:
    """The schema of a kind's only version."""
    (version,) = definitions()[kind]["spec"]["versions"]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return schema


_PARSERS: dict[str, Callable[[dict[str, Any]], object]] = {
    "BatchAccountConnection": api.parse_connection,
    "BatchPoolAccessPolicy": api.parse_policy,
    "BatchPoolAccess": api.parse_pool_access,
}


def parse(obj: dict[str, Any]) -> object:
    """The object as our models read it: a core value or an InvalidObject."""
    return _PARSERS[obj["kind"]](obj)


@dataclass(frozen=True)
class Verdicts:
    """What the two say of one object."""

    stored: dict[str, Any]
    by_definition: Problems
    by_model: Problems


def judge(obj: dict[str, Any]) -> Verdicts:
    """Both verdicts."""
    stored, errors = admit(definitions()[obj["kind"]], obj)
    parsed = parse(obj)
    return Verdicts(
        stored=stored,
        by_definition=tuple((error.field, error.message) for error in errors),
        by_model=parsed.problems if isinstance(parsed, InvalidObject) else (),
    )
