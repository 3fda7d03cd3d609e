import importlib.util
from pathlib import Path

import pytest

from batchaccess.core.reasons import RemediatingReason
from batchaccess.core.saga.rules import GONE
from batchaccess.core.saga.steps import Step
from batchaccess.core.saga.table import TABLE

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


def test_the_page_shows_the_table_as_it_is() -> None:
    spec = importlib.util.spec_from_file_location("draw_saga", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    text = script.PAGE.read_text(encoding="utf-8")
    assert script.page_with(text) == text, "run python scripts/draw_saga.py"
    assert "Preparing --> Draining" in text
