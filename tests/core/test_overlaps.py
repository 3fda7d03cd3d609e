"""Whether selectors meet, against every short id by brute force."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchaccess.core.declared import NameSelector
from batchaccess.core.globs import IdGlobs
from batchaccess.core.overlaps import common_connection_names, common_pool, common_pool_id, may_share_labels
from tests.support.build import policy

globs = st.lists(st.text("ab*?", min_size=1, max_size=4), min_size=1, max_size=2)


@pytest.mark.parametrize(
    ("required", "excluded", "expected"),
    [
        pytest.param([["render-*"], ["*-gpu"]], [], "render-gpu", id="a prefix and a suffix meet"),
        pytest.param([["render-*"], ["sim-*"]], [], None, id="two prefixes do not meet"),
        pytest.param([["*"], ["*"]], [], "a", id="everything meets everything, but the empty id is none"),
        pytest.param([["Render"], ["render"]], [], "render", id="case does not count"),
        pytest.param([["a?"], ["?b"]], [], "ab", id="single letters are weighed"),
        pytest.param([["a*"]], ["a"], "ab", id="an excluded id is avoided"),
        pytest.param([["a*"]], ["*"], None, id="nothing is left if all is excluded"),
        pytest.param([["a*", "b*"], ["b*"]], [], "b", id="one glob of a set is enough"),
        pytest.param([[], ["*"]], [], None, id="no globs match nothing"),
        pytest.param([["?" * 64]], [], "a" * 64, id="the longest id there is"),
        pytest.param([["?" * 65]], [], None, id="an id that is too long is none"),
    ],
)
def test_an_id_that_all_sets_match(required: list[list[str]], excluded: list[str], expected: str | None) -> None:
    assert common_pool_id(required, excluded) == expected


@given(one=globs, other=globs, excluded=st.lists(st.text("ab*?", min_size=1, max_size=3), max_size=1))
def test_brute_force_agrees(one: list[str], other: list[str], excluded: list[str]) -> None:
    words = ("".join(letters) for size in range(1, 6) for letters in itertools.product("abc", repeat=size))
    found = [
        word
        for word in words
        if IdGlobs.of(one).match(word) and IdGlobs.of(other).match(word) and not IdGlobs.of(excluded).match(word)
    ]
    answer = common_pool_id([one, other], excluded)
    if found:
        assert answer is not None
        assert len(answer) == len(found[0])
    if answer is not None:
        assert IdGlobs.of(one).match(answer)
        assert IdGlobs.of(other).match(answer)
        assert not IdGlobs.of(excluded).match(answer)


def test_the_search_gives_up_on_globs_that_nobody_writes() -> None:
    entangled = [["*" + "".join(letters) + "?" * 14 for letters in itertools.product("ab", repeat=4)]] * 2
    assert common_pool_id([*entangled, ["c" * 3 + "*" + "z" * 60]], ["*z"]) is None


def test_policies_that_ask_for_different_metadata_are_apart() -> None:
    render = policy("render", match_metadata={"team": "render"})
    other = policy("other", match_metadata={"team": "sim"})
    more = policy("more", match_metadata={"env": "prod"})
    assert common_pool(render, other) is None
    assert common_pool(render, more) == "a"
    assert common_pool(render, more, [["x*"], ["*y"]]) == "xy"


@pytest.mark.parametrize(
    ("one", "other", "names", "labels"),
    [
        pytest.param(
            NameSelector(names=("a", "b")), NameSelector(names=("b", "c")), ("b",), False, id="by name on both sides"
        ),
        pytest.param(
            NameSelector(names=("a",)),
            NameSelector(match_labels={"env": "x"}),
            (),
            False,
            id="one by name",
        ),
        pytest.param(
            NameSelector(match_labels={"env": "x"}),
            NameSelector(match_labels={"env": "x", "tier": "1"}),
            (),
            True,
            id="labels that go together",
        ),
        pytest.param(
            NameSelector(match_labels={"env": "x"}),
            NameSelector(match_labels={"env": "y"}),
            (),
            False,
            id="labels apart",
        ),
    ],
)
def test_connections_that_two_selectors_share(
    one: NameSelector, other: NameSelector, names: tuple[str, ...], *, labels: bool
) -> None:
    assert common_connection_names(one, other) == names
    assert may_share_labels(one, other) is labels
