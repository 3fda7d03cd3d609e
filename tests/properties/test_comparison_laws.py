from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from batchaccess.core.addresses import AddressSet
from batchaccess.core.model import (
    Access,
    Rule,
)
from batchaccess.core.reach import EQUAL, NOBODY, Order, Reach, ReachFunction
from batchaccess.core.rules import evaluate
from tests.properties.strategies import BOTH_FAMILIES, address_sets, rule_lists

EVERYONE = evaluate((), BOTH_FAMILIES)
functions = rule_lists(max_size=5).map(lambda rules: evaluate(rules, BOTH_FAMILIES))
HIGHER, LOWER = Order(higher=True), Order(lower=True)


@given(a=functions)
def test_compare_is_reflexive(a: ReachFunction) -> None:
    assert a.compare(a) == EQUAL


@given(a=functions, b=functions)
def test_compare_is_antisymmetric_and_equality_is_its_middle(a: ReachFunction, b: ReachFunction) -> None:
    assert b.compare(a) == Order(higher=a.compare(b).lower, lower=a.compare(b).higher)
    assert (a.compare(b) == EQUAL) is (a == b)


@given(a=functions, b=functions, c=functions)
def test_compare_is_transitive(a: ReachFunction, b: ReachFunction, c: ReachFunction) -> None:
    if not a.compare(b).higher and not b.compare(c).higher:
        assert not a.compare(c).higher


@given(a=functions)
def test_nobody_is_the_least_and_everyone_the_greatest(a: ReachFunction) -> None:
    assert a.compare(NOBODY) in (EQUAL, HIGHER)
    assert a.compare(EVERYONE) in (EQUAL, LOWER)


@given(rules=rule_lists(), choice=st.integers(0, 10**6))
def test_allowing_what_was_denied_never_lowers(rules: tuple[Rule, ...], choice: int) -> None:
    assume(rules)
    index = choice % len(rules)
    wider = (*rules[:index], replace(rules[index], access=Access.ALLOW), *rules[index + 1 :])
    narrower = (*rules[:index], replace(rules[index], access=Access.DENY), *rules[index + 1 :])
    assert not evaluate(wider, BOTH_FAMILIES).compare(evaluate(narrower, BOTH_FAMILIES)).lower


@given(a=functions, b=functions)
def test_what_is_not_higher_lets_in_no_more_literals(a: ReachFunction, b: ReachFunction) -> None:
    if not a.compare(b).higher:
        assert a.open_sources <= b.open_sources
        assert a.open_sources | a.undetermined_sources <= b.open_sources | b.undetermined_sources


@given(a=functions, sources=address_sets)
def test_the_reach_of_a_set_is_told_by_its_open_and_undetermined_parts(a: ReachFunction, sources: AddressSet) -> None:
    reach = a.reach_from(sources)
    if a.open_sources & sources:
        assert reach is Reach.OPEN
    elif a.undetermined_sources & sources:
        assert reach is Reach.UNDETERMINED
    else:
        assert reach is Reach.CLOSED
