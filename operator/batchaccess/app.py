"""The composition root: makes the parts of the operator, starts them in order and stops them in the reverse one.

Start: metrics and probes, then one whole reading of the Kubernetes API (waiting for CRDs and permissions if it must),
then the watches, then the sweeps. Stop: the sweeps first, so that a write in flight is finished while everything it
needs is there; the watches after them.
"""

import asyncio
import logging
import secrets
import signal
import socket
import sys
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import kopf

from batchaccess import __version__, handlers
from batchaccess.api import parse_connection, parse_policy, schedule_problems
from batchaccess.api.windows import windows_of
from batchaccess.azurebatch.settings import AdapterSettings
from batchaccess.clock import SystemClock
from batchaccess.control.accountloop import LoopCallbacks, LoopRhythm, SweepFactory
from batchaccess.control.accounts import AccountParts, account_factory
from batchaccess.control.departures import Departures
from batchaccess.control.duty import Duty
from batchaccess.control.hub import Hub, Listeners, counting_missed_changes
from batchaccess.control.leadership import Leadership
from batchaccess.control.readiness import Readiness
from batchaccess.control.statusreports import StatusReports
from batchaccess.control.statusviews import StatusViews
from batchaccess.control.supervisor import Supervisor
from batchaccess.control.terms import Terms
from batchaccess.control.writecounts import counting_events, counting_writes
from batchaccess.core.declared import AccountConnection
from batchaccess.core.model import JsonObject, ObjectKey
from batchaccess.kube.catalogue import Decoders, LiveCatalogue, Policy
from batchaccess.kube.client import KubeClient
from batchaccess.kube.events import EventRecorder
from batchaccess.kube.finalizers import LiveFinalizers
from batchaccess.kube.lease import LeaseObject
from batchaccess.kube.missedchanges import MissedChanges
from batchaccess.kube.poolaccess import PoolAccessObjects
from batchaccess.kube.resync import ResyncLoop
from batchaccess.kube.secrets import SecretReader
from batchaccess.kube.statuswriter import StatusWriter
from batchaccess.ports import InvalidObject, PortError
from batchaccess.settings import Settings
from batchaccess.sweep.acceptances import Acceptances
from batchaccess.sweep.parts import SagaParts
from batchaccess.sweep.sagabook import SagaRegister, opened_in
from batchaccess.sweep.summary import SweepSummary
from batchaccess.telemetry.liveness import SweepDeadlines
from batchaccess.telemetry.logs import configure_logging
from batchaccess.telemetry.metrics import Metrics
from batchaccess.telemetry.server import TelemetryServer
from batchaccess.telemetry.words import SweepResult
from batchaccess.web.live import LiveReadings
from batchaccess.web.readings import Standby
from batchaccess.web.recentevents import RecentEvents
from batchaccess.web.statuspage import StatusPage

_log = logging.getLogger(__name__)

MakeFactory: TypeAlias = Callable[[AccountParts], SweepFactory]


def run(settings: Settings) -> int:
    """Run the operator until a signal ends it; the exit status of the process."""
    configure_logging(settings.log_format, level=settings.log_level.number, stream=sys.stderr)
    return asyncio.run(serve(settings))


async def serve(
    settings: Settings,
    *,
    stop: asyncio.Event | None = None,
    make_factory: MakeFactory = account_factory,
    rhythm: LoopRhythm | None = None,
) -> int:
    """Run the operator until `stop` is set or SIGTERM or SIGINT arrives.

    Args:
        settings: what it is started with.
        stop: ends it as a signal would.
        make_factory: makes the sweeps; tests give their own.
        rhythm: tempo of the sweeps beyond what connections declare.

    Returns:
        0 if it was asked to end, 1 if it cannot go on; the log says why.
    """
    stopping = stop or asyncio.Event()
    _end_on_signals(stopping)
    readiness = Readiness()
    clock = SystemClock()
    metrics, deadlines = Metrics(clock), SweepDeadlines(clock)
    missed = MissedChanges(clock, counting_missed_changes(metrics))

    def liveness() -> list[str]:
        return [*deadlines.problems(), *missed.problems()]

    server = TelemetryServer(
        metrics,
        liveness=liveness,
        readiness=readiness.problems,
        host=settings.telemetry_host,
        port=settings.telemetry_port,
    )
    try:
        client = await KubeClient.connect(settings.kubeconfig)
    except (PortError, OSError) as error:
        _log.error("the operator cannot start: %s", error)
        return 1
    operator = Operator(
        settings,
        client=client,
        metrics=metrics,
        deadlines=deadlines,
        missed=missed,
        readiness=readiness,
        make_factory=make_factory,
        rhythm=rhythm,
    )
    if settings.status_page:
        operator.status_page().add_to(server.application)
    try:
        return await operator.run(stopping) if await _is_serving(server, settings) else 1
    finally:
        await server.stop()
        await client.close()


