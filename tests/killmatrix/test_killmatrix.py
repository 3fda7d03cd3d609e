"""Bounded forms of the kill matrix; `python -m tests.killmatrix.prove` plays all of it."""

import os
import random
from pathlib import Path

import pytest

from tests.killmatrix.matrix import Counts, every_setting, run
from tests.killmatrix.processes import Played, Trial
from tests.killmatrix.scenario import IMPOSSIBLE, Kind, Lost, Scenario, play
from tests.killmatrix.tap import Harm, Phase, Point
from tests.killmatrix.trials import Trials, chosen, every_harm, run_trials

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
    assert (plain.restarts, died.restarts) == (0, 1)
    assert died.calls.count("resize") == plain.calls.count("resize")


CALLS = ("list_pools", "hold", "create", "write_journal", "get_pool", "patch_metadata", "get_pool", "resize")


def test_processes_die_before_and_after_every_call_and_lose_either_journal_after_each() -> None:
    trials = every_harm(Played(trial=Trial(), calls=CALLS, problem=""))
    for end in range(1, len(CALLS) + 1):
        deaths = {
            (trial.point.phase, trial.lost)
            for trial in trials
            if trial.dies and trial.point is not None and trial.point.is_at(CALLS[:end])
        }
        assert deaths == {(phase, Lost.NOTHING) for phase in Phase} | {(Phase.AFTER, lost) for lost in Lost}


def test_a_sample_on_processes_has_each_harm_and_a_setting_without_possible_drain() -> None:
    plain = Played(trial=Trial(), calls=CALLS, problem="")
    trials = chosen([plain], 16, random.Random(0))  # noqa: S311 no secret
    assert {trial.harm for trial in trials} == {trial.harm for trial in every_harm(plain)} | {"no harm"}
    assert any(trial.setting in IMPOSSIBLE for trial in trials)
    assert len(trials) == 16


def test_rounds_of_a_waiting_loop_are_harmed_at_the_first_and_the_last() -> None:
    calls = ("resize", *("get_pool", "write") * 5, "patch_network")
    trials = every_harm(Played(trial=Trial(), calls=calls, problem=""))
    harmed = {trial.point.number for trial in trials if trial.point is not None and trial.point.call == "get_pool"}
    assert harmed == {0, 4}


def test_a_call_that_was_never_made_is_not_counted_as_harmed() -> None:
    trial = Trial(point=Point(number=1, call="get_pool", landmarks=1, harm=Harm.CRASH))
    counts = Trials()
    for calls in (("resize", "get_pool"), ("resize", "get_pool", "write", "get_pool")):
        counts.add(Played(trial=trial, calls=calls, problem=""))
    assert counts.killed == counts.by_call["get_pool"] == 1
    assert counts.runs == 2


@pytest.mark.skipif(
    not os.environ.get("BATCHACCESS_KILLMATRIX"), reason="kills real processes with BATCHACCESS_KILLMATRIX=1"
)
def test_whatever_happens_to_a_real_process_the_saga_ends_well(tmp_path: Path) -> None:
    trials = run_trials(tmp_path, sample=16, seed=3, stages=2)
    assert trials.failures == []
    assert trials.killed >= len(Lost)
