"""Compare core's reachability with the independent oracle on many random rule lists.

Run from the root of the repository: `python -m benchmarks.reachability_oracle [CASES] [SEED]`. One case is one random
rule list at every point of a reduced space, in both zones, and against the list before. Prints cases and disagreements;
ends 1 if there is any.
"""

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from random import Random

from tests.oracle.reducedspace import SPACE
from tests.properties.oracleagreement import disagreements

CHUNK = 5_000
SHOWN = 10


def disagreements_of(seed: str, cases: int) -> list[str]:
    """What one chunk of cases, determined by its seed, finds."""
    random = Random(seed)  # noqa: S311 a reproducible sequence is the point
    return list(disagreements(random, cases))


def main() -> int:
    """Run the cases on all cores and report."""
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = sys.argv[2] if len(sys.argv) > 2 else "2026"  # noqa: PLR2004 the second argument
    sizes = [CHUNK] * (cases // CHUNK) + [cases % CHUNK] * (cases % CHUNK > 0)
    seeds = [f"{seed}-{index}" for index in range(len(sizes))]
    started = time.perf_counter()
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as executor:
        found = [text for chunk in executor.map(disagreements_of, seeds, sizes) for text in chunk]
    seconds = time.perf_counter() - started
    points = len(SPACE.addresses) * len(SPACE.ports) * len(SPACE.tag_sets)
    print(f"rule lists: {cases:,} (seed {seed}), each at {points:,} points, anywhere and in the virtual network")
    print(f"disagreements: {len(found)}")
    print(f"seconds: {seconds:.1f}")
    for text in found[:SHOWN]:
        print(f"  {text}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
