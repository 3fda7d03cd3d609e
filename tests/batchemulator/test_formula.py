"""The autoscale formula subset."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchemulator.state.formula import FormulaError, evaluate

VARIABLES = {"$PendingTasks": 7.0, "$ActiveTasks": 4.0, "$CurrentDedicatedNodes": 2.0, "$TargetDedicatedNodes": 2.0}


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        pytest.param("$TargetDedicatedNodes=2", 2, id="a constant"),
        pytest.param("$TargetDedicatedNodes = 1 + 2 * 3 - 4 / 2;", 5, id="arithmetic"),
        pytest.param("$TargetDedicatedNodes=min(10, $PendingTasks.GetSample(1));", 7, id="pending tasks, capped"),
        pytest.param("n = max(0, $ActiveTasks - 2);\n$TargetDedicatedNodes = n;", 2, id="a variable of one's own"),
        pytest.param("$TargetDedicatedNodes = $ActiveTasks > 3 ? 5 : 1;", 5, id="a condition that holds"),
        pytest.param(
            "$TargetDedicatedNodes = !($ActiveTasks > 3) || 1 > 2 ? 5 : 1;", 1, id="a condition that does not"
        ),
        pytest.param(
            "p = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 15) < 70 ? 0 : "
            "avg($PendingTasks.GetSample(TimeInterval_Minute * 15)); $TargetDedicatedNodes = floor(p / 2);",
            3,
            id="the documented pattern over samples",
        ),
        pytest.param("// none\n$TargetDedicatedNodes = /* zero */ 0;", 0, id="comments"),
        pytest.param("$TargetDedicatedNodes = $TargetDedicatedNodes + 1", 3, id="the present target"),
        pytest.param("$TargetDedicatedNodes = -(-3)", 3, id="signs"),
    ],
)
def test_formula_gives_the_target(formula: str, expected: float) -> None:
    assert evaluate(formula, VARIABLES)["$TargetDedicatedNodes"] == expected


def test_several_service_variables_are_assigned() -> None:
    assigned = evaluate("$TargetLowPriorityNodes=1;$NodeDeallocationOption=taskcompletion;", VARIABLES)
    assert assigned == {"$TargetLowPriorityNodes": 1, "$NodeDeallocationOption": "taskcompletion"}


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        pytest.param("$something_useless", "Line 1, Col 1: Undefined symbol: $something_useless", id="as recorded"),
        pytest.param("$TargetDedicatedNodes=\n  $Bogus", "Line 2, Col 3: Undefined symbol: $Bogus", id="on line two"),
        pytest.param("$TargetDedicatedNodes=", "Line 1, Col 23: Unexpected end of formula", id="cut off"),
        pytest.param("$TargetDedicatedNodes=1 2", "Line 1, Col 25: Expected ;, found 2", id="two values"),
        pytest.param("$TargetDedicatedNodes=1/0", "Division by zero", id="a division by zero"),
        pytest.param("$TargetDedicatedNodes=time()", "not in the emulator's subset", id="a function not in the subset"),
        pytest.param("$TargetDedicatedNodes=$ActiveTasks.Count()", "not in the emulator's subset", id="a method"),
        pytest.param("$TargetDedicatedNodes=€", "Unexpected character: €", id="a strange character"),
        pytest.param("$TargetDedicatedNodes=requeue+1", "expected a number, found requeue", id="a word as a number"),
    ],
)
def test_a_wrong_formula_says_where_and_why(formula: str, message: str) -> None:
    with pytest.raises(FormulaError) as caught:
        evaluate(formula, VARIABLES)
    assert message in str(caught.value)


@given(st.text("$TargetDdicNos=+-*/()<>!?:;,.&|0123456789 \n", max_size=40))
def test_any_text_is_a_result_or_a_formula_error(formula: str) -> None:
    with contextlib.suppress(FormulaError):
        assert isinstance(evaluate(formula, VARIABLES), dict)


@pytest.mark.parametrize("formula", ["(" * 5000, "$TargetDedicatedNodes=floor(" + "9" * 400 + ")"])
def test_a_formula_too_deep_or_too_large_is_a_formula_error(formula: str) -> None:
    with pytest.raises(FormulaError, match="too deep"):
        evaluate("$TargetDedicatedNodes=" + formula if formula.startswith("(") else formula, VARIABLES)
