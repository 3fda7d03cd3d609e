"""Bounded forms of the kill matrix; `python -m tests.killmatrix.prove` plays all of it."""

import os
from pathlib import Path

import pytest

from tests.killmatrix.matrix import Counts, every_setting, run
from tests.killmatrix.scenario import IMPOSSIBLE, Kind, Lost, Scenario, play
from tests.killmatrix.tap import Harm, Phase, Point
from tests.killmatrix.trials import run_trials

SETTINGS = every_setting()


def told(counts: Counts) -> str:
    return "\n".join(counts.failures)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: "defaults" if setting is None else "=".join(setting))
def test_whatever_happens_at_a_call_the_saga_ends_well(setting: tuple[str, str] | None) -> None:
    counts = run(setting, sample=20 if setting is None else 3, seed=1)
    assert counts.failures == [], told(counts)
    assert counts.runs > 0
    assert bool(counts.corrected) is (setting not in IMPOSSIBLE)


async def test_a_crash_in_the_matrix_really_ends_what_was_under_way() -> None:
    plain = await play(Scenario(kind=Kind.TARGETS))
    number = plain.calls.index("resize")
    died = await play(Scenario(kind=Kind.TARGETS, point=Point(number=number, harm=Harm.CRASH, phase=Phase.AFTER)))
    assert plain.calls.count("list_pools") < died.calls.count("list_pools") + 1
    assert died.calls.count("resize") == plain.calls.count("resize")


@pytest.mark.skipif(
    not os.environ.get("BATCHACCESS_KILLMATRIX"), reason="kills real processes with BATCHACCESS_KILLMATRIX=1"
)
def test_whatever_happens_to_a_real_process_the_saga_ends_well(tmp_path: Path) -> None:
    trials = run_trials(tmp_path, sample=16, seed=3, stages=2)
    assert trials.failures == []
    assert trials.killed >= len(Lost)
