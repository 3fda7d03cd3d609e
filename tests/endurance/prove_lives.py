"""The lives of `lives.py` in full: `python -m tests.endurance.prove_lives [examples] [steps]`; ends 1 if it fails."""

import logging
import sys
import time

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.endurance.broken_lives import BROKEN
from tests.endurance.lives import Lives

EXAMPLES, STEPS = 1500, 50


def problems(kind: type[Lives], examples: int, steps: int) -> list[str]:
    """What was wrong with the first of many lives that went wrong; each time the same ones are lived."""
    lived = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        # A life takes a while, so one that goes wrong is shown as it is rather than made as short as it can be.
        phases=(Phase.generate,),
    )
    try:
        run_state_machine_as_test(kind, settings=lived)
    except AssertionError as violation:
        return [str(violation), *getattr(violation, "__notes__", ())]
    return []


def main() -> int:
    """Live, and print the counts."""
    logging.disable(logging.CRITICAL)
    numbers = [int(each) for each in sys.argv[1:3]]
    examples, steps = (*numbers, *(EXAMPLES, STEPS)[len(numbers) :])
    began = time.monotonic()
    found = problems(Lives, examples, steps)
    sys.stdout.write("".join(f"{each}\n" for each in found))
    counts, caught = Lives.counts(), 0
    for kind, (said, within) in BROKEN.items():
        noticed = any(said in each for each in problems(kind, within, steps))
        caught += noticed
        sys.stdout.write(f"{'caught' if noticed else 'NOT CAUGHT':>9}  operator that is {kind.__name__.lower()}\n")
    sys.stdout.write(
        f"{counts}; {int(bool(found))} violations; {caught} of {len(BROKEN)} mutants caught; "
        f"{time.monotonic() - began:.0f} s\n"
    )
    return 1 if found or caught < len(BROKEN) else 0


if __name__ == "__main__":
    sys.exit(main())
