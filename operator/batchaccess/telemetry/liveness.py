"""Whether the sweep loops still turn: what `/healthz` answers.

A loop is alive when it ends sweeps, whatever their result: an account that cannot be reached is reported in conditions
and does not get better by restarting the operator.
"""

from batchaccess.ports import Clock

OVERDUE_PERIODS = 3
"""A sweep this many periods late is taken for stuck."""


class SweepDeadlines:
    """When each connection's loop must have ended its next sweep, on the monotonic clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._deadlines: dict[str, tuple[float, int]] = {}

    def renew(self, connection: str, *, period_seconds: int) -> None:
        """Note that a loop started or ended a sweep, and must do so again within three periods."""
        deadline = self._clock.monotonic() + OVERDUE_PERIODS * period_seconds
        self._deadlines[connection] = (deadline, period_seconds)

    def forget(self, connection: str) -> None:
        """Expect nothing more of a connection."""
        self._deadlines.pop(connection, None)

    def problems(self) -> list[str]:
        """One sentence per connection whose loop is overdue."""
        now = self._clock.monotonic()
        return [
            f"no sweep of connection {connection} has ended for {OVERDUE_PERIODS} periods of {period} s"
            for connection, (deadline, period) in sorted(self._deadlines.items())
            if now > deadline
        ]
