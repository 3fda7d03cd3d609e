"""What request bodies about pools must look like, before anything is looked up.

Recorded: validation of the body precedes the check that the pool exists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from batchemulator.assumptions import Answer, MetadataLimit, UnknownKey
from batchemulator.operations.call import Call, Identity
from batchemulator.operations.shapes import POOL_SHAPE, check_shape
from batchemulator.state.autoscale import DEFAULT_INTERVAL, MAX_INTERVAL, MIN_INTERVAL
from batchemulator.state.network_limits import check_network
from batchemulator.state.pool import DEFAULT_RESIZE_TIMEOUT, Targets
from batchemulator.wire.errors import (
    ErrorCode,
    ServiceError,
    invalid_body,
    invalid_property,
    missing_property,
    refused,
)
from batchemulator.wire.times import parse_duration

if TYPE_CHECKING:
    from batchemulator.wire.messages import JsonObject

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MIN_RESIZE_TIMEOUT = timedelta(minutes=5)
_MAX_RESIZE_TIMEOUT = timedelta(hours=168)
_SCALE_KEYS = frozenset(
    {
        "id",
        "resizeTimeout",
        "targetDedicatedNodes",
        "targetLowPriorityNodes",
        "enableAutoScale",
        "autoScaleFormula",
        "autoScaleEvaluationInterval",
    },
)
_CREATION_KEYS = _SCALE_KEYS | {
    "displayName",
    "vmSize",
    "cloudServiceConfiguration",
    "virtualMachineConfiguration",
    "networkConfiguration",
    "enableInterNodeCommunication",
    "startTask",
    "certificateReferences",
    "applicationPackageReferences",
    "applicationLicenses",
    "taskSlotsPerNode",
    "taskSchedulingPolicy",
    "userAccounts",
    "metadata",
    "mountConfiguration",
    "targetNodeCommunicationMode",
    "upgradePolicy",
    "resourceTags",
    "identity",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How many nodes a new pool is to have."""

    targets: Targets
    resize_timeout: timedelta
    formula: str | None
    interval: timedelta


def check_settings(call: Call, body: JsonObject) -> None:
    """Whether a pool could be created with this body.

    Raises:
        ServiceError: 400, or 403 for a subnet with SharedKey.
    """
    for required in ("id", "vmSize"):
        if body.get(required) is None and "cloudServiceConfiguration" not in body:
            raise missing_property(required)
    if not _ID.fullmatch(str(body.get("id"))):
        raise invalid_property("id", body.get("id"), "The id must be 1 to 64 letters, digits, '-' or '_'")
    if body.get("virtualMachineConfiguration") is None and body.get("cloudServiceConfiguration") is None:
        raise missing_property("virtualMachineConfiguration")
    reject_unknown_keys(call, body, _CREATION_KEYS)
    check_changed_settings(call, body)


def check_changed_settings(call: Call, body: JsonObject) -> None:
    """Whether the configured properties in a body are ones the service would take.

    Raises:
        ServiceError: 400, or 403 for a subnet with SharedKey.
    """
    check_shape("body", body, POOL_SHAPE)
    network = body.get("networkConfiguration")
    if network is not None:
        check_network(network, call.version)
        subnet = network.get("subnetId")
        if (
            subnet is not None
            and call.identity is Identity.SHARED_KEY
            and call.assumptions.shared_key_with_subnet is Answer.REFUSED
        ):
            raise refused(
                ErrorCode.FORBIDDEN,
                f"Property subnetId with value {subnet} is not enabled for current account",
            )
    if body.get("metadata") is not None:
        check_metadata(body["metadata"], call.assumptions.metadata_limit)
    _check_start_task(body.get("startTask"))


def _check_start_task(start_task: object) -> None:
    if start_task is None:
        return
    if not isinstance(start_task, dict):
        raise invalid_property("startTask", start_task, "The value must be an object")
    if start_task.get("commandLine") is None:
        raise missing_property("commandLine")


