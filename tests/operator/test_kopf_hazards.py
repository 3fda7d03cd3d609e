"""The ways in which kopf is known to let an operator down, each shown to happen without our remedy.

Every test is parametrised over the remedy: with it the operator goes on, without it the harm is there to see.
"""

import asyncio
import gc
import getpass
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, TypeAlias

import kopf
import pytest

from batchaccess import handlers
from batchaccess.api import parse_connection, parse_policy
from batchaccess.clock import SystemClock
from batchaccess.control.accountloop import LoopCallbacks, LoopRhythm
from batchaccess.control.hub import Hub
from batchaccess.control.supervisor import Supervisor
from batchaccess.kube import missedchanges
from batchaccess.kube.catalogue import Decoders, LiveCatalogue
from batchaccess.kube.client import KubeClient
from batchaccess.kube.missedchanges import MissedChanges
from batchaccess.kube.resources import CONNECTIONS, GROUP, POLICIES, VERSION, WATCHED, Resource
from batchaccess.kube.resync import ResyncLoop, resync
from batchaccess.kube.statuswriter import StatusWriter
from batchaccess.telemetry.liveness import SweepDeadlines
from batchaccess.telemetry.metrics import Metrics
from tests.support.kube import CONNECTION_PATH, Cluster, cluster, connection_manifest, policy_manifest, policy_path
from tests.support.sweeps import FakeStore, WithoutSagas
from tests.support.waiting import eventually

pytestmark = pytest.mark.filterwarnings("ignore:Unclosed:ResourceWarning")
"""Where kopf ends by itself it leaves its HTTP session to the garbage collector."""

QUICK = (0.05, 0.1)

Ticks: TypeAlias = AsyncIterator[Callable[[], int]]
"""How often something was done so far."""

