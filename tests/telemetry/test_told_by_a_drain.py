"""What metrics and log tell of a drain while it goes on: current at every visit, each line with its pool and policy."""

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from batchaccess.core.saga.steps import Step
from batchaccess.telemetry.logcontext import log_context
from batchaccess.telemetry.logs import LogFormat, configure_logging
from tests.support.drains import OPEN_SSH, Drains, busy_pool
from tests.telemetry.read_exposition import series_with, value_of

STEPS = {step.value for step in Step}


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """The log lines so far, as a cluster has them."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = list(root.handlers), root.level
    configure_logging(LogFormat.JSON, level=logging.INFO, stream=stream)
    told = _Lines(stream)
    yield told
    root.handlers[:] = handlers
    root.setLevel(level)


class _Lines(list[dict[str, Any]]):
    """Reads what was logged so far."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (json.loads(line) for line in self._stream.getvalue().splitlines())


def steps_of(world: Drains) -> set[str]:
    """The steps at which the metrics show a correction."""
    return {
        step
        for step in STEPS
        if value_of(world.metrics, "batchaccess_remediation_active", connection="prod-weu", step=step)
    }


def condition_of(world: Drains, type: str) -> str:
    """The reason that the metrics show of a condition of the pool."""
    return next(
        dict(labels)["reason"]
        for name, labels in series_with(world.metrics, connection="prod-weu", pool="busy", type=type)
        if name == "batchaccess_pool_condition"
    )


async def test_between_two_sweeps_the_metrics_follow_every_visit() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    seen = []
    for _ in range(100):
        world.advance(5)
        await world.visit()
        _, reason = world.reports.condition("prod-weu.busy", "Remediating")
        assert condition_of(world, "Remediating") == reason
        assert steps_of(world) == ({reason} & STEPS)
        seen.append(reason)
        if world.is_settled:
            break
    assert list(dict.fromkeys(seen)) == ["Draining", "Restoring", "Idle"]
    assert condition_of(world, "Compliant") == "Compliant"


async def test_an_open_breaker_is_shown_until_somebody_says_that_it_is_meant() -> None:
    pools = [f"busy-{number}" for number in range(12)]
    world = Drains.of(*(busy_pool(pool, nodes=0) for pool in pools))
    await world.live(180)
    assert value_of(world.metrics, "batchaccess_breaker_open", connection="prod-weu") == 0
    for pool in pools:
        world.edit({"networkConfiguration": OPEN_SSH, "targetDedicatedNodes": 1}, pool)
    await world.sweep()
    assert value_of(world.metrics, "batchaccess_breaker_open", connection="prod-weu") == 1
    world.declared = replace(world.declared, requested_at="now")
    await world.sweep()
    assert value_of(world.metrics, "batchaccess_breaker_open", connection="prod-weu") == 0


async def test_exposure_is_counted_until_the_visit_that_closed_the_pool() -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    seconds_open = 0
    for _ in range(12):
        seconds_open += 5 * (world.reports.condition("prod-weu.busy", "Exposed")[0] == "True")
        world.advance(5)
        await world.visit()
    await world.sweep()
    assert 0 < seconds_open < 60
    counted = value_of(
        world.metrics,
        "batchaccess_exposure_seconds_total",
        connection="prod-weu",
        port_class="login",
        verdict="Forbidden",
    )
    assert counted == seconds_open


async def test_every_decision_about_a_pool_is_one_line_that_names_it(lines: list[dict[str, Any]]) -> None:
    world = Drains.of(busy_pool())
    with log_context(connection="prod-weu", sweep="41"):
        await world.sweep()
        await world.live_until(lambda: world.is_settled)
        await world.sweep()
    told = [line for line in lines if line["logger"].startswith("batchaccess.sweep.")]
    assert all(line["connection"] == "prod-weu" and line["sweep"] == "41" for line in told)
    of_pools = [line for line in told if not line["message"].startswith("policy ")]
    assert {(line["pool"], line["policy"]) for line in of_pools} == {("busy", "render/ssh")}
    messages = [line["message"] for line in of_pools]
    assert "Draining: Resize was accepted" in messages
    for said in ("DriftDetected: ", "InternetReachable: ", "corrected Widening", "RemediationEnded: "):
        assert sum(message.startswith(said) for message in messages) == 1, said


async def test_nothing_is_logged_while_nothing_happens(lines: list[dict[str, Any]]) -> None:
    world = Drains.of(busy_pool())
    await world.sweep()
    await world.live_until(lambda: world.is_settled)
    await world.live(120)
    before = len([*lines])
    assert before
    await world.live(600)
    assert [*lines][before:] == []
