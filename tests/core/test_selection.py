from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
    Grant,
    Mode,
    NameSelector,
    Strategy,
)
from batchaccess.core.globs import GlobIndex, IdGlobs
from batchaccess.core.model import (
    MetadataItem,
    ObservedPool,
)
from batchaccess.core.selection import Candidates, matches
from tests.support.build import NOW, connection, grant, policy, pool

LABELS = {"render": {"team": "render", "env": "prod"}}

MATCHING: dict[str, tuple[AccessPolicy, AccountConnection, ObservedPool]] = {
    "everything is selected by default": (policy(), connection(), pool("any")),
    "a glob matches": (policy(ids=["render-*"]), connection(), pool("render-1")),
    "ids compare without regard to case": (policy(ids=["Render-*"]), connection(), pool("RENDER-1")),
    "a literal id matches in another case": (policy(ids=["render-A"]), connection(), pool("Render-a")),
    "one of several globs is enough": (policy(ids=["a", "b?", "c"]), connection(), pool("b1")),
    "a set of characters matches": (policy(ids=["r[0-4]"]), connection(), pool("r3")),
    "all metadata asked for is there": (
        policy(match_metadata={"team": "render"}),
        connection(),
        pool("p", metadata={"other": "x", "team": "render"}),
    ),
    "a repeated metadata name matches by any of its values": (
        policy(match_metadata={"team": "b"}),
        connection(),
        replace(pool("p"), metadata=(MetadataItem(name="team", value="a"), MetadataItem(name="team", value="b"))),
    ),
    "the connection is selected by its labels": (
        policy(connections=NameSelector(match_labels={"env": "prod"})),
        connection(labels={"env": "prod", "region": "weu"}),
        pool(),
    ),
    "the grant names the namespace": (policy(), connection(grants=[grant(namespaces=["a", "render"])]), pool()),
    "the grant selects the namespace by label": (
        policy(),
        connection(grants=[grant(match_labels={"team": "render"})]),
        pool(),
    ),
    "the grant names the pool in another case": (policy(), connection(grants=[grant("RENDER-*")]), pool("render-1")),
    "the second grant covers what the first does not": (
        policy(priority=10),
        connection(grants=[grant("x"), grant("render-*", max_priority=10)]),
        pool("render-1"),
    ),
    "a suspended policy still selects": (policy(suspend=True), connection(), pool()),
    "a suspended connection is still selected": (policy(), connection(suspend=True), pool()),
    "a connection being deleted is selected until it is gone": (policy(), connection(deleting=True), pool()),
}

NOT_MATCHING: dict[str, tuple[AccessPolicy, AccountConnection, ObservedPool]] = {
    "another connection is named": (policy(connections=["dev"]), connection(), pool()),
    "the connection lacks a label": (
        policy(connections=NameSelector(match_labels={"env": "prod", "x": "y"})),
        connection(labels={"env": "prod"}),
        pool(),
    ),
    "no labels are asked for, which is not everything": (
        policy(connections=NameSelector(match_labels={})),
        connection(),
        pool(),
    ),
    "a selector of nothing at all": (policy(connections=NameSelector()), connection(), pool()),
    "no glob matches": (policy(ids=["comp-*"]), connection(), pool("render-1")),
    "a glob matches only a part": (policy(ids=["render"]), connection(), pool("render-1")),
    "the id is excluded in another case": (policy(exclude_ids=["RENDER-?"]), connection(), pool("render-1")),
    "metadata has another value": (policy(match_metadata={"a": "1"}), connection(), pool("p", metadata={"a": "2"})),
    "one of two metadata items is missing": (
        policy(match_metadata={"a": "1", "b": "2"}),
        connection(),
        pool("p", metadata={"a": "1"}),
    ),
    "metadata names are case-sensitive": (
        policy(match_metadata={"Team": "a"}),
        connection(),
        pool("p", metadata={"team": "a"}),
    ),
    "our own metadata never matches": (
        policy(match_metadata={"batchaccess.dev/journal": "x"}),
        connection(),
        pool("p", metadata={"batchaccess.dev/journal": "x"}),
    ),
    "there is no grant": (policy(), connection(grants=[]), pool()),
    "the grant is for another namespace": (policy(), connection(grants=[grant(namespaces=["other"])]), pool()),
    "the grant asks for a label the namespace has not": (
        policy(),
        connection(grants=[grant(match_labels={"team": "other"})]),
        pool(),
    ),
    "the grant names other pools": (policy(), connection(grants=[grant("comp-*")]), pool("render-1")),
    "the priority is beyond the grant": (policy(priority=1), connection(grants=[grant(max_priority=0)]), pool()),
    "the mode is beyond the grant": (policy(), connection(grants=[grant(modes=[Mode.AUDIT])]), pool()),
    "the strategy is beyond the grant": (policy(strategy=Strategy.DRAIN), connection(grants=[grant()]), pool()),
    "two grants would cover it only together": (
        policy(priority=5, strategy=Strategy.DRAIN),
        connection(grants=[grant(max_priority=5), grant(strategies=[Strategy.DRAIN])]),
        pool(),
    ),
}


