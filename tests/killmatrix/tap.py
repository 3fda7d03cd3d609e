"""Points at which something happens to a running operator: around every external call, counted in order."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import PortError


class Crash(BaseException):
    """The process is gone: nothing in it may catch this."""


class Phase(StrEnum):
    """When it happens, as seen from one call."""

    BEFORE = "before"
    AFTER = "after"


class Harm(StrEnum):
    """What happens at a point."""

    CRASH = "crash"
    RACE = "412"
    THROTTLED = "429 with Retry-After"
    FAILED_BEFORE = "500 before effect"
    FAILED_AFTER = "500 after effect"
    TIMED_OUT_AFTER = "timeout after effect"
    DROPPED_AFTER = "connection dropped after effect"
    STALE_READ = "stale read"
    KUBERNETES_CONFLICT = "Kubernetes 409"
    KUBERNETES_FAILED = "Kubernetes 500 before effect"
    KUBERNETES_UNANSWERED = "Kubernetes connection dropped after effect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The `number`-th external call, counted from 0, and what happens there.

    With `call` it is the `number`-th call of that name since the last of so many `landmarks`: how often a process looks
    while it waits is not the same each time, what it writes is.
    """

    number: int
    harm: Harm
    phase: Phase = Phase.BEFORE
    call: str | None = None
    landmarks: int = 0

    def is_at(self, calls: Sequence[str]) -> bool:
        """Whether the last of these calls is the one."""
        if self.call is None:
            return self.number == len(calls) - 1
        return place_of(calls) == (self.call, self.number, self.landmarks)


@dataclass(slots=True)
class Tap:
    """Counts the calls of all tapped parts together and does harm at one of them, once."""

    point: Point | None = None
    calls: list[str] = field(default_factory=list)
    on_crash: Callable[[], None] | None = None
    _last_read: dict[str, Any] = field(default_factory=dict)

    def tapped(self, part: Any, methods: frozenset[str]) -> Any:  # noqa: ANN401 any part
        """The part with these asynchronous methods under the tap."""
        return _Tapped(part, methods, self)

    async def call(self, name: str, effect: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 any call's
        """Make one call, with harm done to it if this is the point."""
        self.calls.append(name)
        point = self.point if self.point is not None and self.point.is_at(self.calls) else None
        if point is None:
            answer = await effect()
        else:
            self.point = None
            answer = await self._harm(point, name, effect)
        if name in READS:
            self._last_read[name] = answer
        return answer

    async def _harm(self, point: Point, name: str, effect: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 any call's
        if point.harm is Harm.STALE_READ and name in self._last_read:
            return self._last_read[name]
        if point.harm in OF_KUBERNETES:
            if point.harm is Harm.KUBERNETES_UNANSWERED:
                await effect()
            return _NOT_DONE[name]
        error = _error(point.harm, is_write=name not in READS)
        if point.harm is not Harm.CRASH and error is None:
            return await effect()
        if point.phase is Phase.AFTER or point.harm in (Harm.FAILED_AFTER, Harm.TIMED_OUT_AFTER):
            with suppress(PortError):  # a refusal is an answer too, after which one may die
                await effect()
        if error is not None:
            raise error
        if self.on_crash is not None:
            self.on_crash()
        raise Crash


POOLS = frozenset(
    {
        "get_pool",
        "list_pools",
        "list_node_endpoints",
        "patch_network",
        "patch_metadata",
        "disable_autoscale",
        "enable_autoscale",
        "resize",
        "stop_resize",
    }
)
READS = frozenset({"get_pool", "list_pools", "list_node_endpoints"})
REPORTS = frozenset({"create", "write", "write_journal", "delete"})
FINALIZERS = frozenset({"hold", "release_connection", "release_policy"})
OF_KUBERNETES = frozenset({Harm.KUBERNETES_CONFLICT, Harm.KUBERNETES_FAILED, Harm.KUBERNETES_UNANSWERED})
_NOT_DONE = {name: False if name in FINALIZERS | {"delete"} else None for name in REPORTS | FINALIZERS}
"""What the Kubernetes ports answer, which never raise, when something is not certain to be done."""

ON_THE_WIRE_ONLY = frozenset({Harm.DROPPED_AFTER, Harm.KUBERNETES_CONFLICT})
"""Harms that at the ports look like another one: a timeout, and a failure."""


LANDMARKS = (POOLS - READS) | {"write_journal"}
"""Calls that a saga makes equally often whenever it is played."""


def place_of(calls: Sequence[str]) -> tuple[str, int, int]:
    """Where the last of these calls stands: its name, how many of that name came before it since the last landmark,
    and how many landmarks.
    """
    *before, name = calls
    landmarks = [number for number, call in enumerate(before) if call in LANDMARKS]
    since = before[landmarks[-1] + 1 :] if landmarks else before
    return name, since.count(name), len(landmarks)


def harms_at(name: str) -> list[Harm]:
    """What can happen at a call, but for the death of the process."""
    if name not in POOLS:
        return [harm for harm in Harm if harm in OF_KUBERNETES]
    no_harm_here = OF_KUBERNETES | {Harm.CRASH}
    if name in READS:
        no_harm_here |= {Harm.RACE, Harm.FAILED_AFTER, Harm.DROPPED_AFTER}
    if name not in ("get_pool", "list_pools"):
        no_harm_here |= {Harm.STALE_READ}
    return [harm for harm in Harm if harm not in no_harm_here]


class _Tapped:
    def __init__(self, part: Any, methods: frozenset[str], tap: Tap) -> None:  # noqa: ANN401 any part
        self._part = part
        self._methods = methods
        self._tap = tap

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 whatever the part has
        attribute = getattr(self._part, name)
        if name not in self._methods:
            return attribute

        async def tapped(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 any call's
            return await self._tap.call(name, lambda: attribute(*arguments, **named))

        return tapped


def _error(harm: Harm, *, is_write: bool) -> PortError | None:
    match harm:
        case Harm.RACE:
            return PortError(ErrorKind.RACE, "ConditionNotMet", "raced", status=412) if is_write else None
        case Harm.THROTTLED:
            return PortError(ErrorKind.TRANSIENT, "TooManyRequests", "busy", status=429, retry_after=60)
        case Harm.FAILED_BEFORE:
            return PortError(ErrorKind.TRANSIENT, "InternalError", "failed", status=500, outcome_unknown=is_write)
        case Harm.FAILED_AFTER:
            return PortError(ErrorKind.TRANSIENT, "OperationTimedOut", "slow", status=500, outcome_unknown=is_write)
        case Harm.TIMED_OUT_AFTER | Harm.DROPPED_AFTER:
            return PortError(ErrorKind.TRANSIENT, "Timeout", "no answer", outcome_unknown=is_write)
        case _:
            return None
