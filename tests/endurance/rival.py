"""Two clusters with different policies for one account, by mistake: they may never both write to one pool."""

import asyncio
import random
from typing import Any

from tests.endurance.ledger import Ledger, Verdict, changes, scales_of
from tests.support.build import policy, wanted
from tests.support.drains import FORMULA, Drains, Pace, account_connection, busy_pool, draining
from tests.support.reports import FakeFinalizers

_FORMULA: dict[str, Any] = {
    "enableAutoScale": True,
    "autoScaleFormula": FORMULA,
    "autoScaleEvaluationInterval": "PT10M",
}
_TURN_SECONDS = 5
_TURNS_A_SWEEP = 12
_LONGEST_STEP_ASIDE = 6
_AFTERWARDS = 7200


async def two_operators(hours: float = 1, *, seed: int = 0, alike: bool = False) -> Verdict:
    """Both act at the same time: at each request of one the other may come first, so that readings are outdated.

    `alike` operators take each other's journals for their own, which has to be noticed.
    """
    ledger, pace = Ledger(), _aside(random.Random(seed))  # noqa: S311 no secret
    one = Drains.of(
        busy_pool(nodes=3),
        busy_pool("second", nodes=2),
        busy_pool("scaled", nodes=2, **_FORMULA),
    )
    other = Drains(
        service=one.service,
        clock=one.clock,
        declared=one.declared if alike else account_connection(uid="uid-of-the-other"),
        policies=[draining(policy("open", wanted("SSH", allow_from=["10.0.0.0/8"])))],
        finalizers=FakeFinalizers() if alike else FakeFinalizers(cluster="cluster-2"),
        begun=1 << 40,
    )
    one.pace = other.pace = pace
    ledger.watch(one, "one", "cluster-1")
    ledger.watch(other, "other", "cluster-2")
    before = scales_of(one)
    for turn in range(int(hours * 3600 / _TURN_SECONDS)):
        await asyncio.gather(*(_act(world, turn) for world in (one, other)))
        ledger.listen(one)
        ledger.listen(other)
        one.advance(_TURN_SECONDS)
    # One after the other: the first waits for journals that only the second removes.
    for world in (one, other, one):
        await _come_to_rest(world)
    problems = changes(before, scales_of(one))
    if not ledger.reasons & {"Contended", "ForeignJournal"}:
        problems.append(f"neither Contended nor ForeignJournal was said, only {sorted(ledger.reasons)}")
    return ledger.verdict(problems, f"{hours:g} hours, writes {dict(ledger.writes)}, said {sorted(ledger.reasons)}")


async def _come_to_rest(world: Drains) -> None:
    await world.live_until(lambda: not world.journals(), within=_AFTERWARDS)


async def _act(world: Drains, turn: int) -> None:
    await (world.sweep() if turn % _TURNS_A_SWEEP == 0 else world.visit())


def _aside(dice: random.Random) -> Pace:
    """Let others go first, for a number of their steps that the seed decides."""

    async def pace() -> None:
        for _ in range(dice.randint(0, _LONGEST_STEP_ASIDE)):
            await asyncio.sleep(0)

    return pace
