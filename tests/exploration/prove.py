"""The exploration in full: `python -m tests.exploration.prove [most states of one world]`; exit 1 on any violation."""

import sys
import time

from tests.exploration.mutants import MUTANTS
from tests.exploration.search import explore
from tests.exploration.worlds import DOCUMENTED, FULL, OTHER_UNKNOWNS, SMALL, worlds

MOST_STATES = 300_000


def main() -> int:
    """Explore every world and every mutant, and print the counts."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else MOST_STATES
    states = transitions = failures = cut = 0
    for world in (*worlds(FULL, DOCUMENTED), *worlds(SMALL, OTHER_UNKNOWNS)):
        began = time.monotonic()
        found = explore(world, most_states=most)
        states, transitions = states + found.states, transitions + found.transitions
        cut += not found.complete
        failures += bool(found.violation)
        end = "every state" if found.complete else "cut at the bound"
        _print(f"{found.states:>9} states  {time.monotonic() - began:6.1f} s  {end:<16}  {world.name}")
        if found.violation:
            _print(f"  VIOLATION {found.violation}", *found.path, sep="\n    ")
    for name, (world, _) in MUTANTS.items():
        found = explore(world, most_states=most)
        failures += not found.violation
        _print(f"{'caught' if found.violation else 'NOT CAUGHT':>9}  mutant that {name}: {found.violation}")
    _print(f"{states} states, {transitions} transitions, {cut} worlds cut at the bound, {failures} failures")
    return 1 if failures else 0


def _print(*lines: str, sep: str = "\n") -> None:
    sys.stdout.write(sep.join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
