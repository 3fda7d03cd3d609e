"""Where the rules of the table lead: whether that is where the table says, and which rules were never seen."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from batchaccess.core.saga.actions import (
    ClearKubernetesJournal,
    Remediate,
    SagaDecision,
    Underway,
    WriteKubernetesJournal,
)
from batchaccess.core.saga.rules import GONE, Rule
from batchaccess.core.saga.steps import Step
from batchaccess.core.saga.table import TABLE

WAITS: Final = "waits"
"""Nothing is done: whatever a rule leads to, it may have to wait, for a service that is to be left alone above all."""


class Lead(NamedTuple):
    """A rule of a step that decided, and the step that its action leads to."""

    step: str
    rule: str
    leads: str


class Row(NamedTuple):
    """A rule of a step."""

    step: str
    rule: str


_RULES: Final[dict[Row, Rule]] = {Row(step.value, rule.when): rule for step, rules in TABLE.items() for rule in rules}


def lead_of(step: Step, decision: Remediate | Underway) -> Lead:
    """Where a decision at a step leads."""
    return Lead(step.value, decision.rule, _led_to(step, decision))


def _led_to(step: Step, decision: SagaDecision) -> str:
    match decision:
        case Remediate(action=WriteKubernetesJournal(copy=written)):
            return written.step.value
        case Remediate(action=ClearKubernetesJournal()):
            return GONE
        case Remediate():
            return step.value
        case _:
            return WAITS


def misled(leads: Iterable[Lead]) -> list[Lead]:
    """What leads elsewhere than the table says, or is no rule of it."""
    return sorted(lead for lead in leads if lead.leads not in _told(Row(lead.step, lead.rule)))


def _told(row: Row) -> set[str]:
    rule = _RULES.get(row)
    if rule is None:
        return set()
    return {WAITS, *([row.step] if rule.leads_to is None else str(rule.leads_to).split(" or "))}


def unseen(leads: Iterable[Lead]) -> set[Row]:
    """The rules that decided nowhere."""
    return _RULES.keys() - {Row(lead.step, lead.rule) for lead in leads}


def _at(rule: str, *steps: Step) -> set[Row]:
    return {Row(step.value, rule) for step in steps}


_AFTER_TAKING_OVER: Final = tuple(step for step in Step if step is not Step.TAKING_OVER)
_CHANGING: Final = (Step.PAUSING_AUTOSCALE, Step.DRAINING, Step.CORRECTING, Step.RESTORING)

NOT_SEEN_BOUNDED: Final = frozenset(
    {
        *_at("the pool is another one of the same name", *Step),
        *_at("another holder took the saga over", Step.PREPARING, *_CHANGING),
        *_at("the Azure copy is of another saga of ours, which is to be believed", *_AFTER_TAKING_OVER),
        *_at("another holder's journal is in the metadata", *_CHANGING),
        *_at("the pool is being deleted", Step.TAKING_OVER),
        *_at("the metadata names another holder for this saga", Step.TAKING_OVER),
        *_at("the Azure copy is in our name", Step.TAKING_OVER),
        *_at("the journal to be taken over is gone", Step.TAKING_OVER),
        *_at("somebody else set a scale since autoscale was paused", Step.PAUSING_AUTOSCALE),
        *_at("nobody wrote to the pool since the step began and it resizes", Step.DRAINING),
        *_at("the pool is empty but for a resize that ends at no nodes", Step.CORRECTING),
        *_at("the last attempt failed", Step.CORRECTING),
        *_at("a restore was refused and it is not time to try again", Step.RESTORING),
        *_at("the removal of the Azure copy was refused and it is not time to try again", Step.CLEARING),
    }
)
"""The rules that the bounded exploration never sees: they need a pool to be replaced, a backup to be restored, a saga
to be taken over, or more to go wrong than it lets. tests/core/saga/test_table.py has a situation for each of them.
"""
