"""A Lease of coordination.k8s.io: read, made, and replaced under its resource version: of two writers one loses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from batchaccess.core.model import JsonObject
from batchaccess.kube.client import KubeClient
from batchaccess.kube.resources import Resource
from batchaccess.ports import PortError

LEASES: Final = Resource(group="coordination.k8s.io", version="v1", plural="leases", kind="Lease", namespaced=True)

LEASE_NAME: Final = "batchaccess"
"""The Lease that replicas agree by; the role of deploy/kustomize/components/high-availability names it."""

_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRecord:
    """What a Lease says.

    Attributes:
        holder: identity of the replica that leads; empty if it let go.
        duration_seconds: how long others wait after they last saw the record change.
        acquired: when the holder began to lead, as the Lease has it; only people read it.
        renewed: when the holder last said so, as the Lease has it; others only see that it changes, because the clocks
            of two machines differ.
        transitions: how often the holder changed.
    """

    holder: str
    duration_seconds: int
    acquired: str
    renewed: str
    transitions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLease:
    """A Lease as it was read, with the version that a write is conditional on."""

    record: LeaseRecord
    version: str


class LeaseObject:
    """One Lease in one namespace. Every method raises `PortError`."""

    def __init__(self, client: KubeClient, namespace: str, name: str = LEASE_NAME) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name

    async def read(self) -> StoredLease | None:
        """The Lease now; None if there is none."""
        try:
            return _stored(await self._client.get(LEASES.path(namespace=self._namespace, name=self._name)))
        except PortError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    async def create(self, record: LeaseRecord) -> StoredLease:
        """Make the Lease; a PortError of kind Race if somebody else just did."""
        body = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": _spec(record),
        }
        return _stored(await self._client.create(LEASES.path(namespace=self._namespace), body))

    async def replace(self, record: LeaseRecord, *, version: str) -> StoredLease:
        """Write `record` if the Lease still has `version`; a PortError of kind Race if it has not."""
        body = {"metadata": {"resourceVersion": version}, "spec": _spec(record)}
        return _stored(await self._client.merge_patch(LEASES.path(namespace=self._namespace, name=self._name), body))


def micro_time(now: datetime) -> str:
    """A time as a Lease wants it: MicroTime of the Kubernetes API, which refuses fewer digits than six."""
    return now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _spec(record: LeaseRecord) -> JsonObject:
    return {
        "holderIdentity": record.holder,
        "leaseDurationSeconds": record.duration_seconds,
        "acquireTime": record.acquired,
        "renewTime": record.renewed,
        "leaseTransitions": record.transitions,
    }


def _stored(raw: Mapping[str, Any]) -> StoredLease:
    """Fields that are missing are those of a Lease that nobody holds."""
    spec = raw.get("spec") or {}
    record = LeaseRecord(
        holder=spec.get("holderIdentity") or "",
        duration_seconds=spec.get("leaseDurationSeconds") or 0,
        acquired=spec.get("acquireTime") or "",
        renewed=spec.get("renewTime") or "",
        transitions=spec.get("leaseTransitions") or 0,
    )
    return StoredLease(record=record, version=str((raw.get("metadata") or {}).get("resourceVersion", "")))
