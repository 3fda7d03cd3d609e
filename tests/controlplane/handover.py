"""How the control planes that were found reach pytest: as JSON in an environment variable."""

import json
import os
from pathlib import Path
from typing import Final

from tests.controlplane.assets import Assets

ASSETS_VARIABLE: Final = "BATCHACCESS_CONTROL_PLANES"


def as_json(assets: Assets) -> dict[str, str | None]:
    """What `handed_over` reads."""
    return {
        "label": assets.label,
        "etcd": str(assets.etcd),
        "api_server": str(assets.api_server),
        "kubectl": str(assets.kubectl),
        "controllers": None if assets.controllers is None else str(assets.controllers),
    }


def handed_over() -> list[Assets]:
    """The control planes that `python -m tests.controlplane` found; none if pytest was started otherwise."""
    return [
        Assets(
            label=each["label"],
            etcd=Path(each["etcd"]),
            api_server=Path(each["api_server"]),
            kubectl=Path(each["kubectl"]),
            controllers=None if each["controllers"] is None else Path(each["controllers"]),
        )
        for each in json.loads(os.environ.get(ASSETS_VARIABLE) or "[]")
    ]
