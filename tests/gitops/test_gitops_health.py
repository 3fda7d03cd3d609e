"""Argo CD, kstatus and Flux show the same health, in every state that users meet; the tables are in *rows.py."""

import asyncio
import itertools
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import pytest

from batchaccess.api import Kind
from batchaccess.core.reasons import (
    AcceptedReason,
    CompliantReason,
    ConditionStatus,
    ConnectionReason,
    EnforcedReason,
    ExposedReason,
    RemediatingReason,
)
from tests.gitops.argodata import expected_files
from tests.gitops.flux import flux_status
from tests.gitops.interpreter import lua_health
from tests.gitops.judging import Verdict, judge
from tests.gitops.places import CASES, CUSTOMIZATIONS, NAMES, ROWS, flux_expressions, health_script
from tests.gitops.rows import SAME, Health, Kstatus, KubernetesObject, Row
from tests.gitops.scene import unobserved_connection, unobserved_policy, unobserved_pool
from tests.support.checker import assert_valid_status

in_every_state = pytest.mark.parametrize(("kind", "row"), CASES, ids=NAMES)
of_every_kind = pytest.mark.parametrize("kind", list(Kind))

WITHOUT_STATUS = {
    Kind.CONNECTION: unobserved_connection(),
    Kind.POLICY: unobserved_policy(),
    Kind.POOL_ACCESS: unobserved_pool(),
}


@in_every_state
async def test_argo_cd_shows_health_and_says_why(kind: Kind, row: Row) -> None:
    found = await row.make()
    ((status, message),) = lua_health(health_script(kind), [found])
    assert status == row.health
    assert row.says in message


@in_every_state
async def test_flux_shows_the_same_with_our_expressions(kind: Kind, row: Row) -> None:
    assert flux_status(flux_expressions(kind), await row.make()) is SAME[row.health]


@pytest.fixture(scope="module")
def verdicts() -> dict[tuple[Kind, str], Verdict]:
    """Of the real kstatus, and of the Lua interpreter that Argo CD embeds, by kind and row."""
    cases = [(asyncio.run(row.make()), health_script(kind)) for kind, row in CASES]
    found = judge(cases)
    return {(kind, row.id): each for (kind, row), each in zip(CASES, found, strict=True)}


@in_every_state
def test_kstatus_by_itself_shows_what_our_conditions_tell_it(
    kind: Kind, row: Row, verdicts: dict[tuple[Kind, str], Verdict]
) -> None:
    assert verdicts[kind, row.id].kstatus == row.kstatus


@in_every_state
def test_the_lua_interpreter_of_argo_cd_agrees(kind: Kind, row: Row, verdicts: dict[tuple[Kind, str], Verdict]) -> None:
    verdict = verdicts[kind, row.id]
    assert verdict.argocd == row.health
    assert row.says in verdict.argocd_message


@in_every_state
async def test_the_rows_hold_statuses_that_the_operator_may_write(kind: Kind, row: Row) -> None:
    found = await row.make()
    assert found["kind"] == kind
    if "status" in found:
        assert_valid_status(found["status"], kind)


def test_what_kstatus_shows_otherwise_is_what_the_readme_tells() -> None:
    differing = {(kind, row.health, row.bare) for kind, row in CASES if row.kstatus is not SAME[row.health]}
    unseen = {(kind, Health.PROGRESSING, Kstatus.CURRENT) for kind in Kind}
    pools = {(Kind.POOL_ACCESS, Health.DEGRADED, Kstatus.CURRENT)}
    going = {(kind, Health.PROGRESSING, Kstatus.TERMINATING) for kind in (Kind.CONNECTION, Kind.POLICY)}
    assert differing == unseen | pools | going | {(Kind.CONNECTION, Health.DEGRADED, Kstatus.IN_PROGRESS)}


@of_every_kind
@pytest.mark.parametrize(
    "status",
    [{}, {"conditions": []}, {"observedGeneration": 1}, {"observedGeneration": 1, "conditions": []}],
    ids=["an empty one", "no condition", "a generation only", "a generation and no condition"],
)
def test_a_status_that_is_not_whole_yet_is_progressing(kind: Kind, status: dict[str, Any]) -> None:
    found = {**WITHOUT_STATUS[kind], "status": status}
    ((health, message),) = lua_health(health_script(kind), [found])
    assert health == Health.PROGRESSING
    assert message
    assert flux_status(flux_expressions(kind), found) is Kstatus.IN_PROGRESS


def _condition(type: str, status: str, reason: str) -> dict[str, Any]:
    return {"type": type, "status": status, "reason": reason, "message": "Why."}


def _each(type: str, *reasons: type[StrEnum]) -> list[dict[str, Any]]:
    words = [word.value for enum in reasons for word in enum]
    return [_condition(type, status.value, word) for status in ConditionStatus for word in words]


def _connections() -> Iterable[list[dict[str, Any]]]:
    return ([ready] for ready in _each("Ready", ConnectionReason))


def _policies() -> Iterable[list[dict[str, Any]]]:
    abnormal: tuple[list[dict[str, Any]], ...] = (
        [],
        [_condition("Reconciling", "True", "Any")],
        [_condition("Stalled", "True", "Any")],
    )
    for ready, others in itertools.product(_each("Ready", AcceptedReason, EnforcedReason), abnormal):
        if not (ready["status"] == "True" and others):
            yield [ready, *others]


def _pools() -> Iterable[list[dict[str, Any]]]:
    parts = (
        _each("Compliant", CompliantReason),
        _each("Exposed", ExposedReason),
        _each("Remediating", RemediatingReason),
    )
    return map(list, itertools.product(*parts))


@pytest.mark.parametrize(
    ("kind", "conditions"),
    [(Kind.CONNECTION, _connections), (Kind.POLICY, _policies), (Kind.POOL_ACCESS, _pools)],
    ids=list(Kind),
)
def test_argo_cd_and_flux_agree_whatever_the_conditions(kind: Kind, conditions: Any) -> None:  # noqa: ANN401 one above
    bare, expressions = WITHOUT_STATUS[kind], flux_expressions(kind)
    found: list[KubernetesObject] = [
        {**bare, "status": {"observedGeneration": 1, "conditions": each}} for each in conditions()
    ]
    shown = lua_health(health_script(kind), found)
    differing = [
        (each["status"]["conditions"], health)
        for each, (health, _) in zip(found, shown, strict=True)
        if flux_status(expressions, each) is not SAME[Health(health)]
    ]
    assert differing == []


@of_every_kind
def test_the_test_files_of_argo_cd_are_those_of_the_table(kind: Kind) -> None:
    folder = CUSTOMIZATIONS / kind
    present = {path.relative_to(folder): path.read_text(encoding="utf-8") for path in folder.rglob("*.yaml")}
    assert present == expected_files(kind), "run: python -m tests.gitops.argodata"


def test_every_kind_has_a_health_script_and_no_other() -> None:
    assert {path.parent.name for path in CUSTOMIZATIONS.rglob("health.lua")} == set(Kind) == set(ROWS)
