"""A clock that tests move by hand."""

from datetime import datetime, timedelta

from tests.support.build import NOW


class FakeClock:
    """Implements `batchaccess.ports.Clock`; stands still until `advance` moves it."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._seconds += seconds

    def now(self) -> datetime:
        """The time of day."""
        return NOW + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._seconds
