"""Numbers as a person reads them, by the unit that a Grafana panel names."""

from typing import Final

_SUFFIX: Final = "suffix:"
_COUNTABLE: Final = 1e15
_MEBIBYTE: Final = 1024 * 1024
_MINUTE: Final = 60
_HOUR: Final = 3600


def told(value: float, unit: str | None) -> str:
    """`value` in words: `s` are seconds, `bytes` bytes, `reqps` requests per second, anything else a bare number.

    What follows on `suffix:` comes behind the number as it is.
    """
    if unit is not None and unit.startswith(_SUFFIX):
        return f"{_number(value)}{unit.removeprefix(_SUFFIX)}"
    match unit:
        case "s":
            return _duration(value)
        case "bytes":
            return f"{value / _MEBIBYTE:.0f} MiB"
        case "reqps":
            return f"{_number(value)}/s"
        case _:
            return _number(value)


def ago(moment: float, now: float) -> str:
    """How long before `now` something was, both in Unix seconds."""
    return f"{_duration(max(0.0, now - moment))} ago"


def _number(value: float) -> str:
    if value >= _COUNTABLE:
        return f"{value:.1e}"
    return f"{value:,.0f}" if value == round(value) else f"{value:.2g}"


def _duration(seconds: float) -> str:
    if seconds >= _HOUR:
        return f"{seconds / _HOUR:.1f} h"
    if seconds >= _MINUTE:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:.0f} s"
    if seconds < 1 and seconds:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.0f} s" if seconds == round(seconds) else f"{seconds:.1f} s"
