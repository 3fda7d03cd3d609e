"""Writes the status subresource of our objects, and only when it differs from what is stored."""

import logging
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Any, Final, TypeAlias

from batchaccess.core.model import JsonObject
from batchaccess.core.reasons import ErrorKind
from batchaccess.core.texts import shortened
from batchaccess.kube.catalogue import LiveCatalogue
from batchaccess.kube.client import KubeClient
from batchaccess.kube.mergepatch import merge_patch
from batchaccess.kube.resources import Resource
from batchaccess.ports import PortError

_log = logging.getLogger(__name__)

_ATTEMPTS: Final = 3
"""Writes of one status before a conflict is left to the next sweep."""

_LONGEST_REFUSAL: Final = 1000
"""Characters that are logged of why a status was refused; it may quote the whole object."""

_NOT_FOUND: Final = 404


class WriteOutcome(StrEnum):
    """How a wish to have something written ended."""

    UNCHANGED = "Unchanged"
    """Nothing to write."""
    WRITTEN = "Written"
    CONFLICT = "Conflict"
    """Somebody else kept changing the object; the next sweep tries again."""
    GONE = "Gone"
    """The object does not exist, or is another one of the same name."""
    REFUSED = "Refused"
    """The API server will never store this: a bug of ours, or CRDs of another version."""
    FAILED = "Failed"
    """No answer, or one that says to try later."""


CountWrite: TypeAlias = Callable[[Resource, WriteOutcome], None]
"""Called once per attempt that reached for the API; never with UNCHANGED."""


class StatusWriter:
    """Writes statuses. It never raises: a status that cannot be written must not stop a sweep."""

    def __init__(self, client: KubeClient, live: LiveCatalogue, count: CountWrite) -> None:
        self._client = client
        self._live = live
        self._count = count

    async def write(
        self,
        resource: Resource,
        *,
        namespace: str | None,
        name: str,
        uid: str,
        status: JsonObject,
        kept: Collection[str] = (),
    ) -> WriteOutcome:
        """Make `status` the whole status of the object with `uid`; keys in `kept` stay as they are stored.

        Guarded by the resource version we know: on a conflict the object is read again and the difference taken anew,
        so that no key of an older status is left behind.
        """

        def difference(stored: JsonObject) -> JsonObject:
            return merge_patch(_without(stored, kept), _without(status, kept))

        return await self._write(resource, namespace, name, uid, difference)

    async def amend(
        self, resource: Resource, *, namespace: str | None, name: str, uid: str, before: JsonObject, after: JsonObject
    ) -> WriteOutcome:
        """Make the keys of `before` say what `after` says, and leave the rest of the status alone.

        CONFLICT if they say neither what `before` nor what `after` says: then they are somebody else's.
        """

        def difference(stored: JsonObject) -> JsonObject | None:
            present = {key: stored[key] for key in before.keys() | after.keys() if key in stored}
            if present not in (_without_none(before), _without_none(after)):
                return None
            return merge_patch(present, _without_none(after))

        return await self._write(resource, namespace, name, uid, difference)

    async def _write(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        uid: str,
        difference: Callable[[JsonObject], JsonObject | None],
    ) -> WriteOutcome:
        outcome = WriteOutcome.CONFLICT
        for _ in range(_ATTEMPTS):
            outcome = await self._attempt(resource, namespace, name, uid, difference)
            if outcome is not WriteOutcome.UNCHANGED:
                self._count(resource, outcome)
            if outcome is not WriteOutcome.CONFLICT:
                return outcome
            if not await self._read_again(resource, namespace, name):
                return WriteOutcome.CONFLICT
        return outcome

    async def _attempt(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        uid: str,
        difference: Callable[[JsonObject], JsonObject | None],
    ) -> WriteOutcome:
        stored = self._live.stored(resource, namespace=namespace, name=name)
        if stored is None or stored.uid != uid:
            return WriteOutcome.GONE
        patch = difference(dict(stored.status))
        if patch is None:
            return WriteOutcome.CONFLICT
        if not patch:
            return WriteOutcome.UNCHANGED
        version = self._live.resource_version(resource, (namespace, name))
        body: dict[str, Any] = {"metadata": {"resourceVersion": str(version), "uid": uid}, "status": patch}
        try:
            answer = await self._client.merge_patch(
                resource.path(namespace=namespace, name=name, subresource="status"), body
            )
        except PortError as error:
            return self._failed(resource, namespace, name, error)
        self._live.observe(resource, answer)
        return WriteOutcome.WRITTEN

    async def _read_again(self, resource: Resource, namespace: str | None, name: str) -> bool:
        try:
            self._live.observe(resource, await self._client.get(resource.path(namespace=namespace, name=name)))
        except PortError as error:
            self._failed(resource, namespace, name, error)
            return False
        return True

    def _failed(self, resource: Resource, namespace: str | None, name: str, error: PortError) -> WriteOutcome:
        outcome = _outcome_of(error)
        if outcome is WriteOutcome.REFUSED:
            reason = shortened(error.message, _LONGEST_REFUSAL)
            _log.error("the status of %s %s was refused: %s", resource.kind, _shown(namespace, name), reason)
        elif outcome is WriteOutcome.FAILED:
            _log.warning("the status of %s %s was not written: %s", resource.kind, _shown(namespace, name), error)
        return outcome


def _without(part: JsonObject, keys: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key not in keys}


def _without_none(part: JsonObject) -> dict[str, Any]:
    return {key: value for key, value in part.items() if value is not None}


def _outcome_of(error: PortError) -> WriteOutcome:
    if error.status == _NOT_FOUND:
        return WriteOutcome.GONE
    match error.kind:
        case ErrorKind.RACE:
            return WriteOutcome.CONFLICT
        case ErrorKind.INVALID | ErrorKind.TERMINAL:
            return WriteOutcome.REFUSED
        case _:
            return WriteOutcome.FAILED


def _shown(namespace: str | None, name: str) -> str:
    return name if namespace is None else f"{namespace}/{name}"
