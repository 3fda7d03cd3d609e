"""A Retry-After that nobody could wait for."""

import pytest

from batchemulator.wire.messages import Request, Response
from tests.support.drains import Drains, busy_pool

NAME = "prod-weu.busy"


@pytest.mark.parametrize("asked", ["99999999999999999999", "9" * 400, "Sun, 03 Feb 9999 00:00:30 GMT"])
async def test_a_pool_is_left_alone_for_an_hour_at_most_however_long_the_service_asks_for(asked: str) -> None:
    world = Drains.of(busy_pool())

    def handle(request: Request) -> Response:
        if request.path.endswith("/resize") and world.clock.monotonic() == 0:
            body = b'{"code":"ServerBusy","message":{"value":"x"}}'
            return Response(status=503, headers={"retry-after": asked}, body=body)
        return world.service.handle(request)

    world.handle = handle
    await world.sweep()
    assert world.pool().targets.dedicated == 3
    await world.live(3540)
    assert world.pool().targets.dedicated == 3
    await world.live_until(lambda: world.pool().targets.dedicated == 0, within=180)
    await world.live_until(lambda: world.is_settled)
    assert world.pool().targets.dedicated == 3
