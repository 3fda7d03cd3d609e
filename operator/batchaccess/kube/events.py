"""Kubernetes events, aggregated as client-go does: one Event object per fact about an object, with a count.

Core v1 events: `kubectl describe` reads them everywhere, and a count needs only PATCH of the same object.
"""

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from batchaccess.core.reasons import EventReason, EventType
from batchaccess.kube.client import KubeClient
from batchaccess.kube.resources import EVENTS, GROUP, VERSION
from batchaccess.ports import Clock, PortError

_log = logging.getLogger(__name__)

_COMPONENT: Final = "batchaccess"
_REMEMBERED: Final = 4096
_NOT_FOUND: Final = 404
_MESSAGE_LIMIT: Final = 1024
"""Longer messages are refused by the API server (validation of core v1 Event)."""

CLUSTER_SCOPED_NAMESPACE: Final = "default"
"""Where events about objects without a namespace are kept, as kubectl expects it."""

CountEvent: TypeAlias = Callable[[EventType, EventReason, bool], None]
"""Called once per request: type, reason, and whether it succeeded."""


@dataclass(slots=True, kw_only=True)
class _Series:
    """One Event object: how often its fact was told, and when that was last written."""

    name: str
    namespace: str
    count: int
    written_at: float


class EventRecorder:
    """Emits events and implements `ports.Recorder`. A repeat within `quiet_seconds` only counts in memory.

    What is told here happened or changed, so a repeat is news: whoever reads it wants to know when it was last so.
    """

    def __init__(self, client: KubeClient, clock: Clock, count: CountEvent, *, quiet_seconds: float = 5) -> None:
        self._client = client
        self._clock = clock
        self._count = count
        self._quiet_seconds = quiet_seconds
        self._series: OrderedDict[tuple[str, str, str], _Series] = OrderedDict()

    async def record(
        self,
        *,
        kind: str,
        name: str,
        namespace: str | None,
        uid: str,
        event_type: EventType,
        reason: EventReason,
        message: str,
    ) -> None:
        """Emit one event; failures are logged and never raised."""
        message = message[:_MESSAGE_LIMIT]
        key = (uid, reason.value, message)
        known = self._series.get(key)
        try:
            if known is not None and await self._repeat(known):
                self._series.move_to_end(key)
                return
            self._series[key] = await self._begin(
                _regarding(kind, name, namespace, uid), event_type, reason, message, digest=_digest(key)
            )
        except PortError as error:
            self._count(event_type, reason, False)  # noqa: FBT003 the callback's third word is "succeeded"
            _log.warning("event %s about %s %s was not recorded: %s", reason, kind, name, error)
            return
        self._count(event_type, reason, True)  # noqa: FBT003 the callback's third word is "succeeded"
        while len(self._series) > _REMEMBERED:
            self._series.popitem(last=False)

    async def _repeat(self, series: _Series) -> bool:
        """Count a repeat; False if its Event object has expired and must be made anew."""
        series.count += 1
        if self._clock.monotonic() - series.written_at < self._quiet_seconds:
            return True
        body = {"count": series.count, "lastTimestamp": _timestamp(self._clock.now())}
        try:
            await self._client.merge_patch(EVENTS.path(namespace=series.namespace, name=series.name), body)
        except PortError as error:
            if error.status == _NOT_FOUND:
                return False
            raise
        series.written_at = self._clock.monotonic()
        return True

    async def _begin(
        self, regarding: dict[str, Any], event_type: EventType, reason: EventReason, message: str, *, digest: str
    ) -> _Series:
        now = self._clock.now()
        namespace = regarding.get("namespace") or CLUSTER_SCOPED_NAMESPACE
        name = f"{regarding['name'][:180]}.{digest}{int(now.timestamp()):x}"
        body = {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": regarding,
            "type": event_type.value,
            "reason": reason.value,
            "message": message,
            "count": 1,
            "firstTimestamp": _timestamp(now),
            "lastTimestamp": _timestamp(now),
            "source": {"component": _COMPONENT},
            "reportingComponent": _COMPONENT,
            "reportingInstance": _COMPONENT,
        }
        await self._client.create(EVENTS.path(namespace=namespace), body)
        return _Series(name=name, namespace=namespace, count=1, written_at=self._clock.monotonic())


def _regarding(kind: str, name: str, namespace: str | None, uid: str) -> dict[str, Any]:
    regarding = {"apiVersion": f"{GROUP}/{VERSION}", "kind": kind, "name": name, "uid": uid}
    return regarding if namespace is None else {**regarding, "namespace": namespace}


def _digest(key: tuple[str, str, str]) -> str:
    return hashlib.sha256("\x00".join(key).encode()).hexdigest()[:10]


def _timestamp(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
