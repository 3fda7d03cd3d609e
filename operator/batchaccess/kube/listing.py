"""Whole lists of a kind, read page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from batchaccess.core.model import JsonObject
from batchaccess.kube.client import KubeClient
from batchaccess.kube.resources import Resource
from batchaccess.ports import PortError

_PAGE: Final = 500
_GONE: Final = 410
_RESTARTS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeListing:
    """Every object of a kind as it was at one resource version."""

    items: Sequence[JsonObject]
    resource_version: str


async def list_all(client: KubeClient, resource: Resource, *, page_size: int = _PAGE) -> KubeListing:
    """Every object of a kind in all namespaces.

    A list that outlives its snapshot (410 Gone, "Retrieving large results sets in chunks") is read again from the
    start.

    Raises:
        PortError: the API refused or did not answer.
    """
    for _ in range(_RESTARTS):
        try:
            return await _list_once(client, resource, page_size)
        except PortError as error:
            if error.status != _GONE:
                raise
    return await _list_once(client, resource, 0)


async def _list_once(client: KubeClient, resource: Resource, page_size: int) -> KubeListing:
    items: list[JsonObject] = []
    query: dict[str, str | int] = {"limit": page_size} if page_size else {}
    while True:
        page = await client.get(resource.path(), **query)
        items += page.get("items") or ()
        metadata: dict[str, Any] = page.get("metadata") or {}
        token = metadata.get("continue")
        if not token:
            return KubeListing(items=items, resource_version=str(metadata.get("resourceVersion") or ""))
        query["continue"] = token
