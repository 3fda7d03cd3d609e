"""Plays the kill matrix in full and prints its counts.

    python -m tests.killmatrix.prove [memory] [processes] [OPTION VALUE ...]

Without a name both. Ends 0 only if nothing failed. docs/proofs.md says how to read it.

    --sample N    only so many: of each setting in memory, in all on processes, where 16 have each harm once
    --seed N      chooses the sample, and the order on processes
    --only TEXT   on processes, the trials that have the text in their name
    --minutes N   on processes, the trials that there is time for
"""

import logging
import sys
import tempfile
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import click

from tests.killmatrix.matrix import every_setting, run_all
from tests.killmatrix.scenario import IMPOSSIBLE
from tests.killmatrix.trials import run_trials

_SHOWN = 10


def memory(sample: int | None, seed: int) -> int:
    """Every harm at every call, under every assumption; the number of failures."""
    failed = runs = corrected = 0
    gave_way, impossible, harms = Counter[str](), Counter[str](), Counter[str]()
    settings = every_setting()
    for name, counts in run_all(settings, sample, seed=seed):
        click.echo(f"  {name}: {counts.runs} runs, {counts.corrected} corrected, {len(counts.failures)} failures")
        for failure in counts.failures[:_SHOWN]:
            click.echo(f"    {failure}")
        failed += len(counts.failures)
        runs += counts.runs
        corrected += counts.corrected
        gave_way += counts.gave_way
        impossible += counts.stuck
        harms += counts.by_harm
    _tell_impossible()
    click.echo(
        f"kill matrix in memory: {runs} runs, {len(settings)} settings, {corrected} corrected, "
        f"{impossible.total()} where no drain is possible ({_shown(impossible)}), "
        f"{gave_way.total()} gave way ({_shown(gave_way)}), {failed} failures; {_shown(harms)}"
    )
    return failed


def processes(sample: int | None, seed: int, only: str, minutes: float | None) -> int:
    """SIGKILL and faults on real processes; the number of failures."""
    with tempfile.TemporaryDirectory(prefix="killmatrix-") as directory:
        trials = run_trials(Path(directory), sample=sample, seed=seed, only=only, minutes=minutes, tell=click.echo)
    _tell_impossible()
    impossible = Counter({"=".join(setting): count for setting, count in trials.impossible.items()})
    click.echo(f"  harmed calls: {_shown(trials.by_call)}")
    click.echo(
        f"kill matrix on processes: {trials.runs} runs, {trials.killed} kills, {len(trials.settings)} settings, "
        f"{trials.corrected} corrected, {impossible.total()} where no drain is possible ({_shown(impossible)}), "
        f"{trials.gave_way.total()} gave way ({_shown(trials.gave_way)}), {len(trials.failures)} failures, "
        f"{trials.not_played} not played for want of time; "
        f"{_shown(trials.by_harm)}"
    )
    return len(trials.failures)


def _tell_impossible() -> None:
    for (switch, value), impossible in IMPOSSIBLE.items():
        click.echo(f"  no drain is possible under {switch}={value}, which says {impossible.says}: {impossible.why}")


def _shown(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.most_common()) or "none"


def main(arguments: list[str]) -> int:
    """Play what is asked for; the exit status."""
    logging.disable(logging.CRITICAL)
    options = dict(pair for pair in pairwise(arguments) if pair[0].startswith("--"))
    sample = int(options["--sample"]) if "--sample" in options else None
    seed = int(options.get("--seed", 0))
    minutes = float(options["--minutes"]) if "--minutes" in options else None
    names = [each for each in ("memory", "processes") if each in arguments]
    failed = 0
    for name in names or ("memory", "processes"):
        started = time.monotonic()
        if name == "memory":
            failed += memory(sample, seed)
        else:
            failed += processes(sample, seed, options.get("--only", ""), minutes)
        click.echo(f"{name}: {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
