import pytest

from batchaccess.core.saga.requests import asks_anew, known_by_now, request_mark

NOBODY = request_mark(pool=None, policy=None, connection=None)
ON_POOL = request_mark(pool="monday", policy=None, connection=None)
ON_ALL = request_mark(pool="monday", policy="tuesday", connection="")

ASKED = [
    ("nobody ever asked", NOBODY, NOBODY, False),
    ("somebody asks for the first time", ON_POOL, NOBODY, True),
    ("the same was asked before", ON_POOL, ON_POOL, False),
    ("one value goes away", ON_POOL, ON_ALL, False),
    ("all values go away", NOBODY, ON_ALL, False),
    ("a value comes beside the known one", ON_ALL, ON_POOL, True),
    ("the value is another one", request_mark(pool="friday", policy=None, connection=None), ON_POOL, True),
    ("a mark of an earlier form is known", NOBODY, "0123456789abcdef", False),
]


@pytest.mark.parametrize(("now", "before", "anew"), [row[1:] for row in ASKED], ids=[row[0] for row in ASKED])
def test_a_request_is_new_when(now: str | None, before: str | None, anew: bool) -> None:  # noqa: FBT001 a table
    assert asks_anew(now, before) is anew
    assert not asks_anew(now, known_by_now(before, now)), "asked once, it is known"


def test_a_value_that_went_away_stays_known() -> None:
    assert not asks_anew(ON_POOL, known_by_now(ON_POOL, NOBODY))
    assert known_by_now(NOBODY, NOBODY) is None


def test_what_was_asked_of_one_policy_says_nothing_of_another() -> None:
    of_policy = request_mark(pool=None, policy="tuesday", connection=None)
    assert asks_anew(of_policy, NOBODY)
    assert not asks_anew(of_policy, NOBODY, same_policy=False)
    assert asks_anew(ON_ALL, of_policy, same_policy=False), "the pool's own counts"


def test_a_mark_does_not_show_what_people_wrote() -> None:
    assert ON_POOL is not None
    assert "monday" not in ON_POOL
