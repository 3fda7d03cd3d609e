import importlib.util
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from batchaccess.core.memory import PoolMemory
from batchaccess.core.model import AllocationState, NodeCounts, ObservedPool, PoolState
from batchaccess.core.reasons import RemediatingReason
from batchaccess.core.saga.actions import Remediate, Underway
from batchaccess.core.saga.outcomes import Refusal, SagaMemory
from batchaccess.core.saga.rules import GONE
from batchaccess.core.saga.scale import RecordedScale
from batchaccess.core.saga.situation import Situation
from batchaccess.core.saga.steps import Ending, RestoreMark, Step
from batchaccess.core.saga.table import TABLE
from tests.core.saga.situations import BUSY, FORMULA, THEM, carrying, copy, decided, journal, scaled, situation
from tests.exploration.leads import NOT_SEEN_BOUNDED, WAITS, lead_of, misled
from tests.support.build import NOW, RECENT

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "draw_saga.py"


def test_every_step_has_rules_that_always_decide_and_a_reason() -> None:
    assert set(TABLE) == set(Step)
    assert {step.value for step in Step} <= {reason.value for reason in RemediatingReason}


@pytest.mark.parametrize("step", Step)
def test_the_rules_of_a_step_have_names_of_their_own(step: Step) -> None:
    names = [rule.when for rule in TABLE[step]]
    assert len(names) == len(set(names))


def test_every_step_leads_to_the_end() -> None:
    leads = {
        step.value: {target for rule in rules if rule.leads_to for target in str(rule.leads_to).split(" or ")}
        for step, rules in TABLE.items()
    }
    ending = {GONE}
    for _ in Step:
        ending |= {step for step, targets in leads.items() if targets & ending}
    assert ending >= {step.value for step in Step}


SINCE = NOW + timedelta(seconds=30)
OTHER_POOL = replace(BUSY, creation_time=RECENT + timedelta(days=1))
THEIRS = carrying(BUSY, journal(holder=THEM))
STRANGER = carrying(BUSY, journal(holder=THEM, saga_id="fedcba987654"))
LATER_SAGA = carrying(BUSY, journal(saga_id="fedcba987654", started=SINCE))
RESIZING = replace(BUSY, allocation_state=AllocationState.RESIZING)
REFUSED = SagaMemory(refusal=Refusal(ending=Ending.ACCESS_DENIED, message="no", retry_at=NOW + timedelta(hours=1)))
FORMULA_JOURNAL = journal(
    recorded=RecordedScale(targets=NodeCounts(dedicated=2), autoscale_formula=FORMULA, autoscale_interval="PT5M")
)
DRAINED = carrying(scaled(BUSY, target=0), journal())

Direct = dict[tuple[Step, str], tuple[Situation, Step | str]]


def direct(rule: str, of: ObservedPool, *steps: Step, leads: Step | str | None = None, **changes: Any) -> Direct:  # noqa: ANN401 fields of Situation
    """One rule of some steps with a pool for which it holds, and where it leads; nowhere else by default."""
    return {
        (step, rule): (situation(of, kubernetes=copy(step), **changes), step.value if leads is None else leads)
        for step in steps
    }


AFTER_TAKING_OVER = tuple(step for step in Step if step is not Step.TAKING_OVER)
CHANGING = (Step.PAUSING_AUTOSCALE, Step.DRAINING, Step.CORRECTING, Step.RESTORING)
DIRECT: Direct = {
    **direct("the pool is another one of the same name", OTHER_POOL, *Step, leads=GONE),
    **direct("another holder took the saga over", THEIRS, Step.PREPARING, *CHANGING, leads=GONE),
    **direct(
        "the Azure copy is of another saga of ours, which is to be believed",
        LATER_SAGA,
        *AFTER_TAKING_OVER,
        leads=Step.RESTORING,
    ),
    **direct("another holder's journal is in the metadata", STRANGER, *CHANGING, leads=WAITS),
    **direct("the pool is being deleted", replace(BUSY, state=PoolState.DELETING), Step.TAKING_OVER, leads=WAITS),
    **direct("the metadata names another holder for this saga", THEIRS, Step.TAKING_OVER),
    **direct("the Azure copy is in our name", carrying(BUSY, journal()), Step.TAKING_OVER, leads=Step.RESTORING),
    **direct("the journal to be taken over is gone", BUSY, Step.TAKING_OVER, leads=GONE),
    (Step.PAUSING_AUTOSCALE, "somebody else set a scale since autoscale was paused"): (
        situation(
            carrying(scaled(BUSY, target=5), FORMULA_JOURNAL),
            kubernetes=copy(Step.PAUSING_AUTOSCALE, FORMULA_JOURNAL, standing=NodeCounts(dedicated=2)),
        ),
        Step.RESTORING,
    ),
    (Step.DRAINING, "nobody wrote to the pool since the step began and it resizes"): (
        situation(carrying(RESIZING, journal()), kubernetes=copy(Step.DRAINING, etag=BUSY.etag)),
        WAITS,
    ),
    (Step.CORRECTING, "the pool is empty but for a resize that ends at no nodes"): (
        situation(
            replace(DRAINED, allocation_state=AllocationState.RESIZING),
            kubernetes=copy(Step.CORRECTING, standing=NodeCounts(dedicated=2), emptied=True),
        ),
        WAITS,
    ),
    (Step.CORRECTING, "the last attempt failed"): (
        situation(
            scaled(DRAINED, current=0),
            kubernetes=copy(Step.CORRECTING, standing=NodeCounts(dedicated=2), emptied=True),
            memory=PoolMemory(failures=1, back_off_until=SINCE, back_off_message="b"),
        ),
        WAITS,
    ),
    (Step.RESTORING, "a restore was refused and it is not time to try again"): (
        situation(
            scaled(DRAINED, current=0),
            kubernetes=copy(
                Step.RESTORING,
                standing=NodeCounts(dedicated=2),
                restore=RestoreMark(etag=DRAINED.etag, allocated=DRAINED.allocation_state_transition_time),
            ),
            saga_memory=REFUSED,
        ),
        WAITS,
    ),
    (Step.CLEARING, "the removal of the Azure copy was refused and it is not time to try again"): (
        situation(carrying(BUSY, journal()), kubernetes=copy(Step.CLEARING), saga_memory=REFUSED),
        WAITS,
    ),
}


@pytest.mark.parametrize(("row", "case"), DIRECT.items(), ids=[f"{step}: {rule}" for step, rule in DIRECT])
def test_a_rule_that_the_bounded_exploration_never_sees_leads_where_the_table_says(
    row: tuple[Step, str], case: tuple[Situation, Step | str]
) -> None:
    decision = decided(case[0])
    assert isinstance(decision, Remediate | Underway)
    assert lead_of(row[0], decision) == (row[0].value, row[1], str(case[1]))
    assert misled([lead_of(row[0], decision)]) == []


def test_every_rule_decides_in_the_bounded_exploration_or_here() -> None:
    assert {(step.value, rule) for step, rule in DIRECT} == NOT_SEEN_BOUNDED


def test_the_page_shows_the_table_as_it_is() -> None:
    spec = importlib.util.spec_from_file_location("draw_saga", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    text = script.PAGE.read_text(encoding="utf-8")
    assert script.page_with(text) == text, "run python scripts/draw_saga.py"
    assert "Preparing --> Draining" in text
