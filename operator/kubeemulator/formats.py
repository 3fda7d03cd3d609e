"""The string formats that the API server checks; any other format is ignored, as it does."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import uuid
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

_DNS_NAME: Final = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9_-]{1,63})*\.?")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_RFC3339: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")
_DURATION_PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d|w)")
_SECONDS: Final = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
}


def parse_ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address as Go's netip reads it, without zones and without IPv4 dressed as IPv6.

    Raises:
        ValueError: It is none.
    """
    address = ipaddress.ip_address(text)
    if "%" in text or (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped):
        raise ValueError(f"{text!r} has a zone or is an IPv4-mapped IPv6 address")
    return address


def parse_cidr(text: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    """A prefix as Go's netip reads it: host bits may be set, the length is a plain number.

    Raises:
        ValueError: It is none.
    """
    address, slash, length = text.partition("/")
    if not slash or not re.fullmatch(r"0|[1-9][0-9]*", length):
        raise ValueError(f"{text!r} has no prefix length")
    parse_ip(address)
    return ipaddress.ip_interface(text)


def parse_date_time(text: str) -> datetime:
    """An RFC 3339 time.

    Raises:
        ValueError: It is none.
    """
    if not _RFC3339.fullmatch(text):
        raise ValueError(f"{text!r} is not RFC 3339")
    return datetime.fromisoformat(text.upper())


def parse_duration(text: str) -> timedelta:
    """A duration in Go's spelling, such as `1h30m`.

    Raises:
        ValueError: It is none.
    """
    unsigned = text.lstrip("+-")
    if unsigned == "0":
        return timedelta()
    parts = _DURATION_PART.findall(unsigned)
    if not parts or "".join(number + unit for number, unit in parts) != unsigned:
        raise ValueError(f"{text!r} is not a duration")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return timedelta(seconds=-seconds if text.startswith("-") else seconds)


def _parse_bytes(text: str) -> object:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _parse_ipv4(text: str) -> object:
    return ipaddress.IPv4Address(text)


def _parse_ipv6(text: str) -> object:
    return ipaddress.IPv6Address(text)


def _parse_uri(text: str) -> object:
    parts = urlsplit(text)
    if not (parts.scheme or parts.path.startswith("/")):
        raise ValueError(f"{text!r} is not a URI")
    return parts


def _parse_by(pattern: re.Pattern[str]) -> Callable[[str], object]:
    def parse(text: str) -> object:
        if not pattern.fullmatch(text):
            raise ValueError(f"{text!r} does not match {pattern.pattern!r}")
        return text

    return parse


_PARSERS: Final[dict[str, Callable[[str], object]]] = {
    "byte": _parse_bytes,
    "cidr": parse_cidr,
    "date": date.fromisoformat,
    "date-time": parse_date_time,
    "datetime": parse_date_time,
    "duration": parse_duration,
    "email": _parse_by(_EMAIL),
    "hostname": _parse_by(_DNS_NAME),
    "ipv4": _parse_ipv4,
    "ipv6": _parse_ipv6,
    "uri": _parse_uri,
    "uuid": uuid.UUID,
}


def has_format(name: str, text: str) -> bool:
    """Whether a string has the format; every string has an unknown one."""
    parse = _PARSERS.get(name)
    if parse is None:
        return True
    try:
        parse(text)
    except ValueError:
        return False
    return True
