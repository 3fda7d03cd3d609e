"""Assumptions: the page says what the code has, and every switch can be set and is refused when wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from batchemulator import DEV_ACCOUNT, Assumptions
from batchemulator.assumptions import switch_types
from batchemulator.control import _SIMPLE
from batchemulator.faults import FaultKind

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "assumptions.md").read_text(encoding="utf-8")
SWITCHES = switch_types()
ROWS = {
    match.group(1): re.findall(r"`([^`]+)`", match.group(2))
    for match in re.finditer(r"^\| `(\w+)` \| ([^|]+) \|", PAGE, re.MULTILINE)
}


def test_page_and_code_name_the_same_assumptions_in_the_same_order() -> None:
    assert list(ROWS) == list(SWITCHES)


@pytest.mark.parametrize("name", SWITCHES)
def test_page_lists_the_values_with_the_default_first(name: str) -> None:
    default = getattr(Assumptions(), name)
    others = [member.value for member in SWITCHES[name] if member is not default]
    assert ROWS[name] == [default.value, *others]


def test_page_gives_the_key_of_the_development_account() -> None:
    assert DEV_ACCOUNT.key in PAGE


def test_page_names_every_kind_of_fault_and_every_control_path() -> None:
    assert all(f"`{kind}`" in PAGE for kind in FaultKind)
    assert all(f"/emulator/{path}" in PAGE for _, path in _SIMPLE)


@pytest.mark.parametrize("name", SWITCHES)
def test_every_value_of_every_assumption_can_be_set_by_name(name: str) -> None:
    for member in SWITCHES[name]:
        for spelling in (name, name.replace("_", "-")):
            changed = Assumptions().with_setting(f"{spelling}={member.value}")
            assert getattr(changed, name) is member
            assert changed.as_settings()[name] == member.value


@pytest.mark.parametrize("setting", ["patch_depth", "patch_depth=upwards", "colour=red", "=merges"])
def test_a_wrong_setting_is_refused_with_the_choices(setting: str) -> None:
    with pytest.raises(ValueError, match=r"is one of|one of .*patch_depth"):
        Assumptions().with_setting(setting)
