"""A PATCH whose answer was lost, and somebody else who wrote to the pool meanwhile."""

from dataclasses import dataclass, field

import orjson
import pytest

from batchemulator.wire.messages import Request, Response
from tests.support.drains import Drains, busy_pool

NAME = "prod-weu.busy"


@dataclass
class Interrupted:
    """The first PATCH of a network has no effect and no answer that says so; a heartbeat is written meanwhile."""

    world: Drains
    patched: list[Request] = field(default_factory=list)

    def handle(self, request: Request) -> Response:
        if request.method == "PATCH" and "networkConfiguration" in orjson.loads(request.body):
            self.patched.append(request)
            if len(self.patched) == 1:
                items = self.world.pool().settings.get("metadata", ())
                self.world.edit({"metadata": [*items, {"name": "heartbeat", "value": "1"}]})
                document = {"code": "OperationTimedOut", "message": {"value": "Who knows."}}
                return Response(status=500, headers={}, body=orjson.dumps(document))
        return self.world.service.handle(request)


@pytest.mark.parametrize("nodes", [pytest.param(0, id="an empty pool"), pytest.param(3, id="a drained pool")])
async def test_somebody_elses_write_is_not_taken_for_what_our_patch_did(nodes: int) -> None:
    world = Drains.of(busy_pool(nodes=nodes))
    interrupted = Interrupted(world)
    world.handle = interrupted.handle
    await world.live_until(lambda: bool(interrupted.patched))
    assert "lastChange" not in world.reports.status(NAME)
    await world.live_until(lambda: world.is_settled and len(interrupted.patched) > 1)
    await world.live(120)
    assert world.reports.condition(NAME, "Compliant") == ("True", "Compliant")
    assert len(interrupted.patched) == 2
    assert world.pool().targets.dedicated == nodes
    assert {"name": "heartbeat", "value": "1"} in world.pool().settings["metadata"]
