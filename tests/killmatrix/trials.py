"""Which trials are played on real processes, on how many stages at once, and the counts of how they ended."""

import math
import queue
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from tests.killmatrix.processes import POOLS, Play, Played, Setting, Trial
from tests.killmatrix.scenario import IMPOSSIBLE, Lost, variants
from tests.killmatrix.stage import Stage, stage
from tests.killmatrix.tap import LANDMARKS, Harm, Phase, Point, harms_at, place_of

STAGES = 4
_TOLD_EACH = 100
MOST_CALLS = 80
"""Calls of an undisturbed saga that are harmed; it has 40 to 60."""


@dataclass(slots=True)
class Trials:
    """What the trials came to."""

    runs: int = 0
    corrected: int = 0
    seconds: float = 0
    """The sum over all trials, several of which are played at once."""
    by_harm: Counter[str] = field(default_factory=Counter)
    by_call: Counter[str] = field(default_factory=Counter)
    """How often each call was the one that was harmed."""
    settings: set[Setting | None] = field(default_factory=set)
    gave_way: Counter[str] = field(default_factory=Counter)
    """Trials that rightly left the network as it was, by the reason that the pool gives."""
    impossible: Counter[Setting] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    not_played: int = 0
    """Trials for which there was no time."""

    @property
    def killed(self) -> int:
        """How many operators died of SIGKILL."""
        return sum(count for harm, count in self.by_harm.items() if harm.startswith("SIGKILL"))

    def add(self, played: Played) -> None:
        """Count one trial."""
        trial = played.trial
        self.runs += 1
        self.seconds += played.seconds
        self.settings.add(trial.setting)
        if trial.point is None or trial.point.call is None:
            self.by_harm[trial.harm] += 1
        elif played.struck:
            self.by_harm[trial.harm] += 1
            self.by_call[trial.point.call] += 1
        else:
            self.by_harm["no harm, as the call was not made"] += 1
        if played.problem:
            self.failures.append(f"{trial}: {played.problem}; it called {' '.join(played.calls[-8:])}; {played.words}")
        elif not played.gave_way:
            self.corrected += 1
        elif trial.setting in IMPOSSIBLE and trial.setting is not None:
            self.impossible[trial.setting] += 1
        else:
            self.gave_way[f"{played.gave_way} after {trial.harm}"] += 1


def every_harm(plain: Played) -> list[Trial]:
    """Death before and after every call, with every loss, and every other harm at every call."""
    found = []
    for number in _numbers(plain.calls):
        found += [_at(plain, number, Harm.CRASH, phase) for phase in Phase]
        found += [_at(plain, number, Harm.CRASH, Phase.AFTER, lost) for lost in Lost if lost is not Lost.NOTHING]
        found += [_at(plain, number, harm) for harm in harms_at(plain.calls[number])]
    return found


def some_of_every_harm(plain: Iterable[Played], dice: random.Random) -> list[Trial]:
    """Each harm and each loss at one call of one of these, deaths at a write to the pool or of the journal."""
    by_harm: dict[str, list[Trial]] = {}
    for trial in chain.from_iterable(map(every_harm, plain)):
        if not trial.dies or (trial.point is not None and trial.point.call in LANDMARKS):
            by_harm.setdefault(trial.harm, []).append(trial)
    return [dice.choice(trials) for _, trials in sorted(by_harm.items())]


def _at(plain: Played, number: int, harm: Harm, phase: Phase = Phase.BEFORE, lost: Lost = Lost.NOTHING) -> Trial:
    call, before, landmarks = place_of(plain.calls[: number + 1])
    point = Point(number=before, call=call, landmarks=landmarks, harm=harm, phase=phase)
    return Trial(kind=plain.trial.kind, setting=plain.trial.setting, point=point, lost=lost)


def _numbers(calls: Sequence[str]) -> Iterator[int]:
    """The calls that are harmed: of the rounds of a waiting loop, a read and a report, the first and the last."""
    for number in range(min(len(calls), MOST_CALLS)):
        around = calls[max(0, number - 2) : number + 3]
        is_within_a_loop = len(around) == 5 and around[0] == around[2] == around[4] and around[1] == around[3]
        if not is_within_a_loop:
            yield number


def run_trials(
    directory: Path,
    *,
    sample: int | None = None,
    seed: int = 0,
    only: str = "",
    minutes: float | None = None,
    stages: int = STAGES,
    tell: Callable[[str], None] = print,
) -> Trials:
    """All trials, or those with `only` in their name, or a seeded sample of them that has one of each harm in it.

    What is not begun after so many minutes is not played, and counted.
    """
    counts = Trials()
    deadline = time.monotonic() + 60 * (math.inf if minutes is None else minutes)
    with ExitStack() as stack:
        free: queue.SimpleQueue[Stage] = queue.SimpleQueue()
        for number in range(stages):
            free.put(stack.enter_context(stage(directory / f"stage-{number}")))
        players = stack.enter_context(ThreadPoolExecutor(stages))

        def play(numbered: tuple[int, Trial]) -> Played | None:
            if time.monotonic() > deadline:
                return None
            here = free.get()
            try:
                return Play(here, numbered[1], f"busy-{numbered[0]}").run()
            finally:
                free.put(here)

        def play_all(trials: Sequence[Trial], begin: int) -> list[Played]:
            ended = []
            for played in players.map(play, enumerate(trials, begin)):
                if played is None:
                    counts.not_played += 1
                    continue
                counts.add(played)
                if played.problem:
                    tell(f"  FAILED {counts.failures[-1]}")
                if counts.runs % _TOLD_EACH == 0:
                    tell(f"  {counts.runs} trials, {len(counts.failures)} failures")
                ended.append(played)
            return ended

        plain = play_all(undisturbed(sample), 0)
        trials = chosen(plain, sample, random.Random(seed))  # noqa: S311 no secret
        play_all([trial for trial in trials if only in str(trial)], len(plain))
    return counts


def undisturbed(sample: int | None) -> list[Trial]:
    """Trials without harm, which show what calls there are to be harmed; one is enough for a sample."""
    if sample is not None:
        return [Trial()]
    settings: list[Setting | None] = [None, *variants()]
    return [Trial(kind=kind, setting=setting) for setting in settings for kind in POOLS]


def chosen(plain: Sequence[Played], sample: int | None, dice: random.Random) -> list[Trial]:
    """What is played after the undisturbed trials; a sample has each harm once, then some under random settings."""
    found = [trial for each in plain if each.trial.setting is None for trial in every_harm(each)]
    if sample is None:
        for setting in variants():
            found += some_of_every_harm([each for each in plain if each.trial.setting == setting], dice)
        dice.shuffle(found)
        return found
    harms = sorted({trial.harm for trial in found})
    firsts = [trial for trial in found if trial.point is not None and trial.point.number == 0]
    one_of_each = [dice.choice([each for each in firsts if each.harm == harm]) for harm in harms]
    possible = [setting for setting in variants() if setting not in IMPOSSIBLE]
    more = dice.sample(found, max(0, sample - len(one_of_each)))
    stuck = Trial(setting=dice.choice(sorted(IMPOSSIBLE)))
    return [*one_of_each, stuck, *(replace(trial, setting=dice.choice(possible)) for trial in more)][:sample]
