"""Metric families as values: the one description that the registry, docs/metrics.md and the dashboards' test share."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

PREFIX = "batchaccess_"


class MetricType(StrEnum):
    """Type of a family, as Prometheus names it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One label: what it means and, where its values are a closed set, that set.

    A label without `values` is the identity of a Kubernetes object or pool, whose series vanish with it, or is bounded
    as its meaning says.
    """

    name: str
    meaning: str
    values: type[StrEnum] | None = None


@dataclass(frozen=True, kw_only=True)
class Family:
    """One metric family. `name` is as queried: with the prefix, and with `_total` for a counter.

    Without slots, so that what is derived for every single series is derived once.
    """

    name: str
    type: MetricType
    help: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()

    @cached_property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels, in the order in which values are given."""
        return tuple(label.name for label in self.labels)

    @cached_property
    def line_format(self) -> str:
        """One series in the text format, to be filled with `%` from escaped label values and the value."""
        labels = ",".join(f'{name}="%s"' for name in self.label_names)
        return f"{self.name}{{{labels}}} %s\n"

    @property
    def series_names(self) -> tuple[str, ...]:
        """Every name a query may use for this family."""
        if self.type is MetricType.HISTOGRAM:
            return (f"{self.name}_bucket", f"{self.name}_sum", f"{self.name}_count")
        return (self.name,)

    def live_counter(self, registry: CollectorRegistry) -> Counter:
        """A live counter of this family."""
        return Counter(self.name, self.help, self.label_names, registry=registry)

    def live_histogram(self, registry: CollectorRegistry) -> Histogram:
        """A live histogram of this family."""
        return Histogram(self.name, self.help, self.label_names, registry=registry, buckets=self.buckets)

    def live_gauge(self, registry: CollectorRegistry) -> Gauge:
        """A live gauge of this family."""
        return Gauge(self.name, self.help, self.label_names, registry=registry)


def counter(name: str, help: str, labels: Sequence[Label] = ()) -> Family:
    """Describe a counter; `name` comes without prefix and with `_total`."""
    if not name.endswith("_total"):
        raise ValueError(f"counter {name} must end in _total, as Prometheus names counters")
    return Family(name=PREFIX + name, type=MetricType.COUNTER, help=help, labels=tuple(labels))


def gauge(name: str, help: str, labels: Sequence[Label] = ()) -> Family:
    """Describe a gauge; `name` comes without prefix."""
    return Family(name=PREFIX + name, type=MetricType.GAUGE, help=help, labels=tuple(labels))


def histogram(name: str, help: str, labels: Sequence[Label] = (), *, buckets: Sequence[float]) -> Family:
    """Describe a histogram; `name` comes without prefix, `buckets` are upper bounds in the unit of the name."""
    return Family(
        name=PREFIX + name, type=MetricType.HISTOGRAM, help=help, labels=tuple(labels), buckets=tuple(buckets)
    )
