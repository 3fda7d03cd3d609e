"""Edits that change no meaning change no function: these must never cost a pool its nodes."""

from dataclasses import replace
from ipaddress import ip_network
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from batchaccess.core.addresses import AddressSet
from batchaccess.core.model import (
    PortRange,
    Rule,
)
from batchaccess.core.reach import ReachFunction
from batchaccess.core.rules import evaluate
from batchaccess.core.sources import parse_source
from tests.properties.strategies import BOTH_FAMILIES, rule_lists

choices = st.integers(0, 10**6)


def function(rules: tuple[Rule, ...]) -> ReachFunction:
    return evaluate(rules, BOTH_FAMILIES)


def replaced(rules: tuple[Rule, ...], index: int, *parts: Rule) -> tuple[Rule, ...]:
    """The rules with one replaced by others, which take priorities from its own upwards."""
    renumbered = (replace(part, priority=rules[index].priority + i) for i, part in enumerate(parts))
    return (*rules[:index], *renumbered, *rules[index + 1 :])


@given(rules=rule_lists(), offsets=st.lists(st.integers(1, 50), min_size=6, max_size=6))
def test_renumbering_is_neutral(rules: tuple[Rule, ...], offsets: list[int]) -> None:
    numbers = [150 + sum(offsets[: i + 1]) for i in range(len(rules))]
    renumbered = tuple(replace(rule, priority=number) for rule, number in zip(rules, numbers, strict=True))
    assert function(renumbered) == function(rules)


@given(rules=rule_lists(), order=st.randoms(use_true_random=False))
def test_the_order_of_the_list_is_neutral(rules: tuple[Rule, ...], order: Random) -> None:
    listed = list(rules)
    order.shuffle(listed)
    assert function(tuple(listed)) == function(rules)


@given(rules=rule_lists(), choice=choices)
def test_the_case_of_a_source_is_neutral(rules: tuple[Rule, ...], choice: int) -> None:
    assume(rules)
    index = choice % len(rules)
    shouted = replaced(rules, index, replace(rules[index], source=rules[index].source.swapcase()))
    assert function(shouted) == function(rules)


@given(rules=rule_lists(), choice=choices)
def test_splitting_and_merging_prefixes_is_neutral(rules: tuple[Rule, ...], choice: int) -> None:
    splittable = [i for i, rule in enumerate(rules) if "/" in rule.source and not rule.source.endswith(("/32", "/128"))]
    assume(splittable)
    index = splittable[choice % len(splittable)]
    halves = ip_network(rules[index].source, strict=False).subnets()
    parts = (replace(rules[index], source=str(half)) for half in halves)
    assert function(replaced(rules, index, *parts)) == function(rules)


@given(rules=rule_lists(), choice=choices)
def test_splitting_and_merging_source_ports_is_neutral(rules: tuple[Rule, ...], choice: int) -> None:
    splittable = [i for i, rule in enumerate(rules) if rule.source_ports[0].start < rule.source_ports[0].end]
    assume(splittable)
    index = splittable[choice % len(splittable)]
    start, end = rules[index].source_ports[0].start, rules[index].source_ports[0].end
    halves = PortRange(start, (start + end) // 2), PortRange((start + end) // 2 + 1, end)
    apart = replaced(rules, index, *(replace(rules[index], source_ports=(half,)) for half in halves))
    within = replaced(rules, index, replace(rules[index], source_ports=halves))
    assert function(apart) == function(within) == function(rules)


@given(rules=rule_lists(), choice=choices)
def test_writing_everyone_as_both_families_is_neutral(rules: tuple[Rule, ...], choice: int) -> None:
    everyone = [i for i, rule in enumerate(rules) if rule.source == "*"]
    assume(everyone)
    index = everyone[choice % len(everyone)]
    parts = (replace(rules[index], source=source) for source in ("0.0.0.0/0", "::/0"))
    assert function(replaced(rules, index, *parts)) == function(rules)


@given(rules=rule_lists(), choice=choices)
def test_repeating_a_rule_further_down_is_neutral(rules: tuple[Rule, ...], choice: int) -> None:
    assume(rules)
    again = replace(rules[choice % len(rules)], priority=4000)
    assert function((*rules, again)) == function(rules)


@given(rules=rule_lists(), choice=choices)
def test_swapping_neighbours_with_one_effect_is_neutral(rules: tuple[Rule, ...], choice: int) -> None:
    pairs = [i for i in range(len(rules) - 1) if rules[i].access is rules[i + 1].access]
    assume(pairs)
    index = pairs[choice % len(pairs)]
    first, second = rules[index], rules[index + 1]
    swapped = replaced(rules, index, replace(second, priority=first.priority))
    swapped = replaced(swapped, index + 1, replace(first, priority=second.priority))
    assert function(swapped) == function(rules)


@given(rules=rule_lists(), choice=choices)
def test_swapping_neighbours_without_a_common_source_is_neutral(rules: tuple[Rule, ...], choice: int) -> None:
    pairs = [i for i in range(len(rules) - 1) if _share_nothing(rules[i], rules[i + 1])]
    assume(pairs)
    index = pairs[choice % len(pairs)]
    first, second = rules[index], rules[index + 1]
    swapped = replaced(rules, index, replace(second, priority=first.priority))
    swapped = replaced(swapped, index + 1, replace(first, priority=second.priority))
    assert function(swapped) == function(rules)


def _share_nothing(left: Rule, right: Rule) -> bool:
    ours, theirs = parse_source(left.source), parse_source(right.source)
    return isinstance(ours, AddressSet) and isinstance(theirs, AddressSet) and not ours & theirs
