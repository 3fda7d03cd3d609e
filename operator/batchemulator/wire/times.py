"""Instants and durations in the service's spelling.

Instants carry up to seven decimals with trailing zeros dropped; durations are ISO 8601, `PT15M00S` in and `PT15M` out.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?(?:Z|\+00:00)?")
_DURATION = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
)
_TICKS_PER_SECOND = 10_000_000
_YEAR_ONE = datetime(1, 1, 1, tzinfo=UTC)


def format_instant(instant: datetime) -> str:
    """`2026-02-03T00:00:21.2341Z`: UTC, decimals as far as they say something."""
    text = instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    decimals = f"{instant.microsecond:06d}".rstrip("0")
    return f"{text}.{decimals}Z" if decimals else f"{text}Z"


def parse_instant(text: str) -> datetime:
    """The instant in `text`; the seventh decimal is dropped.

    Raises:
        ValueError: `text` is not an ISO 8601 instant in UTC.
    """
    match = _INSTANT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not an instant like 2026-02-03T00:00:21.2341Z")
    whole = datetime.fromisoformat(match.group(1)).replace(tzinfo=UTC)
    return whole + timedelta(microseconds=int((match.group(2) or "0").ljust(7, "0")[:6]))


def format_http_date(instant: datetime) -> str:
    """The RFC 1123 form of HTTP headers, whole seconds."""
    return format_datetime(instant.astimezone(UTC), usegmt=True)


def parse_http_date(text: str) -> datetime:
    """The instant of an HTTP date header.

    Raises:
        ValueError: `text` is not such a date.
    """
    return parsedate_to_datetime(text).astimezone(UTC)


def parse_duration(text: str) -> timedelta:
    """The length of an ISO 8601 duration made of days, hours, minutes and seconds.

    Raises:
        ValueError: `text` is not such a duration.
    """
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groupdict().values()):
        raise ValueError(f"{text!r} is not a duration like PT15M")
    return timedelta(**{unit: float(amount) for unit, amount in match.groupdict().items() if amount is not None})


def format_duration(length: timedelta) -> str:
    """The shortest ISO 8601 spelling, `PT15M` for a quarter of an hour."""
    days, rest = length.days, length.seconds
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f"{length.microseconds:06d}".rstrip("0")
    time = "".join(f"{amount}{unit}" for amount, unit in ((hours, "H"), (minutes, "M")) if amount)
    if seconds or fraction:
        time += f"{seconds}.{fraction}S" if fraction else f"{seconds}S"
    date = f"{days}D" if days else ""
    if not date and not time:
        return "PT0S"
    return f"P{date}T{time}" if time else f"P{date}"


def ticks(instant: datetime) -> int:
    """Units of 100 ns since year one, from which the service makes its ETags."""
    elapsed = instant.astimezone(UTC) - _YEAR_ONE
    return (elapsed.days * 86_400 + elapsed.seconds) * _TICKS_PER_SECOND + elapsed.microseconds * 10