def check_metadata(metadata: object, limit: MetadataLimit) -> None:
    """Whether the service would take this list of metadata items.

    Raises:
        ServiceError: 400.
    """
    if not isinstance(metadata, list):
        raise invalid_property("metadata", metadata, "The value must be a list")
    for item in metadata:
        for required in ("name", "value"):
            if not isinstance(item, dict) or not isinstance(item.get(required), str):
                raise missing_property(required)
    total = sum(len(item["name"]) + len(item["value"]) for item in metadata)
    too_large = {
        MetadataLimit.NONE: False,
        MetadataLimit.VALUE_256: any(len(item["value"]) > 256 for item in metadata),  # noqa: PLR2004 - as named
        MetadataLimit.TOTAL_1024: total > 1024,  # noqa: PLR2004 - as named
        MetadataLimit.REFUSED: bool(metadata),
    }[limit]
    if too_large:
        raise ServiceError(code=ErrorCode.METADATA_TOO_LARGE)


def reject_unknown_keys(call: Call, body: JsonObject, known: frozenset[str]) -> None:
    """Refuse keys the api-version does not know, or drop them, as assumed.

    Raises:
        ServiceError: InvalidRequestBody.
    """
    unknown = sorted(body.keys() - known)
    if not unknown:
        return
    if call.assumptions.unknown_key is UnknownKey.REJECTED:
        raise invalid_body(f"The property '{unknown[0]}' is not part of this request in api-version {call.version}")
    for key in unknown:
        del body[key]


def settings_of(body: JsonObject) -> JsonObject:
    """The configured properties of a creation body, scale and identity left out."""
    return {key: value for key, value in body.items() if key not in _SCALE_KEYS}


def read_scale(body: JsonObject) -> Scale:
    """The scale a creation body asks for.

    Raises:
        ServiceError: 400.
    """
    formula = body.get("autoScaleFormula")
    enabled = bool(body.get("enableAutoScale", False))
    if enabled and formula is None:
        raise missing_property("autoScaleFormula")
    if enabled and (body.get("targetDedicatedNodes") or body.get("targetLowPriorityNodes")):
        raise invalid_property("enableAutoScale", value=True, reason="Targets cannot be set with automatic scaling")
    return Scale(
        targets=Targets(
            read_target(body, "targetDedicatedNodes") or 0, read_target(body, "targetLowPriorityNodes") or 0
        ),
        resize_timeout=read_resize_timeout(body),
        formula=str(formula) if enabled else None,
        interval=read_interval(body) or DEFAULT_INTERVAL,
    )


def read_target(body: JsonObject, name: str) -> int | None:
    """A target node count, or None; a number in a string counts, because that is what az sends.

    Raises:
        ServiceError: InvalidPropertyValue.
    """
    value = body.get(name)
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise invalid_property(name, value, "The value must be a whole number, 0 or greater")
    return value


def read_resize_timeout(body: JsonObject) -> timedelta:
    """The resizeTimeout of a body, 15 minutes if it has none.

    Raises:
        ServiceError: InvalidPropertyValue; less than 5 minutes or more than 168 hours.
    """
    length = _read_duration(body, "resizeTimeout")
    if length is None:
        return DEFAULT_RESIZE_TIMEOUT
    if not _MIN_RESIZE_TIMEOUT <= length <= _MAX_RESIZE_TIMEOUT:
        raise invalid_property("resizeTimeout", body["resizeTimeout"], "The value must be 5 minutes to 168 hours")
    return length


def read_interval(body: JsonObject) -> timedelta | None:
    """The autoScaleEvaluationInterval of a body, or None.

    Raises:
        ServiceError: InvalidPropertyValue; less than 5 minutes or more than 168 hours.
    """
    length = _read_duration(body, "autoScaleEvaluationInterval")
    if length is not None and not MIN_INTERVAL <= length <= MAX_INTERVAL:
        raise invalid_property(
            "autoScaleEvaluationInterval",
            body["autoScaleEvaluationInterval"],
            "The value must be 5 minutes to 168 hours",
        )
    return length


def _read_duration(body: JsonObject, name: str) -> timedelta | None:
    text = body.get(name)
    if text is None:
        return None
    try:
        return parse_duration(str(text))
    except ValueError:
        raise invalid_property(name, text, "The value must be an ISO 8601 duration like PT15M") from None
