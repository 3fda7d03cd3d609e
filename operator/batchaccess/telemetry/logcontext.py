"""Which connection, pool, policy and sweep the code at hand works on; every log line says so by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class LogContext:
    """What a log line is about. Each asyncio task inherits that of the task that started it."""

    connection: str | None = None
    pool: str | None = None
    policy: str | None = None
    sweep: str | None = None

    def fields(self) -> dict[str, str]:
        """The parts that are known, in fixed order."""
        parts = {"connection": self.connection, "pool": self.pool, "policy": self.policy, "sweep": self.sweep}
        return {name: value for name, value in parts.items() if value is not None}


_NOTHING_KNOWN: Final = LogContext()
_current: Final[ContextVar[LogContext]] = ContextVar("log_context", default=_NOTHING_KNOWN)


def current_log_context() -> LogContext:
    """The context of the running task."""
    return _current.get()


@contextmanager
def log_context(
    *, connection: str | None = None, pool: str | None = None, policy: str | None = None, sweep: str | None = None
) -> Iterator[None]:
    """Add to the context for the length of a `with` block; what is not given stays as it was."""
    added = LogContext(connection=connection, pool=pool, policy=policy, sweep=sweep).fields()
    token = _current.set(replace(_current.get(), **added))
    try:
        yield
    finally:
        _current.reset(token)
