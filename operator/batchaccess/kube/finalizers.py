"""Our finalizer on connections and policies, put there and taken away by patches of our own.

Not by kopf, whose finalizers come with every handler that changes something: ours are there only while a saga is open.
Each patch tests the resource version that it was made from, so it never undoes what somebody else did to the list.
"""

import logging
from collections.abc import Collection
from typing import Any, Final

from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.model import JsonObject, ObjectKey
from batchaccess.kube.catalogue import LiveCatalogue
from batchaccess.kube.client import KubeClient
from batchaccess.kube.resources import CONNECTIONS, FINALIZER, POLICIES, Resource
from batchaccess.ports import PortError

_log = logging.getLogger(__name__)

_ATTEMPTS: Final = 3
_NOT_FOUND: Final = 404


class LiveFinalizers:
    """Implements `ports.Finalizers` on the Kubernetes API."""

    def __init__(self, client: KubeClient, live: LiveCatalogue) -> None:
        self._client = client
        self._live = live

    def cluster_uid(self) -> str | None:
        """The UID of the cluster; None while that is not known."""
        return self._live.cluster_uid()

    async def hold(self, connection: AccountConnection, policy: AccessPolicy | None) -> bool:
        """Put our finalizer on both; whether it is there now. What is being deleted cannot be held any more."""
        held = await self._set(CONNECTIONS, None, connection.name, connection.uid, wanted=True)
        if policy is None:
            return held
        key = policy.key
        return held and await self._set(POLICIES, key.namespace, key.name, policy.uid, wanted=True)

    async def release_connection(self, name: str) -> bool:
        """Take our finalizer off a connection; whether it is gone now."""
        return await self._set(CONNECTIONS, None, name, None, wanted=False)

    async def release_policy(self, key: ObjectKey) -> bool:
        """Take our finalizer off a policy; whether it is gone now."""
        return await self._set(POLICIES, key.namespace, key.name, None, wanted=False)

    def held_policies(self) -> Collection[ObjectKey]:
        """The policies that carry our finalizer."""
        return [
            ObjectKey(namespace=entry.stored.namespace or "", name=entry.stored.name)
            for entry in self._live.policies()
            if entry.stored.held
        ]

    async def _set(
        self, resource: Resource, namespace: str | None, name: str, uid: str | None, *, wanted: bool
    ) -> bool:
        """Whether the finalizer is, or is not, on the object as `wanted`; a patch only where that is not so yet."""
        stored = self._live.stored(resource, namespace=namespace, name=name)
        if stored is None or (uid is not None and stored.uid != uid):
            return not wanted
        if stored.held is wanted:
            return True
        try:
            return await self._patch(resource, namespace, name, stored.uid, wanted=wanted)
        except PortError as error:
            if error.status == _NOT_FOUND:
                return not wanted
            _log.warning("the finalizer of %s %s was not changed: %s", resource.kind, name, error)
            return False

    async def _patch(self, resource: Resource, namespace: str | None, name: str, uid: str, *, wanted: bool) -> bool:
        path = resource.path(namespace=namespace, name=name)
        for attempt in range(1, _ATTEMPTS + 1):
            raw = await self._client.get(path)
            operations = _operations(raw, uid, wanted=wanted)
            if operations is None:
                return not wanted
            if not operations:
                self._live.observe(resource, raw)
                return True
            try:
                self._live.observe(resource, await self._client.json_patch(path, operations))
            except PortError as error:
                if error.status not in (409, 422) or attempt == _ATTEMPTS:
                    raise
            else:
                return True
        return False


def _operations(raw: JsonObject, uid: str, *, wanted: bool) -> list[dict[str, Any]] | None:
    """What to patch, nothing if the list is as wanted; None for another object, or one that cannot be held any more."""
    metadata = raw["metadata"]
    if metadata.get("uid") != uid or (wanted and metadata.get("deletionTimestamp")):
        return None
    present = list(metadata.get("finalizers") or ())
    if (FINALIZER in present) is wanted:
        return []
    changed = [*present, FINALIZER] if wanted else [each for each in present if each != FINALIZER]
    return [
        {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        {"op": "add", "path": "/metadata/finalizers", "value": changed},
    ]
