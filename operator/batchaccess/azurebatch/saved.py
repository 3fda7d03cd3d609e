"""Pools saved to a file: what `az batch pool list`, a REST client or Azure Resource Manager put there.

Such documents differ from the data plane's answers in casing (`inboundNatPools`), in nulls for "not set", and in the
Resource Manager form in nesting. They are brought into the data plane's form and then read as any other pool.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from batchaccess.azurebatch.convert import POOL_KEYS, observed_pool
from batchaccess.azurebatch.reading import Unreadable
from batchaccess.core.model import (
    JsonObject,
    ObservedPool,
)
from batchaccess.ports import Listing, UnreadablePool

_NETWORK_KEYS: Final = (
    "subnetId",
    "dynamicVNetAssignmentScope",
    "enableAcceleratedNetworking",
    "endpointConfiguration",
    "inboundNATPools",
    "name",
    "protocol",
    "backendPort",
    "frontendPortRangeStart",
    "frontendPortRangeEnd",
    "networkSecurityGroupRules",
    "priority",
    "access",
    "sourceAddressPrefix",
    "sourcePortRanges",
    "publicIPAddressConfiguration",
    "provision",
    "ipAddressIds",
    "ipFamilies",
    "ipTags",
    "ipTagType",
    "tag",
    "value",
)


@lru_cache(maxsize=1024)
def _folded(key: str) -> str:
    """A key without what tools disagree on: letter case and underscores."""
    return key.replace("_", "").lower()


_DATA_PLANE_KEY: Final[Mapping[str, str]] = MappingProxyType(
    {_folded(key): key for key in (*POOL_KEYS, *_NETWORK_KEYS)} | {"ipaddressprovisioningtype": "provision"}
)


class SavedPoolsError(ValueError):
    """A document holds no pools; the text says what was looked for."""


def read_saved_pools(document: Any) -> Listing:  # noqa: ANN401 parsed JSON of unknown origin
    """The pools of a parsed JSON document: a list of pools, an object with `value`, or a single pool.

    Raises:
        SavedPoolsError: the document has another form.
    """
    read = [_read(raw, f"[{index}]") for index, raw in enumerate(saved_elements(document))]
    return Listing(
        pools=[pool for pool in read if isinstance(pool, ObservedPool)],
        unreadable=[pool for pool in read if isinstance(pool, UnreadablePool)],
    )


def saved_elements(document: Any) -> list[Any]:  # noqa: ANN401 parsed JSON of unknown origin
    """What stands where pools are expected in a parsed JSON document, each still as it was written.

    Raises:
        SavedPoolsError: the document has another form.
    """
    found = document["value"] if isinstance(document, dict) and isinstance(document.get("value"), list) else document
    if isinstance(found, dict) and "id" in found:
        found = [found]
    if not isinstance(found, list):
        raise SavedPoolsError('expected a list of pools, an object with a list "value", or one pool with an "id"')
    return found


def _read(raw: Any, place: str) -> ObservedPool | UnreadablePool:  # noqa: ANN401 any JSON
    if not isinstance(raw, dict):
        return UnreadablePool(id=place, problem="is not an object")
    pool = data_plane_form(raw)
    try:
        return observed_pool(pool)
    except Unreadable as problem:
        return UnreadablePool(id=str(pool.get("id") or place), problem=str(problem))


def data_plane_form(raw: JsonObject) -> JsonObject:
    """A saved pool as the data plane would have answered it; unknown keys are kept."""
    if isinstance(raw.get("properties"), Mapping):
        raw = _from_resource_manager(raw)
    return {key: value for key, value in _canonical(raw).items() if value is not None}


def _canonical(value: Any) -> Any:  # noqa: ANN401 any JSON
    if isinstance(value, Mapping):
        return {
            _DATA_PLANE_KEY.get(_folded(key), key): _canonical(member)
            for key, member in value.items()
            if member is not None
        }
    if isinstance(value, list):
        return [_canonical(member) for member in value]
    return value


def _from_resource_manager(raw: JsonObject) -> JsonObject:
    properties = raw["properties"]
    pool = {key: value for key, value in properties.items() if key != "scaleSettings"}
    deleting = str(properties.get("provisioningState", "")).lower() == "deleting"
    pool |= _scale_keys(properties.get("scaleSettings"))
    pool["id"] = raw.get("name") or str(raw.get("id", "")).rpartition("/")[2]
    pool["eTag"] = str(raw.get("etag") or "").removeprefix("W/").strip('"')
    pool["state"] = "deleting" if deleting else "active"
    return pool


def _scale_keys(settings: Any) -> dict[str, Any]:  # noqa: ANN401 any JSON
    """Targets and autoscale as the data plane names them; with neither the pool's scale stays unknown."""
    settings = settings if isinstance(settings, Mapping) else {}
    fixed, auto = settings.get("fixedScale"), settings.get("autoScale")
    if isinstance(auto, Mapping):
        return {
            "enableAutoScale": True,
            "autoScaleFormula": auto.get("formula"),
            "autoScaleEvaluationInterval": auto.get("evaluationInterval"),
            "targetDedicatedNodes": 0,
            "targetLowPriorityNodes": 0,
        }
    if isinstance(fixed, Mapping):
        return {
            "enableAutoScale": False,
            "targetDedicatedNodes": fixed.get("targetDedicatedNodes", 0),
            "targetLowPriorityNodes": fixed.get("targetLowPriorityNodes", 0),
            "resizeTimeout": fixed.get("resizeTimeout"),
        }
    return {}
