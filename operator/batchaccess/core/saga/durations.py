"""ISO 8601 durations as the service writes them (`PT15M`, `PT7M9.497S`, `P1D`)."""

import re
from typing import Final

_DURATION: Final = re.compile(
    r"P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_SECONDS: Final = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}


def seconds_of(text: str | None) -> float | None:
    """The length of a duration in seconds; None if there is none or it cannot be understood."""
    found = _DURATION.fullmatch(text or "")
    if found is None or not any(found.groups()):
        return None
    return sum(float(number) * _SECONDS[unit] for unit, number in found.groupdict().items() if number is not None)


def duration_text(seconds: int) -> str:
    """A whole number of seconds as a duration, zero included."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if number]
    return "PT" + ("".join(parts) or "0S")


def same_duration(one: str | None, other: str | None) -> bool:
    """Whether two durations are equally long, however they are written (sent `PT15M00S`, returned `PT15M`)."""
    lengths = seconds_of(one), seconds_of(other)
    return one == other if None in lengths else lengths[0] == lengths[1]
