"""A new `batchaccess.dev/requested-at` permits one more try of what was refused, with or without a restart."""

from dataclasses import dataclass, replace

import orjson
import pytest

from batchemulator.wire.messages import Request, Response
from tests.support.drains import Drains, busy_pool

NAME = "prod-weu.busy"


@dataclass
class Rejecting:
    """Answers every PATCH of a network with 400, for as long as it `lasts`."""

    world: Drains
    lasts: bool = True

    def handle(self, request: Request) -> Response:
        if self.lasts and request.method == "PATCH" and b"networkConfiguration" in request.body:
            document = {"code": "InvalidPropertyValue", "message": {"value": "No."}}
            return Response(status=400, headers={}, body=orjson.dumps(document))
        return self.world.service.handle(request)


def drains(world: Drains) -> int:
    entries = [entry for entry in world.service.requests if entry.operation == "resize_pool"]
    return [entry.json()["targetDedicatedNodes"] for entry in entries].count(0)


def request(world: Drains, mark: str) -> None:
    world.reports.objects[NAME] = replace(world.reports.objects[NAME], requested_at=mark)


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_rejected_network_is_drained_for_once_more_for_each_request(
    restarts: bool,  # noqa: FBT001 a parameter of the test
) -> None:
    world = Drains.of(busy_pool())
    rejecting = Rejecting(world)
    world.handle = rejecting.handle
    for asked in range(1, 3):
        await world.live(3600)
        assert drains(world) == asked
        assert world.pool().targets.dedicated == 3
        assert world.reports.condition(NAME, "Compliant") == ("False", "Rejected")
        if restarts:
            world.restart()
            await world.live(600)
            assert drains(world) == asked
        request(world, f"request-{asked}")
    rejecting.lasts = False
    await world.live(3600)
    assert drains(world) == 3
    assert world.reports.condition(NAME, "Compliant") == ("True", "Compliant")
