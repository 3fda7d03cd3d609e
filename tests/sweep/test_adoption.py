"""A saga of somebody who is no more is taken over by its id, and by nothing else."""

from dataclasses import replace

import pytest

from batchaccess.core.model import MetadataItem
from batchaccess.core.saga.journal import Journal
from batchaccess.core.saga.metadata import journal_in
from tests.support.build import policy, wanted
from tests.support.drains import Drains, account_connection, busy_pool, draining
from tests.support.reports import FakeFinalizers

NAME = "prod-weu.busy"


def journal(world: Drains) -> Journal:
    items = [MetadataItem(name=each["name"], value=each["value"]) for each in world.pool().settings["metadata"]]
    found = journal_in(items)
    assert isinstance(found, Journal)
    return found


def adopt(world: Drains, saga_id: str) -> None:
    world.reports.objects[NAME] = replace(world.reports.objects[NAME], adopt=saga_id)


def writes(world: Drains) -> int:
    return len([entry for entry in world.service.requests if entry.method != "GET"])


@pytest.fixture
async def dead() -> Drains:
    """An operator that drained its pool and was never seen again."""
    world = Drains.of(busy_pool(metadata=[{"name": "team", "value": "x"}], resizeTimeout="PT20M"))
    await world.sweep()
    assert world.pool().targets.dedicated == 0
    return world


def successor(dead: Drains, *, drains: bool = True) -> Drains:
    return Drains(
        service=dead.service,
        clock=dead.clock,
        declared=account_connection(uid="uid-of-the-successor"),
        policies=[draining(policy("mine", wanted("SSH")))] if drains else [],
        finalizers=FakeFinalizers(cluster="cluster-2"),
        begun=1 << 40,
    )


async def test_a_foreign_journal_is_left_alone_until_its_very_saga_is_adopted(dead: Drains) -> None:
    world = successor(dead)
    before = writes(world)
    await world.live(1800)
    assert world.reports.condition(NAME, "Compliant") == ("False", "ForeignJournal")
    adopt(world, "0123456789ab")
    await world.live(1800)
    assert world.reports.condition(NAME, "Compliant") == ("False", "ForeignJournal")
    assert writes(world) == before
    assert world.pool().targets.dedicated == 0


async def test_an_adopted_saga_brings_the_scale_back_and_the_pool_is_corrected_afterwards(dead: Drains) -> None:
    world, theirs = successor(dead), journal(dead)
    await world.sweep()
    adopt(world, theirs.saga_id)
    await world.sweep()
    assert journal(world).holder.cluster_uid == "cluster-2"
    assert journal(world).recorded == theirs.recorded
    await world.live_until(lambda: world.is_settled and world.pool().targets.dedicated == 3)
    await world.live_until(lambda: world.is_settled and "lastChange" in world.reports.status(NAME))
    assert world.pool().targets.dedicated == 3
    assert [item["name"] for item in world.pool().settings["metadata"]] == ["team"]
    assert world.reports.condition(NAME, "Compliant") == ("True", "Compliant")


async def test_without_a_policy_the_scale_comes_back_and_nothing_else_is_changed(dead: Drains) -> None:
    world = successor(dead, drains=False)
    network = world.pool().settings["networkConfiguration"]
    await world.sweep()
    adopt(world, journal(dead).saga_id)
    await world.live_until(lambda: world.is_settled and world.pool().targets.dedicated == 3)
    assert world.pool().settings["networkConfiguration"] == network


async def test_the_former_holder_forgets_what_was_taken_from_it_and_writes_nothing(dead: Drains) -> None:
    world = successor(dead, drains=False)
    await world.sweep()
    adopt(world, journal(dead).saga_id)
    await world.sweep()
    before = writes(world)
    dead.policies.clear()
    await dead.sweep()
    assert dead.journals() == []
    assert dead.finalizers.connections == set()
    assert writes(world) == before
    await world.live_until(lambda: world.is_settled and world.pool().targets.dedicated == 3)
