"""What a scrape sees: the golden text, and that it keeps to what docs/metrics.md promises."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from batchaccess.telemetry.exposition import Sample, render_header, render_sample
from batchaccess.telemetry.families import MetricType, counter
from batchaccess.telemetry.families import gauge as describe_gauge
from batchaccess.telemetry.labels import CONNECTION, POOL
from batchaccess.telemetry.metrics import FAMILIES
from batchaccess.telemetry.rows import PoolRow
from tests.telemetry.build_rows import pool_exposed, pool_in_order, populated
from tests.telemetry.read_exposition import series_of, series_with

GOLDEN = Path(__file__).with_name("exposition.golden.txt")


def ours(text: str) -> str:
    """The text without what depends on the machine: process metrics and versions."""
    kept = [line for line in text.splitlines(keepends=True) if "process_" not in line and "build_info{" not in line]
    return "".join(kept)


def test_exposition_is_the_golden_text() -> None:
    text = ours(populated().exposition().decode())
    if os.environ.get("BATCHACCESS_UPDATE_GOLDEN"):
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")


def test_every_family_is_exposed_with_its_type_and_help() -> None:
    text = populated().exposition().decode()
    for family in FAMILIES:
        assert text.count(f"# TYPE {family.name} {family.type}\n") == 1
        assert text.count(f"# HELP {family.name} {family.help}\n") == 1


def test_every_family_has_a_series_with_exactly_its_labels() -> None:
    by_name: dict[str, set[frozenset[str]]] = {}
    for name, labels in series_of(populated()):
        by_name.setdefault(name, set()).add(frozenset(label for label, _ in labels if label != "le"))
    for family in FAMILIES:
        for name in family.series_names:
            assert by_name.pop(name) == {frozenset(family.label_names)}
    assert not [name for name in by_name if not name.startswith("process_")]


def test_labels_of_closed_sets_hold_only_their_words() -> None:
    words = {
        (name, label.name): {str(value) for value in label.values}
        for family in FAMILIES
        for name in family.series_names
        for label in family.labels
        if label.values
    }
    checked = 0
    for name, labels in series_of(populated()):
        for label, value in labels:
            if (name, label) in words and value:
                assert value in words[name, label]
                checked += 1
    assert checked > 50


def test_no_creation_time_series_double_the_counters() -> None:
    assert not [name for name, _ in series_of(populated()) if name.endswith("_created")]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(pool_in_order(), 10, id="a pool in order open to one IPv4 range has 10 series"),
        pytest.param(pool_exposed(), 14, id="one exposed in both families, drifted, with failing assertions has 14"),
    ],
)
def test_series_per_pool_are_as_documented(row: PoolRow, expected: int) -> None:
    metrics = populated()
    metrics.connection("prod").observe_pools([row])
    assert len(series_with(metrics, pool=row.pool)) == expected


@given(pool=st.text(), value=st.integers(min_value=0, max_value=2**128))
def test_any_label_value_survives_the_text_format(pool: str, value: int) -> None:
    family = describe_gauge("probe", 'Help with \\ and\nline break and "quotes".', [CONNECTION, POOL])
    text = render_header(family).decode() + render_sample(Sample(family, ("prod", pool), value))
    (parsed,) = text_string_to_metric_families(text)
    (sample,) = parsed.samples
    assert (sample.name, sample.labels, sample.value) == (
        "batchaccess_probe",
        {"connection": "prod", "pool": pool},
        float(value),
    )
    assert parsed.documentation == family.help


def test_a_counter_must_be_named_as_prometheus_names_counters() -> None:
    with pytest.raises(ValueError, match="must end in _total"):
        counter("sweeps", "Sweeps.")


def test_names_are_unique_prefixed_and_carry_base_units() -> None:
    names = [name for family in FAMILIES for name in family.series_names]
    assert len(names) == len(set(names))
    assert all(name.startswith("batchaccess_") for name in names)
    for family in FAMILIES:
        assert family.help.endswith("."), f"{family.name}: the help is a sentence"
        assert not family.name.endswith(("_ms", "_milliseconds", "_minutes"))
        assert (family.type is MetricType.HISTOGRAM) == bool(family.buckets)
