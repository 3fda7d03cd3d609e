"""The operator's HTTP server: metrics and probes on the event loop of the operator; the status page adds routes."""

from collections.abc import Callable, Sequence
from http import HTTPStatus

from aiohttp import web

from batchaccess.telemetry.exposition import CONTENT_TYPE
from batchaccess.telemetry.metrics import Metrics

Probe = Callable[[], Sequence[str]]
"""Answers with the problems found, one sentence each; none means healthy. Called on the event loop: must be quick."""

OK = "ok"


class TelemetryServer:
    """Serves `/metrics`, `/healthz` and `/readyz`.

    `/healthz` answers 500 with the problems as text, so that `kubectl describe pod` shows why a pod was restarted;
    `/readyz` answers 503. Further routes are added to `application` before `start`.
    """

    def __init__(
        self, metrics: Metrics, *, liveness: Probe, readiness: Probe, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._metrics = metrics
        self._liveness = liveness
        self._readiness = readiness
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None
        self.application = web.Application()
        self.application.add_routes(
            [
                web.get("/metrics", self._serve_metrics),
                web.get("/healthz", self._serve_liveness),
                web.get("/readyz", self._serve_readiness),
            ]
        )

    @property
    def port(self) -> int:
        """The port in use, chosen by the system where 0 was asked for; known once started."""
        return self._port

    @property
    def url(self) -> str:
        """Base address for people on this machine; known once started."""
        host = "127.0.0.1" if self._host in {"0.0.0.0", "::", ""} else self._host  # noqa: S104 compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}"

    async def start(self) -> None:
        """Bind and serve.

        Raises:
            OSError: the address is taken or not ours.
        """
        self._runner = web.AppRunner(self.application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop serving; harmless if never started."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve_metrics(self, _: web.Request) -> web.Response:
        response = web.Response(body=self._metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})
        response.enable_compression()
        return response

    async def _serve_liveness(self, _: web.Request) -> web.Response:
        return _answer(self._liveness(), HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _serve_readiness(self, _: web.Request) -> web.Response:
        return _answer(self._readiness(), HTTPStatus.SERVICE_UNAVAILABLE)


def _answer(problems: Sequence[str], failure: HTTPStatus) -> web.Response:
    status = failure if problems else HTTPStatus.OK
    lines = problems or [OK]
    return web.Response(text="".join(f"{line}\n" for line in lines), status=status)
