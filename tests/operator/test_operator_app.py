"""The composed operator in this process, on a real API and with sweeps that a test makes up."""

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from batchaccess.api import REQUESTED_AT
from batchaccess.app import serve
from batchaccess.control.accountloop import Beat, SweepFactory
from batchaccess.control.accounts import AccountParts
from batchaccess.core.declared import AccountConnection
from batchaccess.core.reasons import ConnectionReason
from batchaccess.core.status import PoolCounts
from batchaccess.core.tally import PolicyTally
from batchaccess.kube import missedchanges
from batchaccess.ports import Catalogue
from batchaccess.settings import Settings
from batchaccess.sweep.summary import SweepSummary
from tests.support.kube import CONNECTION_PATH, Cluster, cluster, connection_manifest, policy_manifest, policy_path
from tests.support.sweeps import WithoutSagas
from tests.support.waiting import eventually

CONNECTION = f"{CONNECTION_PATH}/prod-weu"
NEVER = {
    "strategy": "Drain",
    "windows": [{"kind": "Allow", "schedule": "0 2 31 2 *", "durationSeconds": 3600}],
}
"""A remediation that the CRD lets pass and the operator refuses: February has no 31st."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("app")) as made:
        yield made


@pytest.fixture
def kube(shared: Cluster) -> Iterator[Cluster]:
    yield shared
    shared.heal()
    shared.call("DELETE", CONNECTION_PATH)
    shared.call("DELETE", policy_path("").rstrip("/"))


class MadeUpSweep(WithoutSagas):
    """Finds one compliant pool for every policy; waits for its gate before it ends."""

    def __init__(self, app: "App", connection: AccountConnection) -> None:
        self._app = app
        self._name = connection.name

    async def run_once(self, catalogue: Catalogue) -> SweepSummary | None:
        connection = next((each for each in catalogue.connections if each.name == self._name), None)
        self._app.passes.append(self._name)
        await self._app.gate.wait()
        if connection is None:
            return None
        one = PoolCounts(total=1, compliant=1)
        self._app.finished.append(self._name)
        return SweepSummary(
            connection=connection,
            catalogue=catalogue,
            reason=ConnectionReason.CONNECTED,
            message="The account's pools are observed.",
            counts=one,
            tallies={policy.key: PolicyTally(pools=one) for policy in catalogue.policies},
        )

    def wind_down(self) -> None:
        return

    async def close(self) -> None:
        self._app.closed.append(self._name)


class App:
    """The operator as a task. `open_sagas` are those of each policy, by UID, as each of its sweeps was made."""

    def __init__(self, kubeconfig: Path, **settings: Any) -> None:  # noqa: ANN401 fields of Settings
        self.passes: list[str] = []
        self.finished: list[str] = []
        self.closed: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.stop = asyncio.Event()
        self.open_sagas: list[dict[str, int]] = []
        made = Settings(kubeconfig=kubeconfig, telemetry_port=0, **settings)
        self.task = asyncio.create_task(serve(made, stop=self.stop, make_factory=self._factory))

    def _factory(self, parts: AccountParts) -> SweepFactory:
        def make(connection: AccountConnection, _: Beat) -> MadeUpSweep:
            self.open_sagas.append(dict(parts.sagas.register.by_policy()))
            return MadeUpSweep(self, connection)

        return make

    async def end(self) -> int:
        self.gate.set()
        self.stop.set()
        return await asyncio.wait_for(self.task, timeout=30)


@pytest.fixture
async def start(kube: Cluster) -> AsyncIterator[Callable[..., App]]:
    started: list[App] = []

    def make(**settings: Any) -> App:  # noqa: ANN401 fields of Settings
        started.append(App(kube.kubeconfig, **settings))
        return started[-1]

    yield make
    for app in started:
        await app.end()


def condition(status: dict[str, Any], type: str) -> tuple[str, str]:
    found = [each for each in status.get("conditions", []) if each["type"] == type]
    return (found[0]["status"], found[0]["reason"]) if found else ("", "")


def ready(kube: Cluster, path: str) -> tuple[str, str]:
    return condition(kube.status_of(path), "Ready")


async def test_what_is_declared_is_swept_and_reported(kube: Cluster, start: Callable[..., App]) -> None:
    app = start()
    kube.apply(connection_manifest(), policy_manifest())
    await eventually(lambda: ready(kube, CONNECTION) == ("True", "Connected"), what="the status of the connection")
    await eventually(lambda: ready(kube, policy_path("ssh")) == ("True", "Enforced"), what="the status of the policy")
    assert kube.status_of(CONNECTION)["pools"]["total"] == 1
    await eventually(lambda: "PolicyAccepted" in kube.kubectl("describe", "bpap", "ssh"), what="the event")
    assert await app.end() == 0
    assert app.closed == ["prod-weu"]


async def test_a_policy_without_a_target_and_an_invalid_one_say_so_at_once(
    kube: Cluster, start: Callable[..., App]
) -> None:
    app = start()
    kube.apply(policy_manifest("lost", connections={"names": ["nowhere"]}), policy_manifest("never", remediation=NEVER))
    await eventually(lambda: condition(kube.status_of(policy_path("lost")), "Accepted") == ("False", "TargetNotFound"))
    await eventually(lambda: condition(kube.status_of(policy_path("never")), "Accepted") == ("False", "Invalid"))
    assert "spec.remediation.windows[0].schedule" in json.dumps(kube.status_of(policy_path("never")))
    assert app.passes == []


async def test_a_duplicate_connection_says_so_and_takes_over_when_the_other_goes(
    kube: Cluster, start: Callable[..., App]
) -> None:
    app = start()
    kube.apply(connection_manifest())
    await eventually(lambda: ready(kube, CONNECTION) == ("True", "Connected"))
    await asyncio.sleep(1.1)  # creation times have whole seconds
    kube.apply(connection_manifest("a-copy", endpoint="https://prod-weu.westeurope.batch.azure.com:443"))
    copy = f"{CONNECTION_PATH}/a-copy"
    await eventually(lambda: ready(kube, copy) == ("False", "DuplicateEndpoint"))
    assert "a-copy" not in app.passes
    kube.call("DELETE", CONNECTION)
    await eventually(lambda: ready(kube, copy) == ("True", "Connected"))
    assert app.closed == ["prod-weu"]


async def test_a_sweep_can_be_asked_for_on_every_kind_and_the_answer_is_echoed(
    kube: Cluster, start: Callable[..., App]
) -> None:
    app = start()
    kube.apply(connection_manifest(), policy_manifest())
    await eventually(lambda: ready(kube, policy_path("ssh")) == ("True", "Enforced"))
    for kind, name, path in (("bac", "prod-weu", CONNECTION), ("bpap", "ssh", policy_path("ssh"))):
        await asyncio.sleep(1.1)  # the least pause between two sweeps
        before = len(app.passes)
        kube.kubectl("annotate", kind, name, f"batchaccess.dev/requested-at=now-{kind}")
        await eventually(lambda: kube.status_of(path).get("lastHandledRequestedAt") == f"now-{kind}")  # noqa: B023
        assert len(app.passes) > before


async def test_a_tenant_without_a_grant_is_answered_but_has_nothing_swept_or_read(
    kube: Cluster, start: Callable[..., App]
) -> None:
    app = start()
    kube.apply(connection_manifest(grants=[{"namespaces": {"names": ["render"]}}]), policy_manifest())
    path = policy_path("ssh")
    await eventually(lambda: ready(kube, CONNECTION) == ("True", "Connected"))
    await eventually(lambda: condition(kube.status_of(path), "Accepted") == ("False", "NotPermitted"))
    await asyncio.sleep(1.1)  # the least pause between two sweeps
    kube.forget_requests()
    before = len(app.passes)
    for number in range(5):
        kube.call("PATCH", path, {"metadata": {"annotations": {REQUESTED_AT: f"now-{number}"}}}, patch=True)
        await eventually(lambda: kube.status_of(path).get("lastHandledRequestedAt") == f"now-{number}")  # noqa: B023
    kube.call("PATCH", path, {"spec": {"priority": 7}}, patch=True)
    await eventually(lambda: kube.status_of(path)["observedGeneration"] == 2)
    kube.call("DELETE", path)
    await asyncio.sleep(1.5)
    assert len(app.passes) == before
    asked = [request for request in kube.requests() if request["method"] == "GET" and "watch=true" not in str(request)]
    assert asked == [], "nothing is read anew for them either"


async def test_a_status_that_somebody_edits_is_put_right(kube: Cluster, start: Callable[..., App]) -> None:
    start()
    kube.apply(connection_manifest(), policy_manifest())
    await eventually(lambda: ready(kube, policy_path("ssh")) == ("True", "Enforced"))
    kube.call("PATCH", f"{policy_path('ssh')}/status", {"status": {"overridden": 99}}, patch=True)
    await eventually(lambda: kube.status_of(policy_path("ssh"))["overridden"] == 0)


async def test_in_steady_state_nothing_is_written(kube: Cluster, start: Callable[..., App]) -> None:
    app = start()
    kube.apply(connection_manifest(), policy_manifest())
    await eventually(lambda: ready(kube, policy_path("ssh")) == ("True", "Enforced"))
    await asyncio.sleep(0.3)
    kube.forget_requests()
    before = len(app.passes)
    kube.kubectl("label", "bac", "prod-weu", "looked-at=yes")
    await eventually(lambda: len(app.passes) > before)
    await asyncio.sleep(0.3)
    assert [request for request in kube.requests() if request["method"] != "GET"] == []


async def test_a_status_that_was_not_written_is_written_later(kube: Cluster, start: Callable[..., App]) -> None:
    kube.fault(method="PATCH", path="batchpoolaccesspolicies", status=503)
    start()
    kube.apply(policy_manifest("lost", connections={"names": ["nowhere"]}))
    await eventually(lambda: ready(kube, policy_path("lost")) == ("False", "TargetNotFound"), within=15)


async def test_metrics_tell_of_what_is_declared_and_forget_what_is_gone(
    kube: Cluster, start: Callable[..., App], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    start()
    kube.apply(connection_manifest(), policy_manifest(), policy_manifest("never", remediation=NEVER))
    await eventually(lambda: ready(kube, policy_path("ssh")) == ("True", "Enforced"))
    await eventually(lambda: condition(kube.status_of(policy_path("never")), "Accepted") == ("False", "Invalid"))
    url = caplog.text.partition("shows metrics at ")[2].split()[0]

    async def exposition() -> str:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return await response.text()

    shown = await exposition()
    assert re.search(
        r'^batchaccess_connection_condition\{connection="prod-weu",.*reason="Connected"', shown, re.MULTILINE
    )
    assert re.search(r'^batchaccess_policy_condition\{policy="default/ssh",.*reason="Enforced"', shown, re.MULTILINE)
    assert re.search(r'^batchaccess_policy_condition\{policy="default/never",.*reason="Invalid"', shown, re.MULTILINE)
    for gone in (policy_path("ssh"), policy_path("never"), CONNECTION):
        kube.call("DELETE", gone)
    for _ in range(100):
        shown = await exposition()
        if not any(name in shown for name in ("prod-weu", "default/ssh", "default/never")):
            return
        await asyncio.sleep(0.05)
    pytest.fail("series outlived their objects")


async def test_silent_watches_are_told_by_a_metric_and_at_last_by_the_liveness_probe(
    kube: Cluster, start: Callable[..., App], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(missedchanges, "GRACE_SECONDS", 0.5)
    start(resync_seconds=0.2)
    kube.apply(policy_manifest("lost", connections={"names": ["nowhere"]}))
    await eventually(lambda: condition(kube.status_of(policy_path("lost")), "Accepted") == ("False", "TargetNotFound"))
    url = caplog.text.partition("shows metrics at ")[2].split()[0]
    series = 'batchaccess_resync_missed_changes_total{kind="BatchPoolAccessPolicy"}'

    async def edited() -> tuple[int, float]:
        """Have the policy changed; what the probe answers afterwards, and how many changes were missed."""
        spec = {"priority": kube.call("GET", policy_path("lost"))["metadata"]["generation"]}
        kube.call("PATCH", policy_path("lost"), {"spec": spec}, patch=True)
        await asyncio.sleep(0.2)
        async with aiohttp.ClientSession() as session:
            async with session.get(url) as response:
                shown = await response.text()
            async with session.get(url.replace("/metrics", "/healthz")) as response:
                return response.status, float(shown.partition(f"{series} ")[2].split()[0])

    for _ in range(10):
        assert await edited() == (200, 0)
    kube.fault(path="watch=true", delay_seconds=120, count=100)
    kube.cut_watches()
    told = [await edited() for _ in range(20)]
    while told[-1][0] == 200:
        told.append(await edited())
        assert len(told) < 100
    first_missed = next(missed for _, missed in told if missed)
    assert told[-1][1] > first_missed, "one miss is told by the metric only"


async def test_missing_crds_are_waited_for_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with cluster(tmp_path, crds=False) as bare:
        app = App(bare.kubeconfig)
        await eventually(lambda: "does not know BatchAccountConnection: install the CRDs" in caplog.text)
        assert not app.task.done()
        bare.install_crds()
        bare.apply(connection_manifest())
        await eventually(lambda: ready(bare, CONNECTION) == ("True", "Connected"), within=15)
        assert await app.end() == 0


async def test_missing_permission_is_waited_for_and_said(
    kube: Cluster, start: Callable[..., App], caplog: pytest.LogCaptureFixture
) -> None:
    kube.fault(method="GET", path="/namespaces\\?", status=403, message="no")
    start()
    await eventually(lambda: "listing Namespace is forbidden: bind the ClusterRole" in caplog.text)
    kube.apply(connection_manifest())
    await eventually(lambda: ready(kube, CONNECTION) == ("True", "Connected"))


async def test_it_can_be_ended_while_it_waits_for_crds(tmp_path: Path) -> None:
    with cluster(tmp_path, crds=False) as bare:
        app = App(bare.kubeconfig)
        await asyncio.sleep(0.3)
        assert await app.end() == 0


async def test_when_kopf_dies_the_sweeps_finish_first_and_the_operator_ends_with_1(
    kube: Cluster, start: Callable[..., App], caplog: pytest.LogCaptureFixture
) -> None:
    app = start()
    app.gate.clear()
    kube.apply(connection_manifest())
    await eventually(lambda: app.passes == ["prod-weu"])
    # A watch that is answered 400 is not retried by kopf.
    kube.fault(path="watch=true", status=400, count=20)
    kube.cut_watches()
    await eventually(lambda: "the watches ended by themselves" in caplog.text)
    await asyncio.sleep(0.3)
    assert not app.task.done()
    assert app.finished == []
    app.gate.set()
    assert await asyncio.wait_for(app.task, timeout=30) == 1
    assert app.finished == ["prod-weu"]


async def test_a_signal_ends_it_with_0_after_the_sweep(kube: Cluster, start: Callable[..., App]) -> None:
    app = start()
    app.gate.clear()
    kube.apply(connection_manifest())
    await eventually(lambda: app.passes == ["prod-weu"])
    signal.raise_signal(signal.SIGTERM)
    await asyncio.sleep(0.3)
    assert not app.task.done()
    app.gate.set()
    assert await asyncio.wait_for(app.task, timeout=30) == 0
    assert app.finished == ["prod-weu"]
    assert ready(kube, CONNECTION) == ("True", "Connected")


async def test_an_unusable_kubeconfig_ends_it_with_1_and_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = tmp_path / "kubeconfig"
    config.write_text("{}")
    app = App(config)
    assert await asyncio.wait_for(app.task, timeout=10) == 1
    assert "no usable Kubernetes configuration" in caplog.text
