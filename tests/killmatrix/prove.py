"""Plays the kill matrix and the long scenes in full and prints their counts.

    python -m tests.killmatrix.prove [memory] [processes] [endurance] [--sample N]

Without a name all three. Ends 0 only if nothing failed.
"""

import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

import click

from tests.endurance.scenes import Verdict, hostile_actor, soak, two_operators
from tests.killmatrix.matrix import every_setting, run_all
from tests.killmatrix.processes import run_trials
from tests.killmatrix.scenario import IMPOSSIBLE

_SHOWN = 10


def memory(sample: int | None) -> int:
    """Every harm at every call, under every assumption; the number of failures."""
    failed = runs = corrected = gave_way = impossible = 0
    for name, counts in run_all(every_setting(), sample).items():
        click.echo(f"  {name}: {counts.runs} runs, {counts.corrected} corrected, {len(counts.failures)} failures")
        for failure in counts.failures[:_SHOWN]:
            click.echo(f"    {failure}")
        failed += len(counts.failures)
        runs += counts.runs
        corrected += counts.corrected
        gave_way += counts.gave_way
        impossible += counts.stuck.total()
    for (switch, value), why in IMPOSSIBLE.items():
        click.echo(f"  no progress is possible under {switch}={value}: {why}")
    click.echo(
        f"kill matrix in memory: {runs} runs, {corrected} corrected, {gave_way} gave way to a metadata edit, "
        f"{impossible} without possible progress, {failed} failures"
    )
    return failed


def processes(sample: int | None) -> int:
    """SIGKILL and faults on real processes; the number of failures."""
    with tempfile.TemporaryDirectory(prefix="killmatrix-") as directory:
        trials = run_trials(Path(directory), sample=sample)
    for failure in trials.failures:
        click.echo(f"    {failure}")
    click.echo(
        f"kill matrix on processes: {trials.runs} runs, {trials.killed} kills, {trials.gave_way} gave way to an "
        f"edit of metadata, {len(trials.failures)} failures"
    )
    return len(trials.failures)


def endurance() -> int:
    """A rival, a hostile actor, a month; the number of failures."""
    return sum(
        (
            _told("two operators", asyncio.run(two_operators(hours=1))),
            _told("hostile actor", asyncio.run(hostile_actor(hours=6))),
            _told("soak", asyncio.run(soak())),
        )
    )


def _told(name: str, verdict: Verdict) -> int:
    click.echo(f"{name}: {verdict.figures}; {verdict.drains} drains, at most {verdict.most_drains_an_hour} an hour")
    for problem in verdict.problems[:_SHOWN]:
        click.echo(f"    {problem}")
    return len(verdict.problems)


def main(arguments: list[str]) -> int:
    """Play what is asked for; the exit status."""
    logging.disable(logging.CRITICAL)
    sample = int(arguments[arguments.index("--sample") + 1]) if "--sample" in arguments else None
    names = [each for each in ("memory", "processes", "endurance") if each in arguments]
    failed = 0
    for name in names or ("memory", "processes", "endurance"):
        started = time.monotonic()
        match name:
            case "memory":
                failed += memory(sample)
            case "processes":
                failed += processes(sample)
            case _:
                failed += endurance()
        click.echo(f"{name}: {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
