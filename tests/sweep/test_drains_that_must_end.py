"""What nobody may cause: a pool that stays drained, or one that is drained over and over."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import orjson
import pytest

from batchaccess.core.reasons import CompliantReason
from batchaccess.core.saga.journal import journal_document
from batchemulator import Fault, FaultKind
from batchemulator.wire.messages import Request, Response
from tests.core.saga.situations import journal
from tests.support.build import policy, wanted
from tests.support.drains import Drains, busy_pool, draining

NAME = "prod-weu.busy"
HOUR = 3600


def drains(world: Drains) -> int:
    entries = [entry for entry in world.service.requests if entry.operation == "resize_pool"]
    return [entry.json()["targetDedicatedNodes"] for entry in entries].count(0)


def answering(
    world: Drains, status: int, code: str, *, asked: Callable[[bytes], bool]
) -> Callable[[Request], Response]:
    """Answers every PATCH whose body is `asked` about with an error, and has the service answer everything else."""
    body = orjson.dumps({"code": code, "message": {"value": "Not now."}})

    def handle(request: Request) -> Response:
        if request.method == "PATCH" and asked(request.body or b""):
            return Response(status=status, headers={}, body=body)
        return world.service.handle(request)

    return handle


def is_network(body: bytes) -> bool:
    return b"networkConfiguration" in body


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "PropertyCannotBeUpdated"),
        (409, "OperationInvalidForCurrentState"),
        (409, "NobodyKnowsThis"),
        (412, "ConditionNotMet"),
    ],
)
async def test_a_network_that_is_put_off_for_ever_leaves_no_pool_drained(status: int, code: str) -> None:
    world = Drains.of(busy_pool(), policies=[draining(timeout_seconds=600)])
    world.handle = answering(world, status, code, asked=is_network)
    await world.live(4 * HOUR, step=30)
    assert world.pool().targets.dedicated == 3
    assert world.journals() == []
    assert drains(world) == 1


async def test_metadata_that_chooses_another_policy_again_and_again_drains_no_more_than_three_times_an_hour() -> None:
    one = draining(policy("a", wanted("SSH"), match_metadata={"team": "a"}))
    other = draining(policy("b", wanted("SSH", allow_from=["192.168.0.0/16"]), match_metadata={"team": "b"}))
    world = Drains.of(busy_pool(metadata=[{"name": "team", "value": "a"}]), policies=[one, other])
    for team in ["b", "a"] * 5:
        await world.live(300)
        others = [item for item in world.pool().settings["metadata"] if item["name"] != "team"]
        world.edit({"metadata": [*others, {"name": "team", "value": team}]})
    assert drains(world) == 3
    assert world.reports.condition(NAME, "Compliant") == ("False", "Contended")


@pytest.mark.parametrize(("status", "code"), [(403, "InsufficientAccountPermissions"), (409, "PoolBeingResized")])
async def test_metadata_that_cannot_be_written_keeps_no_scale_away(status: int, code: str) -> None:
    world = Drains.of(busy_pool(), policies=[draining(timeout_seconds=600)])
    await world.sweep()
    assert world.pool().targets.dedicated == 0
    world.edit({"metadata": []})
    world.handle = answering(world, status, code, asked=lambda body: b"metadata" in body)
    world.restart()
    await world.live(1800)
    assert world.pool().targets.dedicated == 3


async def test_removing_a_request_is_no_request() -> None:
    world = Drains.of(busy_pool())
    world.declared = replace(world.declared, requested_at="monday")
    world.fail(Fault(kind=FaultKind.FORBIDDEN, operation="resize_pool", count=1))
    await world.live(2 * HOUR)
    asked = drains(world)
    assert world.reports.condition(NAME, "Compliant") == ("False", "AccessDenied")
    world.declared = replace(world.declared, requested_at=None)
    await world.live(HOUR)
    assert drains(world) == asked
    world.declared = replace(world.declared, requested_at="tuesday")
    await world.live(HOUR)
    assert drains(world) == asked + 1


async def test_a_request_in_the_middle_of_a_saga_does_not_take_away_a_scale_that_somebody_set() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    world.reports.request(NAME, "now")
    await world.sweep()
    world.edit({"targetDedicatedNodes": 7, "currentDedicatedNodes": 7, "allocationState": "steady"})
    await world.live(HOUR)
    assert world.pool().targets.dedicated == 7
    assert world.reports.condition(NAME, "Compliant") == ("False", CompliantReason.SCALE_CHANGED)
    assert drains(world) == 1


async def test_a_request_has_a_denied_restore_tried_again_at_once() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    world.fail(Fault(kind=FaultKind.FORBIDDEN, operation="resize_pool", count=1))
    await world.live_until(lambda: world.reports.condition(NAME, "Remediating")[1] == "RestorePending")
    world.reports.request(NAME, "now")
    await world.live(120)
    assert world.pool().targets.dedicated == 3


async def test_a_pool_made_anew_under_the_same_name_is_not_taught_by_the_one_before() -> None:
    world = Drains.of(busy_pool())
    world.fail(Fault(kind=FaultKind.FORBIDDEN, operation="resize_pool", count=1))
    await world.live(600)
    assert world.reports.condition(NAME, "Compliant") == ("False", "AccessDenied")
    world.account.pools.remove("busy")
    world.seed(busy_pool(creationTime=world.clock.now().isoformat()))
    await world.live(HOUR)
    assert world.reports.condition(NAME, "Compliant") == ("True", "Compliant")
    assert world.pool().targets.dedicated == 3


async def test_what_somebody_writes_into_one_pools_metadata_stops_no_other() -> None:
    document = {**journal_document(journal()), "started": "0001-01-01T00:00:00+14:00"}
    payload = orjson.dumps(document).decode()
    text = f"v1 00002 {sha256(payload.encode()).hexdigest()[:8]} {payload}"
    odd = [{"name": f"batchaccess.dev/journal-{at}", "value": text[256 * at :][:256]} for at in range(2)]
    world = Drains.of(busy_pool(metadata=odd), busy_pool("other"))
    await world.live(HOUR)
    assert world.reports.condition("prod-weu.other", "Compliant") == ("True", "Compliant")
    assert world.reports.condition(NAME, "Compliant") == ("False", "UnreadableJournal")
