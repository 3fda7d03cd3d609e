"""Watches: the events of a bucket as one client with its selectors sees them, with bookmarks, until the deadline."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from kubeemulator import fielderrors
from kubeemulator.cluster import Cluster, in_version
from kubeemulator.errors import ApiError, gone, invalid
from kubeemulator.reads import selection
from kubeemulator.rendering import Form, rendered_object
from kubeemulator.store import Bucket, Entry, Event, EventType

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from kubeemulator.jsontypes import JsonObject
    from kubeemulator.kinds import Resource
    from kubeemulator.options import ListOptions

BOOKMARK_SECONDS: Final = 60.0
DEFAULT_SECONDS: Final = 1800
_BEFORE_DEADLINE: Final = 0.2
_INITIAL_END: Final = "k8s.io/initial-events-end"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What one watching client sees."""

    resource: Resource
    namespace: str
    options: ListOptions
    form: Form
    query: Mapping[str, str]
    bookmark_seconds: float = BOOKMARK_SECONDS

    def line(self, kind: str, entry: Entry) -> bytes:
        """One event as a line of the stream."""
        body = rendered_object(self.resource, entry, self.form, self.query)
        return b'{"type":"' + kind.encode() + b'","object":' + body + b"}\n"

    def bookmark(self, revision: int, *, ends_initial: bool = False) -> bytes:
        """A bookmark: everything up to the revision was sent."""
        metadata: JsonObject = {"resourceVersion": str(revision), "creationTimestamp": None}
        if ends_initial:
            metadata["annotations"] = {_INITIAL_END: "true"}
        obj = {"kind": self.resource.kind, "apiVersion": self.resource.api_version, "metadata": metadata}
        return self.line("BOOKMARK", Entry(obj))


def error_line(error: ApiError) -> bytes:
    """An error in the stream, after which it ends."""
    return b'{"type":"ERROR","object":' + orjson.dumps(error.as_status()) + b"}\n"


class Watch:
    """One watch, validated when made, streamed when iterated."""

    def __init__(self, cluster: Cluster, view: View) -> None:
        """Check what can be refused before the stream begins.

        Raises:
            ApiError: 400 for a bad selector, 422 for options that do not fit.
        """
        self._cluster = cluster
        self._view = view
        self._bucket: Bucket = cluster.store.bucket(view.resource.storage)
        self._selected: Callable[[JsonObject], bool] = selection(view.resource, view.namespace, view.options)
        options = view.options
        if options.send_initial_events and options.version_match != "NotOlderThan":
            detail = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            raise invalid(view.resource, "", [fielderrors.forbidden("resourceVersionMatch", detail)])
        asked = options.resource_version or 0
        self._starts_with_state = options.send_initial_events or not asked
        self._revision = cluster.store.revision if self._starts_with_state else asked

    async def chunks(self, seconds: float) -> AsyncIterator[bytes]:
        """The stream, in pieces of one or more lines, until the seconds are over.

        A version outside the history is told within the stream, as the real server's watch cache does.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        next_bookmark = min(loop.time() + self._view.bookmark_seconds, deadline - min(_BEFORE_DEADLINE, seconds / 2))
        waker = asyncio.Event()
        self._bucket.wakers.add(waker)
        try:
            if self._starts_with_state:
                yield self._state()
            while (now := loop.time()) < deadline:
                waker.clear()
                try:
                    lines = self._news()
                except ApiError as error:
                    yield error_line(error)
                    return
                if lines:
                    yield lines
                elif self._view.options.bookmarks and now >= next_bookmark:
                    yield self._view.bookmark(self._revision)
                    next_bookmark = self._following_bookmark(now, deadline, seconds)
                else:
                    await _wait(
                        waker, min(deadline, max(next_bookmark, now)) - now if self._bookmarks else deadline - now
                    )
        finally:
            self._bucket.wakers.discard(waker)

    @property
    def _bookmarks(self) -> bool:
        return self._view.options.bookmarks

    def _following_bookmark(self, now: float, deadline: float, seconds: float) -> float:
        last = deadline - min(_BEFORE_DEADLINE, seconds / 2)
        return min(now + self._view.bookmark_seconds, last) if now < last else deadline + 1

    def _state(self) -> bytes:
        entries = [
            in_version(self._view.resource, entry)
            for key, entry in sorted(self._bucket.entries.items())
            if self._view.namespace in {"", key[0]}
        ]
        lines = [self._view.line(EventType.ADDED, entry) for entry in entries if self._selected(entry.obj)]
        if self._view.options.send_initial_events and self._bookmarks:
            lines.append(self._view.bookmark(self._revision, ends_initial=True))
        return b"".join(lines)

    def _news(self) -> bytes:
        if self._revision > self._cluster.store.revision:
            raise gone(self._revision, self._cluster.store.revision)
        events = self._bucket.since(self._revision)
        self._revision = max(self._revision, self._cluster.store.revision)
        return b"".join(line for event in events if (line := self._line(event)))

    def _line(self, event: Event) -> bytes:
        entry = in_version(self._view.resource, event.entry)
        is_in = self._selected(entry.obj)
        was_in = event.previous is not None and self._selected(event.previous)
        match event.type:
            case EventType.DELETED:
                return self._view.line(EventType.DELETED, entry) if was_in else b""
            case EventType.ADDED | EventType.MODIFIED:
                if is_in:
                    return self._view.line(EventType.MODIFIED if was_in else EventType.ADDED, entry)
                return self._view.line(EventType.DELETED, entry) if was_in else b""


async def _wait(waker: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await waker.wait()
    except TimeoutError:
        return