async def _is_serving(server: TelemetryServer, settings: Settings) -> bool:
    """Start the server; whether that went well. The log says why not, or where it is."""
    try:
        await server.start()
    except OSError as error:
        _log.error("the operator cannot start: %s", error)
        return False
    _log.info("batchaccess %s shows metrics at %s/metrics", __version__, server.url)
    if settings.status_page:
        _log.info("the status page is at %s/", server.url)
    return True


class Operator:
    """The parts of one operator, wired."""

    def __init__(
        self,
        settings: Settings,
        *,
        client: KubeClient,
        metrics: Metrics,
        deadlines: SweepDeadlines,
        missed: MissedChanges,
        readiness: Readiness,
        make_factory: MakeFactory,
        rhythm: LoopRhythm | None = None,
    ) -> None:
        clock, acceptances = SystemClock(), Acceptances()
        self._clock = clock
        count = counting_writes(metrics)
        leadership = _leadership(settings, client, clock)
        leave = None if leadership is None else leadership.leave
        writes = client.under(leave)
        self._readiness = readiness
        self._metrics = metrics
        self._live = LiveCatalogue(Decoders(connection=parse_connection, policy=_parse_policy))
        writer = StatusWriter(writes, self._live, count)
        recorder = RecentEvents(EventRecorder(writes, clock, counting_events(metrics)), clock)
        self._readings = LiveReadings(
            self._live,
            recorder,
            probes=(readiness.problems, deadlines.problems, missed.problems),
            standby=lambda: _standby(settings, leadership),
        )
        sagas = SagaParts(
            finalizers=LiveFinalizers(writes, self._live),
            register=SagaRegister(),
            windows=windows_of,
            new_saga_id=lambda: secrets.token_hex(6),
            handled_request=self._live.handled_request,
        )
        self._register = sagas.register
        self._pool_reports = PoolAccessObjects(writes, self._live, writer, count)
        departures = Departures(self._live, sagas.finalizers, sagas.register, lambda: self._supervisor.assignment)
        self._supervisor = Supervisor(
            factory=make_factory(
                AccountParts(
                    adapter=_adapter_settings(settings),
                    secrets=SecretReader(client, settings.namespace),
                    store=self._live,
                    reports=self._pool_reports,
                    recorder=recorder,
                    metrics=metrics,
                    acceptances=acceptances,
                    sagas=sagas,
                    clock=clock,
                    leave=leave,
                )
            ),
            store=self._live,
            clock=clock,
            deadlines=deadlines,
            callbacks=LoopCallbacks(swept=self._swept, failed=self._sweep_failed),
            begun=self._about_to_be_swept,
            ended=self._no_longer_swept,
            rhythm=rhythm,
        )
        self._reports = StatusReports(
            live=self._live,
            views=StatusViews(acceptances, lambda: self._supervisor.assignment, sagas.register),
            writer=writer,
            recorder=recorder,
            metrics=metrics,
            clock=clock,
        )
        sagas.register.subscribe(self._reports.sagas_changed)
        self._duty = Duty(
            self._supervisor, self._reports, chores={"departures": departures.run}, stood_down=self._stood_down
        )
        self._terms = Terms(leadership, self._duty, tell=metrics.leads)
        self._resyncs = ResyncLoop(client, self._live, missed, period_seconds=settings.resync_seconds, clock=clock)
        registry = kopf.OperatorRegistry()
        self._hub = Hub(self._live, metrics, missed)
        handlers.register(registry, self._hub, client.access)
        self._watches = handlers.Watches(registry, handlers.settings())

    def status_page(self) -> StatusPage:
        """The page that shows what this operator knows."""
        return StatusPage(self._readings, self._clock)

    async def run(self, stopping: asyncio.Event) -> int:
        """Work until `stopping`; the exit status."""
        if not await _done_before(stopping, self._resyncs.first_reading(tell=self._readiness.tell)):
            return 0
        await self._watches.start()
        _end_on_signals(stopping)
        self._hub.connect(
            Listeners(
                connections_changed=self._duty.connections_changed,
                wake=self._duty.wake,
                report=self._duty.report,
                resync=self._resyncs.ask,
            )
        )
        resyncs = asyncio.create_task(self._resyncs.run(), name="resyncs")
        terms = asyncio.create_task(self._terms.run(), name="the operator's work")
        try:
            return await self._until_the_end(stopping, {resyncs, terms})
        finally:
            await self._terms.stop(terms)
            resyncs.cancel()
            await asyncio.wait({resyncs})
            await self._watches.stop()

    async def _until_the_end(self, stopping: asyncio.Event, background: set[asyncio.Task[None]]) -> int:
        """Wait for the wish to end, or for a part that ended by itself: then nobody would notice what it missed."""
        asked = asyncio.create_task(stopping.wait(), name="wish to end")
        watches = asyncio.create_task(self._watches.ended(), name="end of the watches")
        try:
            done, _ = await asyncio.wait({asked, watches, *background}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
            watches.cancel()
        if asked in done:
            _log.info("asked to end: finishing what is being written")
            return 0
        if watches in done:
            _log.error("the watches ended by themselves, so the operator ends too: %s", watches.result())
        for task in done & background:
            _log.error("%s ended, so the operator ends too", task.get_name(), exc_info=task.exception())
        return 1

    def _swept(self, _: AccountConnection, summary: SweepSummary | None) -> None:
        if summary is not None:
            self._reports.swept(summary)

    def _sweep_failed(self, connection: AccountConnection, seconds: float) -> None:
        self._metrics.connection(connection.name).sweep_finished(
            SweepResult.FAILED, seconds=seconds, ended=self._clock.now(), writes=0
        )

    def _about_to_be_swept(self, connection: AccountConnection) -> None:
        """Count the sagas that an earlier process left open before any sweep asks whether one more may begin."""
        if not self._register.knows([connection.name]):
            self._register.tell(connection.name, opened_in(self._pool_reports.existing(connection)))

    def _no_longer_swept(self, connection: str) -> None:
        self._metrics.forget_connection(connection)
        self._register.forget(connection)
        self._reports.forget(connection)

    def _stood_down(self) -> None:
        """Show nothing any more of what only the leader knows."""
        for connection in self._live.connections():
            self._metrics.forget_connection(connection.stored.name)
        for policy in self._live.policies():
            self._metrics.forget_policy(ObjectKey(namespace=policy.stored.namespace or "", name=policy.stored.name))


def _leadership(settings: Settings, client: KubeClient, clock: SystemClock) -> Leadership | None:
    """The candidate that this process is; its identity is new with every start, as that of client-go's candidates."""
    if not settings.leader_elect:
        return None
    identity = f"{socket.gethostname()}_{uuid.uuid4()}"
    # Under a client of its own: no renewal waits in a queue of other requests, which a slow API server makes long.
    return Leadership(LeaseObject(client.under(None), settings.namespace), identity=identity, clock=clock)


def _standby(settings: Settings, leadership: Leadership | None) -> Standby | None:
    """What the status page says while this replica does not lead; its host's name is what a pod is called."""
    if leadership is None or leadership.seconds_left > 0:
        return None
    pod, _, _ = leadership.leader.partition("_")
    port_forward = f"kubectl --namespace {settings.namespace} port-forward pod/{pod} {settings.telemetry_port}"
    return Standby(leader=pod, reach=port_forward)


def _parse_policy(raw: JsonObject) -> Policy:
    """A policy with everything checked that does not need the live pool: what the CRD checks, and schedules."""
    policy = parse_policy(raw)
    if isinstance(policy, InvalidObject):
        return policy
    problems = schedule_problems(policy)
    if problems:
        return InvalidObject(
            uid=policy.uid, generation=policy.generation, problems=problems, requested_at=policy.requested_at
        )
    return policy


def _adapter_settings(settings: Settings) -> AdapterSettings:
    return AdapterSettings(
        allow_endpoint_suffixes=settings.allow_endpoint_suffixes,
        ca_file=None if settings.ca_file is None else str(settings.ca_file),
    )


async def _done_before(stopping: asyncio.Event, work: Awaitable[None]) -> bool:
    """Whether `work` was done before the operator was asked to end; if not it is cancelled."""
    working = asyncio.ensure_future(work)
    asked = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
            return True
        return False
    finally:
        asked.cancel()
        working.cancel()


def _end_on_signals(stopping: asyncio.Event) -> None:
    """Needed again after kopf has started: it puts its own handlers in place."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
