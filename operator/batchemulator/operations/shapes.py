"""The JSON types of what request bodies hold, as far as the emulator looks into them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchemulator.wire.errors import ServiceError, invalid_property

if TYPE_CHECKING:
    from collections.abc import Mapping

Shape = type | dict[str, "Shape"] | list["Shape"]
"""A scalar type, the shapes of an object's known members, or the shape of a list's items."""

ANY_MEMBER = "*"
"""In an object's shape: the shape of every member not named."""

_RULE: dict[str, Shape] = {"sourceAddressPrefix": str, "access": str, "sourcePortRanges": [str]}
_NAT_POOL: dict[str, Shape] = {"name": str, "protocol": str, "networkSecurityGroupRules": [_RULE]}
POOL_SHAPE: dict[str, Shape] = {
    "id": str,
    "displayName": str,
    "vmSize": str,
    "taskSlotsPerNode": int,
    "enableInterNodeCommunication": bool,
    "enableAutoScale": bool,
    "autoScaleFormula": str,
    "taskSchedulingPolicy": {"nodeFillType": str, "jobDefaultOrder": str},
    "startTask": {"commandLine": str, "userIdentity": {"autoUser": {}}},
    "virtualMachineConfiguration": {"nodeAgentSKUId": str, "imageReference": {}, "nodePlacementConfiguration": {}},
    "userAccounts": [{"linuxUserConfiguration": {}}],
    "mountConfiguration": [{ANY_MEMBER: {}}],
    "metadata": [{"name": str, "value": str}],
    "applicationPackageReferences": [{}],
    "networkConfiguration": {
        "subnetId": str,
        "dynamicVNetAssignmentScope": str,
        "endpointConfiguration": {"inboundNATPools": [_NAT_POOL]},
        "publicIPAddressConfiguration": {"provision": str, "ipAddressIds": [str], "ipFamilies": [str]},
    },
}
JOB_SHAPE: dict[str, Shape] = {"id": str, "priority": int, "poolInfo": {"poolId": str}}
TASK_SHAPE: dict[str, Shape] = {
    "id": str,
    "commandLine": str,
    "requiredSlots": int,
    "constraints": {"retentionTime": str},
}
_WORDS = {str: "a text", int: "a whole number", bool: "true or false"}


def check_shape(name: str, value: object, shape: Shape) -> None:
    """Whether a value has the JSON types of a shape.

    Raises:
        ServiceError: InvalidPropertyValue naming the innermost property that has not.
    """
    if isinstance(shape, dict):
        _check_members(name, value, shape)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise _mistyped(name, value, "a list")
        for item in value:
            check_shape(name, item, shape[0])
    elif not isinstance(value, shape) or (shape is int and isinstance(value, bool)):
        raise _mistyped(name, value, _WORDS[shape])


def _check_members(name: str, value: object, shape: Mapping[str, Shape]) -> None:
    if not isinstance(value, dict):
        raise _mistyped(name, value, "an object")
    for key, member in value.items():
        expected = shape.get(key, shape.get(ANY_MEMBER))
        if expected is not None:
            check_shape(key, member, expected)


def _mistyped(name: str, value: object, word: str) -> ServiceError:
    return invalid_property(name, value, f"The value must be {word}")
