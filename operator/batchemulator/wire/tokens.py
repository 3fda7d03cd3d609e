"""Bearer tokens: which ones the emulated accounts accept."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchemulator.wire.messages import JsonObject

BATCH_AUDIENCES = (
    "https://batch.core.windows.net/",
    "https://batch.chinacloudapi.cn/",
    "https://batch.core.usgovcloudapi.net/",
)
"""The audiences of the public, China and US Government clouds; the trailing slash counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPolicy:
    """Which Bearer tokens pass. By default any does, unless it is a JWT for somebody else."""

    accepted: frozenset[str] | None = None
    """The tokens that pass, or None for any."""
    require_audience: bool = True
    """Whether a token that looks like a JWT must name a Batch audience."""

    def objection(self, token: str) -> str | None:
        """Why the token is refused, or None when it passes."""
        if self.accepted is not None and token not in self.accepted:
            return "The specified access token is not one this emulator was told to accept"
        claims = jwt_claims(token)
        if self.require_audience and claims is not None and claims.get("aud") not in BATCH_AUDIENCES:
            return "The specified access token has the wrong audience"
        return None


def jwt_claims(token: str) -> JsonObject | None:
    """The claims of a JWT, its signature unread, or None for a token of another shape."""
    try:
        _header, payload, _signature = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError):
        return None
    return claims if isinstance(claims, dict) else None
