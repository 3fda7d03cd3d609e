"""The request log: what clients asked and what they got, the proof of how many calls something costs."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batchemulator.wire.messages import JsonObject

_CAPACITY = 200_000
READS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One request and the status of its answer."""

    method: str
    operation: str
    path: str
    query: dict[str, str]
    status: int
    account: str
    user_agent: str
    pool_id: str | None
    if_match: str | None
    body: bytes

    def json(self) -> JsonObject:
        """The request's body, parsed; empty where there was none."""
        parsed = orjson.loads(self.body) if self.body else {}
        return parsed if isinstance(parsed, dict) else {"value": parsed}

    def as_json(self) -> JsonObject:
        """The entry as the control endpoint shows it."""
        return {
            "method": self.method,
            "operation": self.operation,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "account": self.account,
            "userAgent": self.user_agent,
            "poolId": self.pool_id,
            "ifMatch": self.if_match,
            "body": self.body.decode(errors="replace"),
        }


@dataclass(slots=True)
class RequestLog:
    """The last requests, oldest first."""

    entries: deque[LoggedRequest] = field(default_factory=lambda: deque(maxlen=_CAPACITY))

    def add(self, entry: LoggedRequest) -> None:
        """Note a request."""
        self.entries.append(entry)

    def reset(self) -> None:
        """Forget everything."""
        self.entries.clear()

    def of(self, *operations: str, account: str | None = None, pool: str | None = None) -> list[LoggedRequest]:
        """The requests of some operations (all, if none is named), of one account and pool where given."""
        return [
            entry
            for entry in self.entries
            if (not operations or entry.operation in operations)
            and account in {None, entry.account}
            and pool in {None, entry.pool_id}
        ]

    def writes(self) -> list[LoggedRequest]:
        """The requests that were not reads."""
        return [entry for entry in self.entries if entry.method not in READS]

    def __iter__(self) -> Iterator[LoggedRequest]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)
