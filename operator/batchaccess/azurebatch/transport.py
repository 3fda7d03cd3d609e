"""HTTP sessions for the Azure SDK: one trust store, proxies from the environment, no cookies."""

import ssl
from functools import lru_cache
from pathlib import Path

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport


class TrustingTransport(AioHttpTransport):  # type: ignore[misc] # exported by a module __getattr__, so Any to mypy
    """A transport that trusts `ca_file` besides the system, over one session opened with the first request.

    Handing the SDK a `connection_verify` path instead would trust that file alone, and build a TLS context for every
    request, and with it a new connection each time.
    """

    def __init__(self, ca_file: str | None, *, use_proxies: bool = True) -> None:
        """Load the trust store.

        Raises:
            OSError: `ca_file` cannot be read or holds no certificate.
        """
        super().__init__(session_owner=True)
        self._trust = True if ca_file is None else _context(ca_file, Path(ca_file).stat().st_mtime_ns)
        self._use_proxies = use_proxies
        self._was_opened = False

    async def open(self) -> None:
        """Open the session; a transport that was closed stays closed, as the SDK has it."""
        if not self._was_opened:
            self._was_opened = True
            self.session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._trust),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=self._use_proxies,
            )
        await super().open()


@lru_cache(maxsize=4)
def _context(ca_file: str, _modified_ns: int) -> ssl.SSLContext:
    """System trust plus `ca_file`; shared by all accounts because each context holds the whole trust store."""
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=ca_file)
    return context
