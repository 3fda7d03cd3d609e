"""How fast one account may be asked: a token bucket that also keeps the silence the service asks for."""

import asyncio
from collections.abc import Awaitable, Callable

from batchaccess.azurebatch.classify import LONGEST_RETRY_AFTER_SECONDS
from batchaccess.core.declared import RequestBudget
from batchaccess.core.reasons import ErrorKind
from batchaccess.ports import PortError

LONGEST_WAIT_SECONDS = 30.0
"""A caller waits at most this long for the end of a Retry-After; a longer one is reported, for the sweep to requeue."""

_CLOCK_GRAIN_SECONDS = 1e-6
"""A wait shorter than this is rounding: sleeping it might not advance the clock, and the loop would not end."""


class Throttle:
    """The request budget of one account.

    Callers are served in the order they came. Every wait is bounded by the budget itself or by `longest_wait`.
    """

    def __init__(
        self,
        budget: RequestBudget,
        *,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        longest_wait: float = LONGEST_WAIT_SECONDS,
    ) -> None:
        self._per_second = budget.per_second
        self._burst = max(1, budget.burst)
        self._monotonic = monotonic
        self._sleep = sleep
        self._longest_wait = longest_wait
        self._tokens = float(self._burst)
        self._filled_at = monotonic()
        self._paused_until = self._filled_at
        self._turn = asyncio.Lock()

    @property
    def level(self) -> float:
        """Requests that could be made at once now; 0 while the service asked for silence."""
        if self.paused_for > 0:
            return 0.0
        return min(float(self._burst), self._tokens + (self._monotonic() - self._filled_at) * self._per_second)

    @property
    def paused_for(self) -> float:
        """Seconds until the Retry-After of the service is over, 0 if there is none."""
        return max(0.0, self._paused_until - self._monotonic())

    def pause(self, seconds: float) -> None:
        """Make no request for `seconds`, or longer if an earlier pause reaches further; at most an hour from now."""
        self._paused_until = max(self._paused_until, self._monotonic() + min(seconds, LONGEST_RETRY_AFTER_SECONDS))

    async def acquire(self) -> None:
        """Wait until one request may be made, and take it from the budget.

        Raises:
            PortError: kind Transient, code `Throttled`: the service asked for a silence longer than callers wait.
        """
        async with self._turn:
            while (wait := self._wait()) > 0:
                await self._sleep(wait)
            self._tokens -= 1

    def _wait(self) -> float:
        """Seconds until a token is there and no pause holds; tops the bucket up to now."""
        pause = self.paused_for
        if pause > self._longest_wait:
            raise PortError(
                ErrorKind.TRANSIENT,
                "Throttled",
                "the Batch service asked for a pause; the next requests follow after it",
                retry_after=pause,
            )
        now = self._monotonic()
        self._tokens = min(float(self._burst), self._tokens + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        missing = (1 - self._tokens) / self._per_second
        return max(pause, missing) if max(pause, missing) > _CLOCK_GRAIN_SECONDS else 0.0
