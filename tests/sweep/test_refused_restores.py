"""A restore that the service keeps putting off is told like one that it refuses."""

from dataclasses import dataclass

import orjson
import pytest

from batchemulator.wire.messages import Request, Response
from tests.support.drains import Drains, busy_pool
from tests.telemetry.read_exposition import value_of

NAME = "prod-weu.busy"


@dataclass
class Conflict:
    """Answers every resize but one to no nodes with 409, for as long as it `lasts`."""

    world: Drains
    code: str
    lasts: bool = True

    def handle(self, request: Request) -> Response:
        if self.lasts and request.path.endswith("/resize") and orjson.loads(request.body)["targetDedicatedNodes"]:
            document = {"code": self.code, "message": {"value": "Not now."}}
            return Response(status=409, headers={}, body=orjson.dumps(document))
        return self.world.service.handle(request)


def is_restoring(world: Drains) -> bool:
    return NAME in world.reports.objects and world.reports.condition(NAME, "Remediating")[1] == "Restoring"


def pending(world: Drains) -> float | None:
    return value_of(world.metrics, "batchaccess_restore_pending", connection="prod-weu")


@pytest.mark.parametrize(("code", "within"), [("PoolBeingResized", 900), ("PoolQuotaReached", 180)])
async def test_a_restore_answered_with_a_conflict_for_long_is_pending_until_it_is_done(code: str, within: int) -> None:
    world = Drains.of(busy_pool())
    conflict = Conflict(world, code)
    world.handle = conflict.handle
    await world.live_until(lambda: is_restoring(world))
    await world.live(within)
    assert world.reports.condition(NAME, "Remediating") == ("True", "RestorePending")
    assert pending(world) == 1
    await world.live(3600)
    assert world.reports.condition(NAME, "Remediating") == ("True", "RestorePending")
    conflict.lasts = False
    await world.live_until(lambda: world.is_settled, within=7200)
    assert world.pool().targets.dedicated == 3
    await world.sweep()
    assert pending(world) == 0
