"""What the watches deliver reaches whom it concerns; of a policy that is granted nothing only the status does."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from batchaccess.api import parse_connection, parse_policy
from batchaccess.control.hub import Hub, Listeners
from batchaccess.core.pace import Urgency
from batchaccess.kube.catalogue import Decoders, LiveCatalogue, Reading
from batchaccess.kube.missedchanges import MissedChanges
from batchaccess.kube.resources import CONNECTIONS, NAMESPACES, POLICIES, POOL_ACCESSES, Resource
from batchaccess.telemetry.metrics import Metrics
from tests.support.clock import FakeClock
from tests.support.kube import connection_manifest, policy_manifest

BY_NAME = {"namespaces": {"names": ["render"]}, "modes": ["Audit", "Enforce"]}
BY_LABEL = {"namespaces": {"matchLabels": {"team": "film"}}, "modes": ["Audit", "Enforce"]}


@dataclass
class World:
    """A hub, two connections with grants, and what it told since it was last looked at."""

    woken: list[tuple[set[str], Urgency]] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)
    resyncs: list[Urgency] = field(default_factory=list)
    versions: int = 0

    def __post_init__(self) -> None:
        live = LiveCatalogue(Decoders(connection=parse_connection, policy=parse_policy))
        self._hub = Hub(live, Metrics(FakeClock()), MissedChanges(FakeClock(), lambda *_: None))
        self._hub.connect(
            Listeners(
                connections_changed=lambda: None,
                wake=self._wake,
                report=self._report,
                resync=self.resyncs.append,
            )
        )

    def _wake(self, connections: Iterable[str], urgency: Urgency) -> None:
        if names := set(connections):
            self.woken.append((names, urgency))

    def _report(self, reading: Reading) -> None:
        entry = reading.change.after or reading.change.before
        assert entry is not None
        self.reported.append(entry.stored.name)

    def see(
        self, resource: Resource, manifest: dict[str, Any], *, requested: str = "", event: str = "MODIFIED"
    ) -> None:
        """A watch delivers an object as it is now."""
        self.versions += 1
        annotations = {"batchaccess.dev/requested-at": requested} if requested else {}
        metadata = {
            **manifest["metadata"],
            "uid": f"{resource.plural}-{manifest['metadata']['name']}",
            "resourceVersion": str(self.versions),
            "creationTimestamp": "2026-11-21T10:00:00Z",
            "generation": 1,
            "annotations": annotations,
        }
        self._hub.observe(resource, manifest | {"metadata": metadata}, event_type=event)

    def told(self) -> tuple[list[tuple[set[str], Urgency]], list[str], list[Urgency]]:
        """Who was woken, what was reported and what was asked to be read since the last time."""
        found = (self.woken[:], self.reported[:], self.resyncs[:])
        for each in (self.woken, self.reported, self.resyncs):
            each.clear()
        return found


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


@pytest.fixture
def world() -> World:
    made = World()
    made.see(NAMESPACES, namespace("film", team="film"))
    made.see(CONNECTIONS, connection_manifest("weu", grants=[BY_NAME]))
    made.see(CONNECTIONS, connection_manifest("neu", grants=[BY_LABEL]))
    made.told()
    return made


EVERYWHERE = {"names": ["weu", "neu"]}


@pytest.mark.parametrize(
    ("of", "woken", "resyncs"),
    [
        pytest.param("strangers", [], [], id="granted nothing: reported, and that is all"),
        pytest.param("render", [({"weu"}, Urgency.PACED)], [Urgency.PACED], id="granted by name"),
        pytest.param("film", [({"neu"}, Urgency.PACED)], [Urgency.PACED], id="granted by label"),
    ],
)
def test_a_request_of_a_policy(
    world: World, of: str, woken: list[tuple[set[str], Urgency]], resyncs: list[Urgency]
) -> None:
    manifest = policy_manifest(namespace=of, connections=EVERYWHERE)
    world.see(POLICIES, manifest, event="ADDED")
    assert world.told() == (woken, ["ssh"], [])
    for number in range(3):
        world.see(POLICIES, manifest, requested=f"now-{number}")
        assert world.told() == (woken, ["ssh"], resyncs)
    world.see(POLICIES, manifest, event="DELETED")
    assert world.told() == (woken, ["ssh"], [])


def test_a_request_on_a_connection_is_immediate(world: World) -> None:
    world.see(CONNECTIONS, connection_manifest("weu", grants=[BY_NAME]), requested="now")
    assert world.told() == ([({"weu"}, Urgency.AT_ONCE)], ["weu"], [Urgency.AT_ONCE])


def test_a_request_on_a_pool_is_immediate(world: World) -> None:
    manifest = {"metadata": {"name": "weu.p"}, "spec": {"connection": "weu", "poolId": "p"}}
    world.see(POOL_ACCESSES, manifest, event="ADDED")
    world.see(POOL_ACCESSES, manifest, requested="now")
    assert world.told() == ([({"weu"}, Urgency.AT_ONCE)], ["weu.p"] * 2, [Urgency.AT_ONCE])
