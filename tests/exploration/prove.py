"""The exploration in full: `python -m tests.exploration.prove [most states of one world]`.

Ends 1 if an invariant is violated anywhere, if a rule leads elsewhere than the table of transitions says, or if an
operator with one rule broken is not caught. Rules that decided nowhere are named.
"""

import os
import sys
import time
from dataclasses import dataclass
from multiprocessing import get_context

from tests.exploration.leads import Lead, misled, unseen
from tests.exploration.mutants import MUTANTS
from tests.exploration.search import Found, World, explore
from tests.exploration.worlds import DOCUMENTED, FULL, OTHER_UNKNOWNS, SMALL, worlds

MOST_STATES = 1_000_000
WORLDS_OF_A_PROCESS = 8
"""After which its memory is given back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One world to be explored; `mutant` names the rule that is broken in it, none if it is the real operator's."""

    world: World
    most_states: int
    mutant: str = ""
    invariant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a task."""

    task: Task
    found: Found
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether an invariant is violated or a rule misleads; of a mutant, whether its invariant is not violated."""
        if self.task.mutant:
            return not self.found.violation.startswith(self.task.invariant)
        return bool(self.found.violation or self.misled)

    @property
    def misled(self) -> list[Lead]:
        """What leads elsewhere than the table says; that of an operator with a broken rule is not asked."""
        return [] if self.task.mutant else misled(self.found.leads)


def tasks(most_states: int) -> list[Task]:
    """Every world, then every mutant, which is looked for until it is found."""
    real = (*worlds(FULL, DOCUMENTED), *worlds(SMALL, OTHER_UNKNOWNS))
    return [
        *(Task(world=world, most_states=most_states) for world in real),
        *(
            Task(world=world, most_states=MOST_STATES, mutant=name, invariant=invariant)
            for name, (world, invariant) in MUTANTS.items()
        ),
    ]


def performed(task: Task) -> Done:
    """Explore one world."""
    began = time.monotonic()
    return Done(task=task, found=explore(task.world, most_states=task.most_states), seconds=time.monotonic() - began)


def main() -> int:
    """Explore every world and every mutant, on all cores, and print the counts."""
    began = time.monotonic()
    most = int(sys.argv[1]) if len(sys.argv) > 1 else MOST_STATES
    real: list[Done] = []
    mutants: list[Done] = []
    cores = len(os.sched_getaffinity(0))
    with get_context("spawn").Pool(cores, maxtasksperchild=WORLDS_OF_A_PROCESS) as pool:
        for done in pool.imap(performed, tasks(most)):
            (mutants if done.task.mutant else real).append(done)
            _tell(done)
    cut = sum(not done.found.complete for done in real)
    violations = sum(done.failed for done in real)
    caught = sum(not done.failed for done in mutants)
    never = unseen(lead for done in real for lead in done.found.leads)
    _print(f"{len(never)} rules decided nowhere", *(f"{row.step}: {row.rule}" for row in sorted(never)), sep="\n    ")
    _print(
        f"exploration: {sum(done.found.states for done in real)} states, "
        f"{sum(done.found.transitions for done in real)} transitions; "
        f"{len(real) - cut} worlds explored in every state, {cut} cut at {most}; "
        f"{violations} violations; {caught} of {len(mutants)} mutants caught; "
        f"{time.monotonic() - began:.0f} s on {cores} cores"
    )
    return 1 if violations or caught < len(mutants) else 0


def _tell(done: Done) -> None:
    found, task = done.found, done.task
    if task.mutant:
        caught = "NOT CAUGHT" if done.failed else "caught"
        _print(f"{caught:>9}  {found.states:>7} states  operator that {task.mutant}: {found.violation or 'nothing'}")
        return
    end = "every state" if found.complete else "CUT"
    _print(
        f"{found.states:>9} states {found.transitions:>9} transitions {done.seconds:6.1f} s  {end}  {task.world.name}"
    )
    if found.violation:
        _print(f"  VIOLATION {found.violation}", *found.path, sep="\n    ")
    for lead in done.misled:
        _print(f"  MISLED {lead.step}: {lead.rule}: leads to {lead.leads}")


def _print(*lines: str, sep: str = "\n") -> None:
    sys.stdout.write(sep.join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
