"""The files a server with TLS needs."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """A certificate and its key, and the authority that clients must trust, if we made it."""

    certificate: Path
    key: Path
    authority: Path | None = None

    def server_context(self) -> ssl.SSLContext:
        """The TLS context of a server with these files."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context
