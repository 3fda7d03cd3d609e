"""Reads an exposition back with Prometheus' own parser."""

from prometheus_client.parser import text_string_to_metric_families

from batchaccess.telemetry.metrics import Metrics

Series = tuple[str, frozenset[tuple[str, str]]]


def series_of(metrics: Metrics) -> dict[Series, float]:
    """Every series by name and labels."""
    found: dict[Series, float] = {}
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"two series {key}"
            found[key] = sample.value
    return found


def value_of(metrics: Metrics, name: str, **labels: str) -> float | None:
    """The value of one series, None if there is none."""
    return series_of(metrics).get((name, frozenset(labels.items())))


def series_with(metrics: Metrics, **labels: str) -> set[Series]:
    """All series that carry these labels."""
    return {series for series in series_of(metrics) if frozenset(labels.items()) <= series[1]}
