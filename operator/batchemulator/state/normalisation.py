"""Pool properties as the service gives them back: defaults added, secrets dropped, spelling changed.

Source: the recorded pairs of what was sent and what was read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchemulator.state.network import normalise_network

if TYPE_CHECKING:
    from collections.abc import Callable

    from batchemulator.assumptions import Assumptions
    from batchemulator.wire.messages import JsonObject

_MOUNT_SECRETS = frozenset({"accountKey", "sasKey", "password"})
_FILL_TYPES = {"spread": "Spread", "pack": "Pack"}
_PLACEMENT_POLICIES = {"regional": "Regional", "zonal": "Zonal"}


def normalise_settings(sent: JsonObject, assumptions: Assumptions) -> JsonObject:
    """The stored form of the configured properties; keys unknown here are kept as they came.

    Empty lists vanish, except `certificateReferences`, which keeps them (recorded).
    """
    settings: JsonObject = {}
    for key, value in sent.items():
        if value is None or (value == [] and key != "certificateReferences"):
            continue
        settings[key] = _NORMALISERS[key](value) if key in _NORMALISERS else value
    if "networkConfiguration" in settings:
        settings["networkConfiguration"] = normalise_network(settings["networkConfiguration"], assumptions)
    if "userAccounts" in settings:
        windows = "windows" in str(settings.get("virtualMachineConfiguration", {}).get("nodeAgentSKUId", "")).lower()
        is_windows = windows or "cloudServiceConfiguration" in settings
        settings["userAccounts"] = [
            _user_account(account, is_windows=is_windows) for account in settings["userAccounts"]
        ]
    return settings


def with_defaults(settings: JsonObject) -> JsonObject:
    """Normalised properties of a new pool, with what every pool shows added."""
    return {
        "enableInterNodeCommunication": False,
        "taskSlotsPerNode": 1,
        "taskSchedulingPolicy": _task_scheduling_policy({}),
    } | settings


def _vm_size(size: str) -> str:
    return size.lower()


def _task_scheduling_policy(sent: JsonObject) -> JsonObject:
    fill = str(sent.get("nodeFillType", "Spread"))
    order = str(sent.get("jobDefaultOrder", "none"))
    return {**sent, "nodeFillType": _FILL_TYPES.get(fill.lower(), fill), "jobDefaultOrder": order.lower()}


def _start_task(sent: JsonObject) -> JsonObject:
    task = {key: value for key, value in sent.items() if value not in (None, [])}
    identity = task.get("userIdentity") or {"autoUser": {}}
    if "autoUser" in identity:
        identity = {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin", **identity["autoUser"]}}
    task["userIdentity"] = identity
    task.setdefault("maxTaskRetryCount", 0)
    task.setdefault("waitForSuccess", True)
    return task


def _virtual_machine(sent: JsonObject) -> JsonObject:
    machine = {key: value for key, value in sent.items() if value not in (None, [])}
    image = machine.get("imageReference")
    if isinstance(image, dict) and "virtualMachineImageId" not in image:
        machine["imageReference"] = {"version": "latest"} | image
    placement = machine.get("nodePlacementConfiguration")
    if isinstance(placement, dict) and "policy" in placement:
        policy = str(placement["policy"])
        machine["nodePlacementConfiguration"] = {
            **placement,
            "policy": _PLACEMENT_POLICIES.get(policy.lower(), policy),
        }
    return machine


def _user_account(sent: JsonObject, *, is_windows: bool) -> JsonObject:
    account = {key: value for key, value in sent.items() if value is not None and key != "password"}
    account.setdefault("elevationLevel", "nonadmin")
    if is_windows:
        account.pop("linuxUserConfiguration", None)
        account.setdefault("windowsUserConfiguration", {"loginMode": "batch"})
    elif "linuxUserConfiguration" in account:
        linux = {key: value for key, value in account["linuxUserConfiguration"].items() if key != "sshPrivateKey"}
        account["linuxUserConfiguration"] = linux
    return account


def _mounts(sent: list[JsonObject]) -> list[JsonObject]:
    return [
        {
            kind: {key: value for key, value in configuration.items() if key not in _MOUNT_SECRETS}
            for kind, configuration in mount.items()
        }
        for mount in sent
    ]


_NORMALISERS: dict[str, Callable[..., object]] = {
    "vmSize": _vm_size,
    "taskSchedulingPolicy": _task_scheduling_policy,
    "startTask": _start_task,
    "virtualMachineConfiguration": _virtual_machine,
    "mountConfiguration": _mounts,
}
