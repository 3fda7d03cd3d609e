"""Prometheus' text format for state that changes rarely: rendered once per object, joined at each scrape.

prometheus_client renders every series anew at each scrape, some 8 microseconds each: nearly a second of a stalled event
loop at 10,000 pools. What the sweep feeds changes far more rarely than it is scraped, so its text is kept.
Source of the format: Prometheus documentation, "Exposition formats", text-based format 0.0.4.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from batchaccess.telemetry.families import Family

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of a family: values for its labels in their order, and its value."""

    family: Family
    labels: tuple[str, ...]
    value: float


@dataclass(frozen=True, slots=True)
class Rendered(Generic[RowT]):
    """A row and the lines of its series, one text per family of its table."""

    row: RowT
    texts: tuple[bytes, ...]


def render_row(row: RowT, families: Sequence[Family], samples: Iterable[Sample]) -> Rendered[RowT]:
    """Keep a row together with its series as text."""
    lines: dict[str, list[str]] = {family.name: [] for family in families}
    for sample in samples:
        lines[sample.family.name].append(render_sample(sample))
    return Rendered(row, tuple("".join(lines[family.name]).encode() for family in families))


def render_sample(sample: Sample) -> str:
    """One line of the text format."""
    return sample.family.line_format % (*map(_escape, sample.labels), float(sample.value))


def render_header(family: Family) -> bytes:
    """The two comment lines that precede the series of a family."""
    help_text = family.help.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {family.name} {help_text}\n# TYPE {family.name} {family.type}\n".encode()


def join_families(families: Sequence[Family], rows: Sequence[Rendered[RowT]]) -> bytes:
    """The text of all rows of one table, grouped by family as the format demands."""
    parts: list[bytes] = []
    for index, family in enumerate(families):
        parts.append(render_header(family))
        parts.extend(row.texts[index] for row in rows)
    return b"".join(parts)


def _escape(label_value: str) -> str:
    return label_value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
