"""The API versions served, and what each one allows and shows."""

from __future__ import annotations

from enum import StrEnum

_PATCHABLE_ALWAYS = frozenset({"startTask", "applicationPackageReferences", "metadata"})
_PATCHABLE_WHEN_EMPTY = frozenset(
    {
        "displayName",
        "vmSize",
        "taskSlotsPerNode",
        "taskSchedulingPolicy",
        "enableInterNodeCommunication",
        "virtualMachineConfiguration",
        "networkConfiguration",
        "userAccounts",
        "mountConfiguration",
        "upgradePolicy",
    },
)


class ApiVersion(StrEnum):
    """A served api-version, oldest first."""

    V2024_02 = "2024-02-01.19.0"
    V2024_07 = "2024-07-01.20.0"
    V2025_06 = "2025-06-01"

    @property
    def patchable_any_time(self) -> frozenset[str]:
        """Keys a PATCH may carry whatever the pool's size."""
        if self is ApiVersion.V2025_06:
            return _PATCHABLE_ALWAYS
        return _PATCHABLE_ALWAYS | {"certificateReferences", "targetNodeCommunicationMode"}

    @property
    def patchable_when_empty(self) -> frozenset[str]:
        """Keys a PATCH may carry on an empty pool only (since 2024-07-01.20.0)."""
        match self:
            case ApiVersion.V2024_02:
                return frozenset()
            case ApiVersion.V2024_07:
                return _PATCHABLE_WHEN_EMPTY | {"resourceTags"}
            case ApiVersion.V2025_06:
                return _PATCHABLE_WHEN_EMPTY

    @property
    def reserved_backend_ports(self) -> frozenset[int]:
        """Backend ports no NAT pool may name; through 2024-02-01.19.0 the login ports are among them."""
        batch_agent = frozenset({29876, 29877})
        return batch_agent | {22, 3389} if self is ApiVersion.V2024_02 else batch_agent

    @property
    def hidden_keys(self) -> frozenset[str]:
        """Pool keys this version's answers do not have."""
        if self is ApiVersion.V2025_06:
            return frozenset(
                {"certificateReferences", "currentNodeCommunicationMode", "targetNodeCommunicationMode"},
            )
        return frozenset()

    @property
    def shows_acceleration_default(self) -> bool:
        """Whether `enableAcceleratedNetworking: false` is shown when nothing was set."""
        return self is not ApiVersion.V2024_02

    @property
    def shows_job_default_order(self) -> bool:
        """Whether `taskSchedulingPolicy.jobDefaultOrder` is shown."""
        return self is ApiVersion.V2025_06

    @property
    def content_type(self) -> str:
        """The content type of answers; the space came with 2024-07-01.20.0."""
        space = "" if self is ApiVersion.V2024_02 else " "
        return f"application/json;{space}odata=minimalmetadata"
