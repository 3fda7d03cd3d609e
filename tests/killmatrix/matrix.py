"""Every point of a saga times every harm, and the counts of how the runs ended."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from batchemulator import Assumptions
from tests.killmatrix.scenario import (
    IMPOSSIBLE,
    Kind,
    Lost,
    Result,
    Scenario,
    cannot_be_told,
    play,
    variants,
    with_setting,
)
from tests.killmatrix.tap import ON_THE_WIRE_ONLY, Harm, Phase, Point, harms_at

Setting = tuple[str, str]
"""One switch of docs/assumptions.md and its value."""


@dataclass(slots=True)
class Counts:
    """What the runs came to."""

    runs: int = 0
    corrected: int = 0
    failures: list[str] = field(default_factory=list)
    by_harm: Counter[str] = field(default_factory=Counter)
    stuck: Counter[str] = field(default_factory=Counter)
    gave_way: Counter[str] = field(default_factory=Counter)
    """Runs that rightly left the network as it was, untouched in scale and said so, by why."""

    def add(self, scenario: Scenario, setting: Setting | None, result: Result) -> None:
        """Count one run. Without progress it failed, unless its setting makes progress impossible."""
        self.runs += 1
        harm = "none" if scenario.point is None else f"{scenario.point.harm} ({scenario.lost} lost)"
        self.by_harm[harm] += 1
        self.corrected += result.corrected
        where = f"{scenario} under {setting}"
        self.failures += [f"{where}: {problem}" for problem in result.problems]
        if result.corrected:
            return
        point = scenario.point
        untold = cannot_be_told(None if point is None else point.harm, setting, result.said)
        if untold or (scenario.lost is Lost.AZURE and result.gave_way):
            self.gave_way["412 on the only spelling understood" if untold else "metadata edited before the drain"] += 1
        elif setting in IMPOSSIBLE and result.said.startswith(IMPOSSIBLE[setting].says):
            self.stuck["=".join(setting or ())] += 1
        else:
            self.failures.append(f"{where}: no progress, the pool says {result.said}")


def points(calls: Sequence[str]) -> Iterator[tuple[Point, Lost]]:
    """Everything that can happen at each call."""
    for number, name in enumerate(calls):
        for phase in Phase:
            for lost in Lost:
                yield Point(number=number, harm=Harm.CRASH, phase=phase), lost
        for harm in harms_at(name):
            if harm not in ON_THE_WIRE_ONLY:
                yield Point(number=number, harm=harm), Lost.NOTHING


def scenarios(setting: Setting | None) -> list[Scenario]:
    """Every run under one setting: first without harm, to learn the calls, then with each harm at each of them."""
    assumptions = Assumptions() if setting is None else with_setting(*setting)
    found = []
    for kind in Kind:
        plain = Scenario(kind=kind, assumptions=assumptions)
        found.append(plain)
        calls = asyncio.run(play(plain)).calls
        found += [
            Scenario(kind=kind, point=point, lost=lost, assumptions=assumptions) for point, lost in points(calls[:60])
        ]
    return found


def run(setting: Setting | None, sample: int | None = None, seed: int = 0) -> Counts:
    """All runs under one setting, or a seeded sample of them."""
    chosen = scenarios(setting)
    if sample is not None and sample < len(chosen):
        chosen = random.Random(f"{seed}{setting}").sample(chosen, sample)  # noqa: S311 no secret
    counts = Counts()
    for scenario in chosen:
        counts.add(scenario, setting, asyncio.run(play(scenario)))
    return counts


def run_all(
    settings: Sequence[Setting | None], sample: int | None = None, *, seed: int = 0, workers: int = 2
) -> Iterator[tuple[str, Counts]]:
    """The same under many settings, on so many processes, told as they end."""
    with ProcessPoolExecutor(workers) as pool:
        ran = pool.map(run, settings, [sample] * len(settings), [seed] * len(settings))
        for each, counts in zip(settings, ran, strict=True):
            yield "defaults" if each is None else "=".join(each), counts


def every_setting() -> list[Setting | None]:
    """The defaults, and each switch by itself."""
    return [None, *variants()]
