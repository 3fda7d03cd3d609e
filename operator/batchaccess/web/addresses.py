"""Addresses of pages, relative to the page they stand on, so that a proxy may serve them under any prefix."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from batchaccess.core.model import ObjectKey
from batchaccess.web.fleet import Exposure, FleetFilter, Standing

_LONGEST_TEXT: Final = 200
"""Of a filter, in characters: longer than any name."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses as seen from a page that lies `depth` folders below the status page."""

    depth: int = 0

    def fleet(self, wanted: FleetFilter | None = None, *, page: int = 1) -> str:
        """The pools asked for."""
        query = urlencode(_query_of(wanted or FleetFilter(), page))
        return self._to(f"?{query}" if query else "")

    def pool(self, name: str) -> str:
        """The page of one BatchPoolAccess."""
        return self._to(f"pools/{quote(name, safe='')}")

    def policy(self, key: ObjectKey) -> str:
        """The page of one policy."""
        return self._to(f"policies/{quote(key.namespace, safe='')}/{quote(key.name, safe='')}")

    def connection(self, name: str) -> str:
        """The page of one connection."""
        return self._to(f"connections/{quote(name, safe='')}")

    def policies(self, *, page: int = 1) -> str:
        """The list of policies."""
        return self._to("policies" if page == 1 else f"policies?page={page}")

    def events(self) -> str:
        """The recent events."""
        return self._to("events")

    def asset(self, name: str) -> str:
        """A file of the page itself."""
        return self._to(f"assets/{name}")

    def _to(self, path: str) -> str:
        return ("../" * self.depth or "./") + path


def _query_of(wanted: FleetFilter, page: int) -> dict[str, str]:
    parts = {
        "q": wanted.text,
        "connection": wanted.connection,
        "policy": wanted.policy,
        "exposure": wanted.exposure or "",
        "standing": wanted.standing or "",
        "page": str(page) if page > 1 else "",
    }
    return {name: str(value) for name, value in parts.items() if value}


def filter_from(query: Mapping[str, str]) -> FleetFilter:
    """The filter that an address asks for; words it does not know ask for nothing."""
    exposure, standing = query.get("exposure", ""), query.get("standing", "")
    return FleetFilter(
        text=_part(query, "q"),
        connection=_part(query, "connection"),
        policy=_part(query, "policy"),
        exposure=Exposure(exposure) if exposure in set(Exposure) else None,
        standing=Standing(standing) if standing in set(Standing) else None,
    )


def page_from(query: Mapping[str, str]) -> int:
    """The page that an address asks for, the first if it makes no sense."""
    asked = query.get("page", "")
    return int(asked) if asked.isascii() and asked.isdigit() and 0 < len(asked) < 7 and int(asked) else 1  # noqa: PLR2004 digits of any page there can be


def key_of(text: str) -> ObjectKey | None:
    """The policy that a status names as `namespace/name`."""
    namespace, _, name = text.partition("/")
    return ObjectKey(namespace=namespace, name=name) if namespace and name else None


def _part(query: Mapping[str, str], name: str) -> str:
    return query.get(name, "").strip()[:_LONGEST_TEXT]
