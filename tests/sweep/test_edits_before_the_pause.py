"""Disabling autoscale takes no If-Match: somebody edits the pool between the reading of a visit and the request."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from batchemulator.wire.messages import Request, Response
from tests.support.drains import FORMULA, Drains, busy_pool

NAME = "prod-weu.busy"
OTHER = "$TargetDedicatedNodes = 1;"
EDITS: dict[str, dict[str, Any]] = {
    "changes the formula": {"enableAutoScale": True, "autoScaleFormula": OTHER},
    "writes metadata": {},
}


def step(world: Drains) -> str:
    status = world.reports.status(NAME) if NAME in world.reports.objects else {}
    return str(status.get("journal", {}).get("step", ""))


def is_corrected(world: Drains) -> bool:
    return NAME in world.reports.objects and "lastChange" in world.reports.status(NAME) and world.is_settled


@dataclass
class Editing:
    """Edits the pool right before it is read for the second time after the pause was written down."""

    world: Drains
    changes: dict[str, Any]
    readings: int = 0
    paused: list[tuple[bool, str]] = field(default_factory=list)
    """For each request to disable autoscale: whether it came after the edit, and the formula it took out of force."""

    def handle(self, request: Request) -> Response:
        pauses = request.path.endswith("/disableautoscale")
        if request.method == "GET" and request.path.endswith("/pools/busy") and step(self.world) == "PausingAutoscale":
            self.readings += 1
            if self.readings == 2:
                note = {"name": "note", "value": "x"}
                metadata = [note, *self.world.pool().settings.get("metadata", ())]
                self.world.edit(self.changes or {"metadata": metadata})
        autoscale = self.world.pool().autoscale
        if pauses and autoscale is not None:
            self.paused.append((self.readings >= 2, autoscale.formula))
        return self.world.service.handle(request)


@pytest.mark.parametrize("changes", EDITS.values(), ids=EDITS.keys())
async def test_the_pool_is_read_once_more_right_before_so_that_nothing_is_paused_if_somebody(
    changes: dict[str, Any],
) -> None:
    world = Drains.of(busy_pool(nodes=2, enableAutoScale=True, autoScaleFormula=FORMULA))
    editing = Editing(world, changes)
    world.handle = editing.handle
    await world.live_until(lambda: is_corrected(world), within=7200)
    kept = OTHER if changes else FORMULA
    assert editing.paused == [(True, kept)]
    autoscale = world.pool().autoscale
    assert autoscale is not None
    assert autoscale.formula == kept
