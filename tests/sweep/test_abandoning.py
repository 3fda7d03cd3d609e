"""`batchaccess.dev/abandon` on a pool gives its saga up: both copies go, and the pool stays as it is."""

from dataclasses import replace
from typing import Any

import pytest

from batchaccess.core.model import MetadataItem, NodeCounts, ObjectKey
from batchaccess.core.saga.journal import Holder, Journal, PolicyVersion
from batchaccess.core.saga.metadata import metadata_with
from batchaccess.core.saga.scale import RecordedScale
from batchemulator import Assumptions, Fault, FaultKind
from batchemulator.assumptions import EmptyList, IfMatchForm
from tests.support.build import NOW
from tests.support.drains import OPEN_SSH, Drains, busy_pool

NAME = "prod-weu.busy"
TEAM = MetadataItem(name="team", value="x")


@pytest.fixture
async def abandoned() -> Drains:
    """A pool that was drained, and a person who gives that up."""
    world = Drains.of(busy_pool(metadata=[{"name": "team", "value": "x"}]))
    await world.sweep()
    assert world.journals() == [NAME]
    world.reports.objects[NAME] = replace(world.reports.objects[NAME], abandon=True)
    return world


def metadata(world: Drains) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.pool().settings["metadata"]
    return found


async def test_both_copies_go_and_nothing_is_begun_until_the_annotation_goes(abandoned: Drains) -> None:
    await abandoned.live(1800)
    assert abandoned.journals() == []
    assert metadata(abandoned) == [{"name": "team", "value": "x"}]
    assert abandoned.pool().targets.dedicated == 0
    abandoned.edit({"targetDedicatedNodes": 2, "currentDedicatedNodes": 2, "networkConfiguration": OPEN_SSH})
    await abandoned.live(1800)
    assert abandoned.pool().targets.dedicated == 2
    assert abandoned.reports.condition(NAME, "Compliant") == ("False", "PoolNotEmpty")


@pytest.mark.parametrize("kind", [FaultKind.CONDITION_NOT_MET, FaultKind.SERVER_BUSY, FaultKind.TIMED_OUT_BEFORE])
async def test_a_removal_that_failed_for_once_is_tried_again_before_anything_is_forgotten(
    abandoned: Drains, kind: FaultKind
) -> None:
    abandoned.fail(Fault(kind=kind, operation="update_pool"))
    await abandoned.visit()
    assert abandoned.journals() == [NAME]
    await abandoned.live(300)
    assert abandoned.is_settled
    assert abandoned.pool().targets.dedicated == 0


async def test_a_removal_that_is_denied_keeps_nobody_waiting(abandoned: Drains) -> None:
    abandoned.fail(Fault(kind=FaultKind.FORBIDDEN, operation="update_pool", count=0))
    await abandoned.live(300)
    assert abandoned.journals() == []
    assert abandoned.azure_journals() == ["busy"]
    assert abandoned.finalizers.connections == set()


UNKNOWNS = {
    "If-Match is understood without quotes only": Assumptions(if_match_form=IfMatchForm.BARE),
    "an empty list is ignored": Assumptions(empty_list=EmptyList.IGNORED),
}


@pytest.mark.parametrize("assumptions", UNKNOWNS.values(), ids=UNKNOWNS.keys())
async def test_a_saga_is_given_up_for_good_also_where(assumptions: Assumptions) -> None:
    world = Drains.of(busy_pool(), assumptions=assumptions)
    await world.live_until(lambda: world.journals() == [NAME] and world.pool().targets.dedicated == 0)
    world.restart()
    world.reports.objects[NAME] = replace(world.reports.objects[NAME], abandon=True)
    world.service.requests.reset()
    await world.live(7200)
    assert world.is_settled
    assert world.finalizers.connections == set()
    removals = [entry for entry in world.service.requests if entry.operation == "update_pool"]
    assert len(removals) <= 4
    world.policies.clear()
    world.reports.objects[NAME] = replace(world.reports.objects[NAME], abandon=False)
    await world.live(3600)
    assert world.pool().targets.dedicated == 0


async def test_removals_that_fail_are_tried_ever_more_slowly(abandoned: Drains) -> None:
    abandoned.fail(Fault(kind=FaultKind.SERVER_BUSY, operation="update_pool", count=0))
    abandoned.service.requests.reset()
    await abandoned.live(7200)
    assert abandoned.journals() == [NAME]
    removals = [entry for entry in abandoned.service.requests if entry.operation == "update_pool"]
    assert 3 <= len(removals) <= 12


async def test_the_journal_of_another_holder_is_not_ours_to_remove(abandoned: Drains) -> None:
    theirs = Journal(
        saga_id="fedcba987654",
        holder=Holder(cluster_uid="cluster-2", connection_uid="theirs"),
        pool_id="busy",
        pool_created=abandoned.pool().created,
        policy=PolicyVersion(key=ObjectKey(namespace="far", name="away"), uid="far", generation=1),
        started=NOW,
        recorded=RecordedScale(
            targets=NodeCounts(dedicated=2), current=NodeCounts(dedicated=2), resize_timeout="PT20M"
        ),
    )
    items = [{"name": item.name, "value": item.value} for item in metadata_with((TEAM,), theirs)]
    abandoned.edit({"metadata": items})
    await abandoned.live(300)
    assert abandoned.journals() == []
    assert metadata(abandoned) == items
