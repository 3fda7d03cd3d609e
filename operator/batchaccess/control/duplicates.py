"""Which connection sweeps an account when several name the same one; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from batchaccess.core.declared import AccountConnection

_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Who sweeps. `duplicates` maps the name of each connection that does not to the one that does in its stead."""

    sweeping: Mapping[str, AccountConnection]
    duplicates: Mapping[str, str]


def assign(connections: Iterable[AccountConnection]) -> Assignment:
    """Give every account to the oldest of its connections, then by name: two writers on one pool are never allowed."""
    sweeping: dict[str, AccountConnection] = {}
    duplicates: dict[str, str] = {}
    by_host: dict[str, str] = {}
    for connection in sorted(connections, key=lambda each: (each.created, each.name)):
        owner = by_host.setdefault(account_host(connection.endpoint), connection.name)
        if owner == connection.name:
            sweeping[connection.name] = connection
        else:
            duplicates[connection.name] = owner
    return Assignment(sweeping=sweeping, duplicates=duplicates)


def account_host(endpoint: str) -> str:
    """Host and port of an account's endpoint in one spelling."""
    url = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
    host = (url.hostname or "").rstrip(".")
    return f"{host}:{url.port or _DEFAULT_PORTS.get(url.scheme, 0)}"
