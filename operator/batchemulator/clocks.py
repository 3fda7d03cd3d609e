"""The emulator's time: it runs at the speed of the wall clock, faster, or only when told."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The service's time. It never goes backwards."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        ...

    def advance(self, seconds: float) -> None:
        """Let `seconds` of the service's time pass at once."""
        ...


class ScaledClock:
    """Starts at the present and runs `scale` times as fast as the wall clock."""

    def __init__(self, scale: float = 1.0) -> None:
        if scale <= 0:
            raise ValueError(f"time scale {scale} must be greater than 0")
        self._scale = scale
        self._started = datetime.now(UTC)
        self._monotonic = time.monotonic()
        self._skipped = timedelta()

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return self._started + timedelta(seconds=(time.monotonic() - self._monotonic) * self._scale) + self._skipped

    def advance(self, seconds: float) -> None:
        """Let `seconds` of the service's time pass at once."""
        self._skipped += _forward(seconds)


class ManualClock:
    """Stands still until it is advanced: for tests, where nothing may happen by luck."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 3, 1, 12, 0, 0, 123400, tzinfo=UTC)

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let `seconds` of the service's time pass at once."""
        self._now += _forward(seconds)


def _forward(seconds: float) -> timedelta:
    if seconds < 0:
        raise ValueError(f"{seconds} seconds: time only goes forward")
    return timedelta(seconds=seconds)
