"""What is held in vain is let go of: nobody waits for ever for the deletion of what no sweep looks after."""

import asyncio
import logging
from typing import Any

import pytest

from batchaccess.api import parse_connection, parse_policy
from batchaccess.control import departures
from batchaccess.control.departures import Departures
from batchaccess.control.duplicates import Assignment, assign
from batchaccess.core.declared import AccountConnection
from batchaccess.core.model import ObjectKey
from batchaccess.core.saga.journal import PolicyVersion
from batchaccess.kube.catalogue import Decoders, LiveCatalogue
from batchaccess.kube.resources import CONNECTIONS, FINALIZER
from batchaccess.sweep.sagabook import SagaRegister
from tests.support.kube import connection_manifest
from tests.support.reports import FakeFinalizers
from tests.support.waiting import eventually

SSH, RDP = ObjectKey(namespace="render", name="ssh"), ObjectKey(namespace="render", name="rdp")


class Held:
    """Connections as Kubernetes has them, and what looks for those held in vain."""

    def __init__(self) -> None:
        self.live = LiveCatalogue(Decoders(connection=parse_connection, policy=parse_policy))
        self.finalizers = FakeFinalizers()
        self.register = SagaRegister()
        self.departures = Departures(self.live, self.finalizers, self.register, self.assignment)

    def assignment(self) -> Assignment:
        return assign(self.live.catalogue().connections)

    def put(self, name: str, *, deleting: bool, **spec: Any) -> None:  # noqa: ANN401 any field of a spec
        manifest = connection_manifest(name, **spec)
        manifest["metadata"] |= {
            "uid": f"uid-{name}",
            "resourceVersion": str(len(self.finalizers.connections) + 1),
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "finalizers": [FINALIZER],
        }
        if deleting:
            manifest["metadata"]["deletionTimestamp"] = "2026-06-01T00:00:00Z"
        self.live.observe(CONNECTIONS, manifest)
        self.finalizers.connections.add(name)


async def test_a_connection_that_no_sweep_looks_after_is_let_go_once_it_is_deleted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    held = Held()
    held.put("invalid", deleting=True, endpoint="no endpoint at all")
    held.put("invalid-and-staying", deleting=False, endpoint="no endpoint at all")
    held.put("swept", deleting=True)
    assert isinstance(held.live.connections()[-1].value, AccountConnection)
    assert set(held.assignment().sweeping) == {"swept"}
    await held.departures.release()
    assert held.finalizers.connections == {"invalid-and-staying", "swept"}
    assert "connection invalid is let go of though no sweep could bring its pools' scale back" in caplog.text


async def test_a_policy_is_let_go_when_all_connections_told_and_none_has_a_saga_of_it() -> None:
    held = Held()
    held.put("one", deleting=False)
    held.put("two", deleting=False)
    held.finalizers.policies = {SSH, RDP}
    held.register.tell("one", {"one.busy": PolicyVersion(key=SSH, uid="uid-ssh", generation=1)})
    await held.departures.release()
    assert held.finalizers.policies == {SSH, RDP}, "connection two may have a saga of either"
    held.register.tell("two", {})
    await held.departures.release()
    assert held.finalizers.policies == {SSH}
    held.register.tell("one", {})
    await held.departures.release()
    assert held.finalizers.policies == set()


async def test_a_failure_does_not_end_the_looking(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(departures, "_PERIOD_SECONDS", 0)
    held = Held()
    held.put("invalid", deleting=True, endpoint="no endpoint at all")
    failures = iter([RuntimeError("boom")])

    async def release(name: str) -> bool:
        for failure in failures:
            raise failure
        held.finalizers.connections.discard(name)
        return True

    monkeypatch.setattr(held.finalizers, "release_connection", release)
    with caplog.at_level(logging.ERROR):
        looking = asyncio.create_task(held.departures.run())
        await eventually(lambda: not held.finalizers.connections)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    assert "boom" in caplog.text
