from __future__ import annotations

import pytest

from kubeemulator.clock import age, human_duration
from kubeemulator.columns import declared_columns
from kubeemulator.jsonpath import JsonPathError, compiled

OBJECT = {
    "metadata": {"name": "p1", "labels": {"a.b/c": "d"}},
    "status": {
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "Stalled", "status": "False"}],
        "count": 0,
        "list": ["x", "y"],
    },
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        pytest.param(".metadata.name", ["p1"], id="a field"),
        pytest.param('.status.conditions[?(@.type=="Ready")].status', ["True"], id="the entry of a type"),
        pytest.param(".status.conditions[?(@.type=='None')].status", [], id="no entry of a type"),
        pytest.param(".status.conditions[*].type", ["Ready", "Stalled"], id="all entries"),
        pytest.param(".status.list[1]", ["y"], id="an index"),
        pytest.param(".status.list[-1]", ["y"], id="an index from the end"),
        pytest.param(".metadata.labels.a\\.b/c", ["d"], id="an escaped dot"),
        pytest.param(".metadata.labels['a.b/c']", ["d"], id="a quoted key"),
        pytest.param(".nothing.at.all", [], id="an absent field"),
    ],
)
def test_a_path_finds_its_values(path: str, found: list[object]) -> None:
    assert compiled(path)(OBJECT) == found


@pytest.mark.parametrize("path", ["name", ".a[", ".a[?(@.b>1)]", ".a..b"])
def test_a_path_beyond_the_columns_dialect_is_refused(path: str) -> None:
    with pytest.raises(JsonPathError):
        compiled(path)


@pytest.mark.parametrize(
    ("kind", "path", "cell"),
    [
        pytest.param("integer", ".status.count", 0, id="a zero is shown"),
        pytest.param("string", ".status.count", "0", id="a number as text"),
        pytest.param("string", ".status.list", "[x y]", id="a list as text"),
        pytest.param("string", ".absent", None, id="nothing"),
        pytest.param("date", ".metadata.name", "<unknown>", id="no date"),
    ],
)
def test_a_declared_column_shows_its_value(kind: str, path: str, cell: object) -> None:
    column = declared_columns({"additionalPrinterColumns": [{"name": "X", "type": kind, "jsonPath": path}]})[1]
    assert column.cell(OBJECT) == cell


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (150, "2m30s"),
        (600, "10m"),
        (10800, "3h"),
        (11000, "3h3m"),
        (86400, "24h"),
        (3 * 86400, "3d"),
        (90 * 86400, "90d"),
        (3 * 365 * 86400, "3y"),
    ],
)
def test_durations_are_short(seconds: int, text: str) -> None:
    assert human_duration(seconds) == text


def test_an_age_without_a_time_zone_counts_as_universal_time() -> None:
    assert age("1970-01-01T00:00:00").endswith("y")
