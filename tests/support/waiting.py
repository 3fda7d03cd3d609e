"""Waiting for conditions, always with a bound."""

import asyncio
import time
from collections.abc import Callable


async def eventually(condition: Callable[[], object], *, within: float = 10, what: str = "the condition") -> None:
    """Return once `condition` is true.

    Raises:
        AssertionError: it was not within so many seconds.
    """
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true within {within} s"
        await asyncio.sleep(0.01)
