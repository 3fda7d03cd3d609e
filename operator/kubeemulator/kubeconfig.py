"""The kubeconfig with which kubectl and operators find an emulated cluster."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Final

import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from kubeemulator.jsontypes import JsonObject
    from kubeemulator.tls import Certificates

_NAME: Final = "kubeemulator"


def kubeconfig(url: str, token: str, certificates: Certificates | None, *, namespace: str = "default") -> JsonObject:
    """A kubeconfig for the owner of a token.

    Plain http carries no token: kubectl would not send it, and the server lets every caller in.
    """
    cluster: JsonObject = {"server": url}
    user: JsonObject = {}
    if certificates is not None:
        cluster["certificate-authority-data"] = base64.b64encode(certificates.authority).decode()
        user["token"] = token
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _NAME, "cluster": cluster}],
        "users": [{"name": _NAME, "user": user}],
        "contexts": [{"name": _NAME, "context": {"cluster": _NAME, "user": _NAME, "namespace": namespace}}],
        "current-context": _NAME,
    }


def write_kubeconfig(path: Path, config: JsonObject) -> None:
    """Write a kubeconfig that only its owner can read; it is complete as soon as it exists."""
    draft = path.with_name(f".{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        yaml.safe_dump(config, file, sort_keys=False)
    draft.replace(path)
