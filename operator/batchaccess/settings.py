"""What an operator is started with; read from flags and environment by `cli.run`, never changed afterwards."""

import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from batchaccess.telemetry.logs import LogFormat

DEFAULT_NAMESPACE: Final = "batchaccess"
"""Namespace of `deploy/kustomize/base`."""


class LogLevel(StrEnum):
    """Lowest level of the log lines that are shown."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def number(self) -> int:
        """The level in the terms of the standard library."""
        return logging.getLevelNamesMapping()[self.value.upper()]


class Settings(BaseModel):
    """Settings of one operator process. None of them is secret."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kubeconfig: Path | None = None
    """Which cluster; absent means the one we run in, or else the default kubeconfig."""

    namespace: str = Field(default=DEFAULT_NAMESPACE, min_length=1, max_length=63)
    """The operator's own namespace: the only one whose Secrets it reads."""

    telemetry_host: str = "127.0.0.1"
    """Where `/metrics`, `/healthz` and `/readyz` listen."""

    telemetry_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Their port; 0 picks a free one, which the log names."""

    status_page: bool = False
    """Whether the same port shows the status page at `/`; it asks nobody who they are."""

    allow_endpoint_suffixes: tuple[str, ...] = ()
    """Host suffixes that account endpoints may end in besides those of Azure."""

    ca_file: Path | None = None
    """Certificate authorities trusted besides the system's, for Batch and token endpoints."""

    leader_elect: bool = False
    """Whether several replicas agree by a Lease on the one that works; without it this operator always works."""

    resync_seconds: Annotated[float, Field(gt=0)] = 600
    """Seconds, give or take a tenth, between two whole readings of the Kubernetes API beside the watches."""

    log_format: LogFormat = LogFormat.JSON
    """How log lines look."""

    log_level: LogLevel = LogLevel.INFO
    """Lowest level of our own log lines."""
