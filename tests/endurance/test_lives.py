"""The bounded form of the lives; `python -m tests.endurance.prove_lives` has the full one."""

import pytest

from tests.endurance.broken_lives import BROKEN
from tests.endurance.lives import Lives
from tests.endurance.prove_lives import problems

EXAMPLES, STEPS = 30, 40


@pytest.mark.timeout(600)  # seconds of a crowded machine; a quiet one needs five
def test_whatever_happens_the_invariants_hold_and_the_operator_comes_to_rest() -> None:
    before = Lives.tally["drains"]
    found = problems(Lives, EXAMPLES, STEPS)
    print(Lives.counts())  # noqa: T201 the counts are asked for
    assert not found, "\n".join(found)
    assert Lives.tally["drains"] > before


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.timeout(600)
def test_an_operator_is_caught_that_is(kind: type[Lives]) -> None:
    said, within = BROKEN[kind]
    assert any(said in each for each in problems(kind, within, STEPS))
