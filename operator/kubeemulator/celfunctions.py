"""The CEL functions that Kubernetes adds to the language: addresses, lists, sets, regular expressions, URLs.

Reference: Kubernetes documentation "Common Expression Language in Kubernetes", section "CEL libraries". Not here:
quantities, semantic versions, named formats and the authorizer. A function that raises ValueError makes the rule fail
with that text.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from kubeemulator.cellibrary import cel
from kubeemulator.formats import parse_cidr, parse_ip

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubeemulator.jsontypes import JsonValue

_T = cel.Type
_NO_ORDER: Final = "the list is empty"


def _is(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return check


def _ip(text: str) -> dict[str, str]:
    return {"ip": str(parse_ip(text))}


def _cidr(text: str) -> dict[str, str]:
    return {"cidr": str(parse_cidr(text))}


def _is_canonical(text: str) -> bool:
    return str(parse_ip(text)) == text


def _family(address: JsonValue) -> int:
    return parse_ip(address["ip"]).version


def _is_global_unicast(address: JsonValue) -> bool:
    parsed = parse_ip(address["ip"])
    return not (parsed.is_multicast or parsed.is_unspecified or parsed.is_loopback or parsed.is_link_local)


def _contains_ip(prefix: JsonValue, address: JsonValue) -> bool:
    inner = parse_ip(address["ip"] if isinstance(address, dict) else address)
    return inner in parse_cidr(prefix["cidr"]).network


def _contains_cidr(prefix: JsonValue, other: JsonValue) -> bool:
    outer = parse_cidr(prefix["cidr"]).network
    inner = parse_cidr(other["cidr"] if isinstance(other, dict) else other).network
    return outer.version == inner.version and inner.network_address in outer and inner.broadcast_address in outer


def _address_of(prefix: JsonValue) -> dict[str, str]:
    return {"ip": str(parse_cidr(prefix["cidr"]).ip)}


def _masked(prefix: JsonValue) -> dict[str, str]:
    return {"cidr": str(parse_cidr(prefix["cidr"]).network)}


def _prefix_length(prefix: JsonValue) -> int:
    return parse_cidr(prefix["cidr"]).network.prefixlen


def _is_sorted(values: list[JsonValue]) -> bool:
    return all(left <= right for left, right in itertools.pairwise(values))


def _least(values: list[JsonValue]) -> JsonValue:
    return min(values) if values else _fail(_NO_ORDER)


def _greatest(values: list[JsonValue]) -> JsonValue:
    return max(values) if values else _fail(_NO_ORDER)


def _fail(text: str) -> JsonValue:
    raise ValueError(text)


def _first_index(values: list[JsonValue], wanted: JsonValue) -> int:
    return next((index for index, value in enumerate(values) if value == wanted), -1)


def _last_index(values: list[JsonValue], wanted: JsonValue) -> int:
    return next((index for index in range(len(values) - 1, -1, -1) if values[index] == wanted), -1)


def _set_contains(outer: list[JsonValue], inner: list[JsonValue]) -> bool:
    return all(value in outer for value in inner)


def _set_equivalent(left: list[JsonValue], right: list[JsonValue]) -> bool:
    return _set_contains(left, right) and _set_contains(right, left)


def _set_intersects(left: list[JsonValue], right: list[JsonValue]) -> bool:
    return any(value in right for value in left)


def _find(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found.group() if found else ""


def _find_all(text: str, pattern: str) -> list[str]:
    return [found.group() for found in re.finditer(pattern, text)]


def _parse_url(text: str) -> dict[str, str]:
    parts = urlsplit(text)
    if not parts.scheme and not text.startswith("/"):
        raise ValueError(f"URL parse error during conversion from string: {text!r} is no absolute URI")
    port = str(parts.port) if parts.port is not None else ""
    return {
        "scheme": parts.scheme,
        "host": parts.netloc.rpartition("@")[2],
        "hostname": parts.hostname or "",
        "port": port,
        "path": parts.path,
    }


def _url_part(part: str) -> Callable[[JsonValue], str]:
    return lambda url: str(url[part])


def _function(name: str, returns: cel.Type, takes: list[cel.Type], body: Callable[..., object]) -> cel.FunctionDecl:
    identifier = f"kubernetes_{name.replace('.', '_')}_function"
    return cel.FunctionDecl(name, [cel.Overload(identifier, returns, takes, is_member=False, impl=body)])


def _member(name: str, returns: cel.Type, takes: list[cel.Type], body: Callable[..., object]) -> cel.FunctionDecl:
    return cel.FunctionDecl(
        name, [cel.Overload(f"kubernetes_{name}_member", returns, takes, is_member=True, impl=body)]
    )


def kubernetes_extension() -> cel.CelExtension:
    """The functions as one extension of a CEL environment."""
    any_, text, number, truth, values = _T.DYN, _T.STRING, _T.INT, _T.BOOL, _T.LIST
    return cel.CelExtension(
        "kubernetes",
        [
            _function("isIP", truth, [text], _is(parse_ip)),
            _function("isCIDR", truth, [text], _is(parse_cidr)),
            _function("ip", any_, [text], _ip),
            _function("cidr", any_, [text], _cidr),
            _function("ip.isCanonical", truth, [text], _is_canonical),
            _member("family", number, [any_], _family),
            _member("isUnspecified", truth, [any_], lambda address: parse_ip(address["ip"]).is_unspecified),
            _member("isLoopback", truth, [any_], lambda address: parse_ip(address["ip"]).is_loopback),
            _member("isLinkLocalUnicast", truth, [any_], lambda address: parse_ip(address["ip"]).is_link_local),
            _member("isGlobalUnicast", truth, [any_], _is_global_unicast),
            _member("containsIP", truth, [any_, any_], _contains_ip),
            _member("containsCIDR", truth, [any_, any_], _contains_cidr),
            _member("ip", any_, [any_], _address_of),
            _member("masked", any_, [any_], _masked),
            _member("prefixLength", number, [any_], _prefix_length),
            _member("isSorted", truth, [values], _is_sorted),
            _member("sum", any_, [values], sum),
            _member("min", any_, [values], _least),
            _member("max", any_, [values], _greatest),
            _member("indexOf", number, [values, any_], _first_index),
            _member("lastIndexOf", number, [values, any_], _last_index),
            _function("sets.contains", truth, [values, values], _set_contains),
            _function("sets.equivalent", truth, [values, values], _set_equivalent),
            _function("sets.intersects", truth, [values, values], _set_intersects),
            _member("find", text, [text, text], _find),
            _member("findAll", _T.List(text), [text, text], _find_all),
            _function("isURL", truth, [text], _is(_parse_url)),
            _function("url", any_, [text], _parse_url),
            _member("getScheme", text, [any_], _url_part("scheme")),
            _member("getHost", text, [any_], _url_part("host")),
            _member("getHostname", text, [any_], _url_part("hostname")),
            _member("getPort", text, [any_], _url_part("port")),
            _member("getEscapedPath", text, [any_], _url_part("path")),
        ],
    )