@pytest.mark.parametrize(("chosen", "to", "of"), MATCHING.values(), ids=MATCHING.keys())
def test_a_policy_selects_a_pool_when(chosen: AccessPolicy, to: AccountConnection, of: ObservedPool) -> None:
    assert matches(chosen, to, of, LABELS)
    assert Candidates.of(to, [chosen], LABELS).select(of).governing is chosen


@pytest.mark.parametrize(("chosen", "to", "of"), NOT_MATCHING.values(), ids=NOT_MATCHING.keys())
def test_a_policy_does_not_select_a_pool_when(chosen: AccessPolicy, to: AccountConnection, of: ObservedPool) -> None:
    assert not matches(chosen, to, of, LABELS)
    assert Candidates.of(to, [chosen], LABELS).select(of).governing is None


def test_a_namespace_without_known_labels_matches_no_label() -> None:
    assert not matches(policy(namespace="new"), connection(grants=[grant(match_labels={"a": "b"})]), pool(), LABELS)


PRECEDENCE = {
    "the highest priority": (policy("b", priority=5), policy("a", priority=4, age_days=9)),
    "then the oldest": (policy("b", age_days=2), policy("a", age_days=1)),
    "then the namespace": (policy("z", namespace="a"), policy("a", namespace="b")),
    "then the name": (policy("a"), policy("b")),
    "even if it is suspended": (policy("b", priority=5, suspend=True), policy("a")),
    "even if it only audits": (policy("b", priority=5, mode=Mode.AUDIT), policy("a")),
    "never one that is being deleted": (policy("a"), policy("b", priority=5, deleting=True)),
}


@pytest.mark.parametrize(("winner", "loser"), PRECEDENCE.values(), ids=PRECEDENCE.keys())
@pytest.mark.parametrize("turned", [False, True], ids=["as listed", "turned round"])
def test_of_two_policies_governs(winner: AccessPolicy, loser: AccessPolicy, *, turned: bool) -> None:
    selection = Candidates.of(connection(), [loser, winner] if turned else [winner, loser], LABELS).select(pool())
    assert selection.governing is winner
    assert selection.overridden == (() if loser.deleting else (loser,))


def test_losers_are_listed_by_precedence() -> None:
    policies = [policy("a"), policy("b", priority=7), policy("c", age_days=3), policy("d", priority=9)]
    candidates = Candidates.of(connection(), policies, LABELS)
    selection = candidates.select(pool())
    assert [each.key.name for each in selection.all] == ["d", "b", "c", "a"]
    assert selection.all == candidates.policies


def test_a_pool_that_nothing_selects_has_no_policies() -> None:
    assert Candidates.of(connection(), [], LABELS).select(pool()).all == ()


@given(
    st.permutations(
        [
            policy(name, age_days=age, priority=rank)
            for name, age, rank in zip("abcdef", [3, 1, 3, 1, 2, 2], [0, 0, 1, 1, 0, 0], strict=True)
        ]
    )
)
def test_the_order_in_which_policies_are_read_never_matters(shuffled: list[AccessPolicy]) -> None:
    selection = Candidates.of(connection(), shuffled, LABELS).select(pool())
    assert [each.key.name for each in selection.all] == ["c", "d", "a", "e", "f", "b"]


def test_fractions_of_a_second_of_age_count() -> None:
    younger = replace(policy("a"), created=NOW + timedelta(microseconds=1))
    assert Candidates.of(connection(), [younger, policy("b")], LABELS).select(pool()).governing == policy("b")


GLOBS = st.lists(st.text("ab*?[]-", max_size=6), max_size=4)


@given(st.lists(GLOBS, max_size=6), st.text("aAbB-", max_size=6))
def test_the_index_never_leaves_out_a_match(sets: list[list[str]], pool_id: str) -> None:
    possible = GlobIndex.of(sets).possible(pool_id)
    assert possible == sorted(set(possible))
    matching = [position for position, globs in enumerate(sets) if IdGlobs.of(globs).match(pool_id)]
    assert set(matching) <= set(possible)


def test_the_index_leaves_out_what_starts_differently() -> None:
    index = GlobIndex.of([["render-*"], ["comp-*"], ["render-7"], ["*-7"], ["render-very-long-*"]])
    assert index.possible("render-7") == [0, 2, 3]


def test_grants_are_compared_whole_and_their_pools_added_up() -> None:
    grants: list[Grant] = [grant("a-*"), grant("b-*")]
    to = connection(grants=grants)
    assert [matches(policy(), to, pool(each), LABELS) for each in ("a-1", "b-1", "c-1")] == [True, True, False]
