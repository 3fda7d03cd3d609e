import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchaccess.core.texts import duration_text, listed, pool_access_name, shortened

NAMES = {
    "a DNS label stays": ("render-1", "prod.render-1"),
    "a single letter stays": ("r", "prod.r"),
    "63 characters stay": ("r" * 63, f"prod.{'r' * 63}"),
    "64 characters are cut": ("r" * 64, f"prod.{'r' * 63}.c9ea6f42"),
    "upper case is folded": ("Render", "prod.render.887270d0"),
    "an underscore becomes a dash": ("a_b", "prod.a-b.648fa9b3"),
    "an id of nothing but signs": ("__", "prod.pool.9911f4d2"),
    "a leading dash is no label": ("-a", "prod.a.c2748917"),
}


@pytest.mark.parametrize(("pool_id", "name"), NAMES.values(), ids=NAMES.keys())
def test_the_name_of_a_pool_access(pool_id: str, name: str) -> None:
    assert pool_access_name("prod", pool_id) == name


@given(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True))
def test_every_pool_id_gives_a_valid_name_that_keeps_pools_apart(pool_id: str) -> None:
    name = pool_access_name("c" * 63, pool_id)
    assert len(name) <= 253
    labels = name.split(".")
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", label) for label in labels)
    assert (len(labels) == 2) == (labels[1] == pool_id)


def test_ids_that_differ_in_a_sign_get_different_names() -> None:
    assert pool_access_name("prod", "a_b") != pool_access_name("prod", "a-b_")


def test_ids_that_differ_in_case_are_one_pool() -> None:
    assert pool_access_name("prod", "A_b") == pool_access_name("prod", "a_B")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.9, "less than 1 s"),
        (-5, "less than 1 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (303, "5 min 3 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h"),
        (3659, "1 h"),
        (7500, "2 h 5 min"),
        (86399, "23 h 59 min"),
        (86400, "1 d"),
        (90000, "1 d 1 h"),
        (412 * 86400 + 59 * 60, "412 d"),
    ],
)
def test_a_duration_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_a_shortened_text_shows_it() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abc..."


def test_a_long_list_shows_that_there_is_more() -> None:
    assert listed("abcde") == "a, b, c, d, e"
    assert listed("abcdef") == "a, b, c, d, e and others"
    assert listed([]) == ""
