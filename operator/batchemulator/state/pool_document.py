"""A pool as GET and list show it, in one api-version: key order, version-dependent keys, cached bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from batchemulator.state.nodes import NodeKind
from batchemulator.wire.times import format_duration, format_instant

if TYPE_CHECKING:
    from batchemulator.state.pool import Pool
    from batchemulator.versions import ApiVersion
    from batchemulator.wire.messages import JsonObject
    from batchemulator.wire.odata_query import Select

_CONFIGURED_ORDER = (
    "enableInterNodeCommunication",
    "startTask",
    "userAccounts",
    "certificateReferences",
    "applicationPackageReferences",
    "metadata",
    "taskSlotsPerNode",
    "taskSchedulingPolicy",
    "cloudServiceConfiguration",
    "virtualMachineConfiguration",
    "networkConfiguration",
    "mountConfiguration",
    "upgradePolicy",
    "targetNodeCommunicationMode",
    "currentNodeCommunicationMode",
)


def render_pool(pool: Pool, version: ApiVersion, base_url: str) -> JsonObject:
    """The pool's document without `odata.metadata`."""
    settings = pool.settings
    document: JsonObject = {"id": pool.id}
    if "displayName" in settings:
        document["displayName"] = settings["displayName"]
    document |= {
        "url": f"{base_url}/pools/{pool.id}",
        "eTag": pool.etag,
        "lastModified": format_instant(pool.modified),
        "creationTime": format_instant(pool.created),
        "state": pool.state.value,
        "stateTransitionTime": format_instant(pool.state_changed),
        "allocationState": pool.allocation.value,
        "allocationStateTransitionTime": format_instant(pool.allocation_changed),
    }
    if "vmSize" in settings:
        document["vmSize"] = settings["vmSize"]
    document["resizeTimeout"] = format_duration(pool.resize_timeout)
    if pool.resize_errors:
        document["resizeErrors"] = pool.resize_errors
    document |= {
        "currentDedicatedNodes": pool.count(NodeKind.DEDICATED),
        "targetDedicatedNodes": pool.targets.dedicated,
        "currentLowPriorityNodes": pool.count(NodeKind.LOW_PRIORITY),
        "targetLowPriorityNodes": pool.targets.low_priority,
        "enableAutoScale": pool.autoscale is not None,
    }
    if pool.autoscale is not None:
        document["autoScaleFormula"] = pool.autoscale.formula
        document["autoScaleEvaluationInterval"] = format_duration(pool.autoscale.interval)
        if pool.autoscale.run is not None:
            document["autoScaleRun"] = pool.autoscale.run
    document |= {key: settings[key] for key in _CONFIGURED_ORDER if key in settings}
    document |= {key: value for key, value in settings.items() if key not in document}
    if pool.nodes:
        document.setdefault("currentNodeCommunicationMode", "simplified")
    return _as_shown_in(document, version)


def _as_shown_in(document: JsonObject, version: ApiVersion) -> JsonObject:
    shown = {key: value for key, value in document.items() if key not in version.hidden_keys}
    network = shown.get("networkConfiguration")
    if network is not None and version.shows_acceleration_default:
        shown["networkConfiguration"] = {**network, "enableAcceleratedNetworking": _accelerated(network)}
    policy = shown.get("taskSchedulingPolicy")
    if policy is not None and not version.shows_job_default_order:
        shown["taskSchedulingPolicy"] = {key: value for key, value in policy.items() if key != "jobDefaultOrder"}
    return shown


def _accelerated(network: JsonObject) -> bool:
    return bool(network.get("enableAcceleratedNetworking", False))


def serialise_pool(pool: Pool, version: ApiVersion, base_url: str, select: Select | None) -> bytes:
    """The pool's document as bytes, the selected keys only; made once and kept until the pool changes."""
    cache_key = (version, base_url, select)
    found = pool.serialised.get(cache_key)
    if found is None:
        document = render_pool(pool, version, base_url)
        if select is not None:
            document = {key: value for key, value in document.items() if key in select}
        found = orjson.dumps(document)
        pool.serialised[cache_key] = found
    return found
