"""Pools as an audit reads them: with their traits and, where a file carries them, with their nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from batchaccess.azurebatch.convert import POOL_KEYS, observed_pool
from batchaccess.azurebatch.endpoints import CLOUDS
from batchaccess.azurebatch.nodes import node_findings
from batchaccess.azurebatch.reading import Unreadable
from batchaccess.azurebatch.saved import SavedPoolsError, data_plane_form, saved_elements
from batchaccess.azurebatch.traits import TRAIT_KEYS, pool_traits
from batchaccess.core.model import (
    JsonObject,
    NodeFindings,
    ObservedPool,
)
from batchaccess.core.pooltraits import PoolTraits
from batchaccess.ports import UnreadablePool

NODES_KEY: Final = "nodes"
"""Where a saved pool may carry the list of its nodes; the service has no key of that name."""

_RESOURCE_MANAGER_KEYS: Final = ("name", "etag", "properties", "scaleSettings", "provisioningState")
_LOOKED_AT: Final = frozenset(key.replace("_", "").lower() for key in (*POOL_KEYS, *_RESOURCE_MANAGER_KEYS))
"""Of a saved pool nothing else is taken over: most of it is machines, images and start tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedPool:
    """One pool with what an audit wants to know besides.

    `nodes` is what its nodes showed where they were saved with it; `account` is the account that its own text names.
    """

    pool: ObservedPool
    traits: PoolTraits
    nodes: NodeFindings | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """All pools of one source, those that could not be understood apart."""

    pools: tuple[SurveyedPool, ...] = ()
    unreadable: tuple[UnreadablePool, ...] = ()


def survey_saved(document: Any) -> Survey:  # noqa: ANN401 parsed JSON of unknown origin
    """The pools of a parsed document, in any of the forms of `saved`.

    Raises:
        SavedPoolsError: the document has another form.
    """
    elements = saved_elements(document)
    named = [(raw, f"[{index}]") for index, raw in enumerate(elements) if isinstance(raw, Mapping)]
    found = survey_of([(_flat(raw), place) for raw, place in named])
    wrong = tuple(
        UnreadablePool(id=f"[{index}]", problem="is not an object")
        for index, raw in enumerate(elements)
        if not isinstance(raw, Mapping)
    )
    return Survey(pools=found.pools, unreadable=(*found.unreadable, *wrong))


def saved_node_findings(document: Any, pool: ObservedPool) -> NodeFindings:  # noqa: ANN401 parsed JSON
    """What a saved node listing of a pool shows (`az batch node list`, or the service's own answer).

    Raises:
        SavedPoolsError: the document is no node listing, or one of its nodes cannot be understood.
    """
    listed = document["value"] if isinstance(document, Mapping) and "value" in document else document
    if not isinstance(listed, list):
        raise SavedPoolsError('expected a list of nodes, or an object with a list "value"')
    try:
        return node_findings(listed, pool.network.endpoints)
    except Unreadable as problem:
        raise SavedPoolsError(str(problem)) from None


def survey_of(elements: Sequence[tuple[JsonObject, str]]) -> Survey:
    """Pools in the data plane's form, each with what to call it should it have no id."""
    pools: list[SurveyedPool] = []
    unreadable: list[UnreadablePool] = []
    for raw, place in elements:
        try:
            pools.append(_surveyed(raw))
        except (Unreadable, SavedPoolsError) as problem:
            unreadable.append(UnreadablePool(id=str(raw.get("id") or place), problem=str(problem)))
    return Survey(pools=tuple(pools), unreadable=tuple(unreadable))


def _flat(raw: JsonObject) -> JsonObject:
    """A saved pool in the data plane's form, as far as it is looked at, with its own address and nodes kept beside."""
    properties = raw.get("properties")
    seen = _part(raw)
    form: dict[str, Any] = {}
    if isinstance(properties, Mapping):
        seen["properties"] = _part(properties)
        form |= {key: properties[key] for key in TRAIT_KEYS if key in properties}
    form |= {key: raw[key] for key in TRAIT_KEYS if key in raw}
    form |= data_plane_form(seen)
    form |= {"url": raw.get("id" if isinstance(properties, Mapping) else "url"), NODES_KEY: raw.get(NODES_KEY)}
    return form


def _part(raw: JsonObject) -> dict[str, Any]:
    return {key: value for key, value in raw.items() if _folded(key) in _LOOKED_AT}


@lru_cache(maxsize=1024)
def _folded(key: str) -> str:
    """A key without what tools disagree on."""
    return key.replace("_", "").lower()


def _surveyed(raw: JsonObject) -> SurveyedPool:
    pool = observed_pool(raw)
    nodes = raw.get(NODES_KEY)
    return SurveyedPool(
        pool=pool,
        traits=pool_traits(raw),
        nodes=None if nodes is None else saved_node_findings(nodes, pool),
        account=_account_of(raw.get("url")),
    )


def _account_of(address: Any) -> str | None:  # noqa: ANN401 any JSON
    """The account in a pool's URL, `https://name.region.batch.azure.com/pools/id`, or in its Resource Manager id."""
    if not isinstance(address, str):
        return None
    parts = address.split("/")
    lowered = [part.lower() for part in parts]
    if "batchaccounts" in lowered[:-1]:
        return lowered[lowered.index("batchaccounts") + 1] or None
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return None
    return host.partition(".")[0] if any(host.endswith(f".{cloud.batch_suffix}") for cloud in CLOUDS) else None