Stop: TypeAlias = Callable[[], Awaitable[None]]


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """What kopf leaves behind goes in the test that left it, not in whichever comes next."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("hazards")) as made:
        yield made


@pytest.fixture
def kube(shared: Cluster) -> Iterator[Cluster]:
    shared.apply(connection_manifest())
    yield shared
    shared.heal()
    shared.call("DELETE", CONNECTION_PATH)
    shared.call("DELETE", policy_path("").rstrip("/"))


@pytest.fixture
async def client(kube: Cluster) -> AsyncIterator[KubeClient]:
    made = await KubeClient.connect(kube.kubeconfig)
    yield made
    await made.close()


@pytest.fixture
def live() -> LiveCatalogue:
    return LiveCatalogue(Decoders(connection=parse_connection, policy=parse_policy))


def into_catalogue(live: LiveCatalogue, missed: MissedChanges | None = None) -> Hub:
    """Feeds the watches straight into a catalogue."""
    return Hub(live, Metrics(SystemClock()), missed or MissedChanges(SystemClock(), lambda *_: None))


def watches(
    client: KubeClient,
    live: LiveCatalogue,
    *,
    backoffs: Iterable[float],
    inactivity: float | None = None,
    missed: MissedChanges | None = None,
) -> handlers.Watches:
    registry, settings = kopf.OperatorRegistry(), handlers.settings()
    settings.networking.error_backoffs = backoffs
    if inactivity is not None:
        settings.watching.inactivity_timeout = inactivity
    handlers.register(registry, into_catalogue(live, missed), client.access)
    return handlers.Watches(registry, settings)


@asynccontextmanager
async def watching(watched: handlers.Watches) -> AsyncIterator[asyncio.Task[str]]:
    await watched.start()
    ended = asyncio.create_task(watched.ended())
    try:
        yield ended
    finally:
        ended.cancel()
        await watched.stop()


def names(live: LiveCatalogue) -> list[str]:
    return [policy.key.name for policy in live.catalogue().policies]


# --- 1. A timer dies silently, and for good, with the first status that is refused ---------------------------------


@asynccontextmanager
async def our_loop(_: Cluster, client: KubeClient, live: LiveCatalogue) -> Ticks:
    await resync(client, live)
    (declared,) = live.catalogue().connections
    writer = StatusWriter(client, live, lambda *_: None)
    passes = 0

    class WritingSweep(WithoutSagas):
        async def run_once(self, _: object) -> None:
            nonlocal passes
            passes += 1
            await writer.write(
                CONNECTIONS, namespace=None, name="prod-weu", uid=declared.uid, status={"pools": {"total": passes}}
            )

        def wind_down(self) -> None:
            return

        async def close(self) -> None:
            return

    supervisor = Supervisor(
        factory=lambda *_: WritingSweep(),
        store=FakeStore([replace(declared, sync_period_seconds=0)]),
        clock=SystemClock(),
        deadlines=SweepDeadlines(SystemClock()),
        callbacks=LoopCallbacks(swept=lambda *_: None, failed=lambda *_: None),
        begun=lambda _: None,
        ended=lambda _: None,
        rhythm=LoopRhythm(min_pause_seconds=0.1, grace_seconds=2),
    )
    supervisor.reconcile()
    yield lambda: passes
    await supervisor.stop()


@asynccontextmanager
async def timer_of_kopf(kube: Cluster, client: KubeClient, live: LiveCatalogue) -> Ticks:
    registry, settings = kopf.OperatorRegistry(), handlers.settings()
    settings.networking.error_backoffs = QUICK
    handlers.register(registry, into_catalogue(live), client.access)
    ticks = 0

    @kopf.timer(GROUP, VERSION, CONNECTIONS.plural, interval=0.1, registry=registry)
    def tick(patch: kopf.Patch, **_: Any) -> None:  # noqa: ANN401 kopf passes whatever it likes
        nonlocal ticks
        ticks += 1
        patch.status["pools"] = {"total": ticks}

    watched = handlers.Watches(registry, settings)
    try:
        async with watching(watched):
            yield lambda: ticks
    finally:
        metadata = {"metadata": {"finalizers": None}}
        kube.call("PATCH", f"{CONNECTION_PATH}/prod-weu", metadata, patch=True)


@pytest.mark.parametrize(
    ("trouble", "count"),
    [
        pytest.param({"status": 422}, 1, id="a status is refused once"),
        pytest.param({"status": 500}, 6, id="the API fails for a while"),
    ],
)
@pytest.mark.parametrize(
    ("loop", "goes_on"),
    [
        pytest.param(our_loop, True, id="our loop goes on"),
        pytest.param(timer_of_kopf, False, id="a timer of kopf is dead"),
    ],
)
async def test_trouble_with_a_status(
    kube: Cluster,
    client: KubeClient,
    live: LiveCatalogue,
    *,
    loop: Callable[[Cluster, KubeClient, LiveCatalogue], AbstractAsyncContextManager[Callable[[], int]]],
    goes_on: bool,
    trouble: dict[str, int],
    count: int,
) -> None:
    async with loop(kube, client, live) as ticks:
        await eventually(lambda: ticks() >= 2)
        kube.fault(method="PATCH", path="batchaccountconnections", count=count, **trouble)
        await asyncio.sleep(1.5)
        kube.heal()
        after_trouble = ticks()
        await asyncio.sleep(1)
        assert (ticks() > after_trouble) is goes_on


# --- 2. An event is dropped ----------------------------------------------------------------------------------------


def silence_watches(kube: Cluster, *, opened: int) -> None:
    """From now on the watches are open and silent, as behind a load balancer that lost them; so many new ones too."""
    kube.fault(path="watch=true", delay_seconds=120, count=opened)
    kube.cut_watches()


@pytest.mark.parametrize(
    ("period", "found"),
    [
        pytest.param(0.3, True, id="reading everything anew finds it"),
        pytest.param(3600, False, id="without that it is lost"),
    ],
)
async def test_a_change_that_no_watch_delivers(
    kube: Cluster,
    client: KubeClient,
    live: LiveCatalogue,
    monkeypatch: pytest.MonkeyPatch,
    *,
    period: float,
    found: bool,
) -> None:
    monkeypatch.setattr(missedchanges, "GRACE_SECONDS", 1)
    counted: Counter[Resource] = Counter()
    missed = MissedChanges(SystemClock(), lambda resource, number: counted.update({resource: number}))
    await resync(client, live)
    resyncs = asyncio.create_task(ResyncLoop(client, live, missed, period_seconds=period, clock=SystemClock()).run())
    async with watching(watches(client, live, missed=missed, backoffs=handlers.EndlessBackoffs(QUICK))):
        kube.apply(policy_manifest("seen"))
        await eventually(lambda: names(live) == ["seen"], what="the watch")
        # Readings and the watch race for these, and nothing is missed.
        for number in range(30):
            kube.call("PATCH", policy_path("seen"), {"spec": {"priority": number}}, patch=True)
            await asyncio.sleep(0.05)
        silence_watches(kube, opened=100)
        kube.apply(policy_manifest("unseen"))
        kube.call("DELETE", policy_path("seen"))
        with suppress(AssertionError):
            await eventually(lambda: names(live) == ["unseen"], within=3)
        assert (names(live) == ["unseen"]) is found
        if found:
            await eventually(lambda: counted == {POLICIES: 2}, what="what the watch missed")
        assert counted == ({POLICIES: 2} if found else {})
        resyncs.cancel()


@pytest.mark.parametrize(
    ("inactivity", "healed"),
    [
        pytest.param(1, True, id="a watch on which nothing arrives is opened anew"),
        pytest.param(3600, False, id="without that it stays silent"),
    ],
)
async def test_a_watch_that_is_open_and_silent(
    kube: Cluster, client: KubeClient, live: LiveCatalogue, *, inactivity: float, healed: bool
) -> None:
    async with watching(watches(client, live, backoffs=QUICK, inactivity=inactivity)):
        kube.apply(policy_manifest("seen"))
        await eventually(lambda: names(live) == ["seen"], what="the watch")
        silence_watches(kube, opened=len(WATCHED))
        kube.apply(policy_manifest("unseen"))
        with suppress(AssertionError):
            await eventually(lambda: names(live) == ["seen", "unseen"], within=30 if healed else 4)
        assert (names(live) == ["seen", "unseen"]) is healed


# --- 3. The operator exits when a watch fails for longer than the retries ------------------------------------------


@pytest.mark.parametrize("status", [500, 403])
@pytest.mark.parametrize(
    ("backoffs", "survives"),
    [
        pytest.param(handlers.EndlessBackoffs(QUICK), True, id="endless retries outlive it"),
        pytest.param(QUICK, False, id="bounded retries end the operator"),
    ],
)
async def test_a_watch_that_fails_for_long(
    kube: Cluster, client: KubeClient, live: LiveCatalogue, *, status: int, backoffs: Iterable[float], survives: bool
) -> None:
    async with watching(watches(client, live, backoffs=backoffs)) as ended:
        kube.apply(policy_manifest("before"))
        await eventually(lambda: names(live) == ["before"], what="the watch")
        kube.fault(path="watch=true", status=status, count=40)
        kube.cut_watches()
        done, _ = await asyncio.wait({ended}, timeout=2 if survives else 20)
        assert (not done) is survives
        kube.heal()
        if survives:
            kube.apply(policy_manifest("after"))
            await eventually(lambda: names(live) == ["after", "before"], what="the recovered watch")


def test_endless_backoffs_can_be_iterated_again_for_every_request() -> None:
    backoffs = handlers.EndlessBackoffs((1, 2))
    for _ in range(2):
        taken = iter(backoffs)
        assert [next(taken) for _ in range(5)] == [1, 2, 2, 2, 2]


# --- 4. Ending kopf ends everybody else's tasks --------------------------------------------------------------------


@asynccontextmanager
async def embedded_by_us(client: KubeClient, live: LiveCatalogue) -> AsyncIterator[Stop]:
    watched = watches(client, live, backoffs=QUICK)
    await watched.start()
    yield watched.stop


@asynccontextmanager
async def embedded_as_documented(client: KubeClient, live: LiveCatalogue) -> AsyncIterator[Stop]:
    registry, flag, ready = kopf.OperatorRegistry(), asyncio.Event(), asyncio.Event()
    handlers.register(registry, into_catalogue(live), client.access)
    running = asyncio.create_task(
        kopf.operator(
            registry=registry, settings=handlers.settings(), clusterwide=True, stop_flag=flag, ready_flag=ready
        )
    )
    await ready.wait()

    async def stop() -> None:
        flag.set()
        await running

    yield stop


@pytest.mark.parametrize(
    ("embedded", "unharmed"),
    [
        pytest.param(embedded_by_us, True, id="our way leaves them alone"),
        pytest.param(embedded_as_documented, False, id="kopf.operator cancels them"),
    ],
)
async def test_tasks_born_after_kopf_when_kopf_ends(
    client: KubeClient,
    live: LiveCatalogue,
    *,
    embedded: Callable[[KubeClient, LiveCatalogue], AbstractAsyncContextManager[Stop]],
    unharmed: bool,
) -> None:
    async with embedded(client, live) as stop:
        await resync(client, live)
        sweeping = asyncio.create_task(asyncio.sleep(30), name="a sweep in the middle of a write")
        await stop()
        await asyncio.sleep(0)
        assert (not sweeping.done()) is unharmed
        sweeping.cancel()


# --- 5. Idle workers keep those of other objects waiting ------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "all_seen"),
    [
        pytest.param(handlers.settings().queueing.worker_limit, True, id="without a limit all are seen at once"),
        pytest.param(4, False, id="with a limit the next ones wait until the first ones idled out"),
    ],
)
async def test_many_objects_at_once(
    kube: Cluster, client: KubeClient, live: LiveCatalogue, *, limit: int | None, all_seen: bool
) -> None:
    kube.apply(*(policy_manifest(f"p{number}") for number in range(80)))
    registry, settings = kopf.OperatorRegistry(), handlers.settings()
    settings.queueing.worker_limit = limit
    settings.queueing.idle_timeout = 30
    settings.queueing.exit_timeout = 0.1
    handlers.register(registry, into_catalogue(live), client.access)
    async with watching(handlers.Watches(registry, settings)):
        with suppress(AssertionError):
            await eventually(lambda: len(names(live)) == 80, within=15 if all_seen else 2)
        assert (len(names(live)) == 80) is all_seen


# --- 6. A pod's user has no name, and kopf asks for it before it does anything --------------------------------------


async def test_a_user_without_a_name(client: KubeClient, live: LiveCatalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 65532")

    monkeypatch.delenv("POD_ID", raising=False)
    monkeypatch.setattr(getpass, "getuser", nameless)
    with pytest.raises(KeyError):
        await kopf.spawn_tasks(settings=handlers.settings(), clusterwide=True, standalone=True)
    async with watching(watches(client, live, backoffs=QUICK)):
        await eventually(lambda: live.catalogue().connections)


async def test_stopping_is_quick_and_may_be_repeated(client: KubeClient, live: LiveCatalogue) -> None:
    watched = watches(client, live, backoffs=QUICK)
    await watched.start()
    await eventually(lambda: live.catalogue().connections)
    started = asyncio.get_running_loop().time()
    await watched.stop()
    await watched.stop()
    assert asyncio.get_running_loop().time() - started < 5


async def test_nothing_is_written_into_what_is_watched(kube: Cluster, client: KubeClient, live: LiveCatalogue) -> None:
    kube.forget_requests()
    async with watching(watches(client, live, backoffs=QUICK)):
        kube.apply(policy_manifest("plain"))
        await eventually(lambda: names(live) == ["plain"])
        await asyncio.sleep(0.3)
    for path in (policy_path("plain"), f"{CONNECTION_PATH}/prod-weu"):
        metadata = kube.call("GET", path)["metadata"]
        assert "finalizers" not in metadata
        assert set(metadata["annotations"]) == {"kubectl.kubernetes.io/last-applied-configuration"}
    assert {request["method"] for request in kube.requests()} == {"GET"}
