"""The long scenes in full: `python -m tests.endurance.prove_scenes`; ends 1 if anything went wrong."""

import asyncio
import logging
import sys
import time

from tests.endurance.hostile import hostile_actor
from tests.endurance.ledger import Verdict
from tests.endurance.rival import two_operators
from tests.endurance.soak import soak

_SHOWN = 10
_SOAK_SECONDS = 600
"""What a month of 2,000 pools may take."""


def main() -> int:
    """Play, and print the counts."""
    logging.disable(logging.CRITICAL)
    failed = _told("two operators", asyncio.run(two_operators()))
    failed += _told("hostile actor", asyncio.run(hostile_actor()))
    began = time.monotonic()
    failed += _told("soak", asyncio.run(soak(tell=_say)))
    took = time.monotonic() - began
    if took > _SOAK_SECONDS:
        _say(f"    the soak took {took:.0f} s, more than {_SOAK_SECONDS} s")
        failed += 1
    return 1 if failed else 0


def _told(name: str, verdict: Verdict) -> int:
    _say(f"{name}: {verdict.figures}; {verdict.drains} drains, at most {verdict.most_drains_an_hour} an hour")
    for problem in verdict.problems[:_SHOWN]:
        _say(f"    {problem}")
    return len(verdict.problems)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
