"""One operator, everybody around it, and what is asked of it in the end; `lives.py` has what may happen."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from batchaccess.core.declared import AccessPolicy, Strategy
from batchaccess.core.model import MetadataItem
from batchaccess.core.saga import breaker
from batchaccess.core.saga.journal import Holder, Journal
from batchaccess.core.saga.metadata import is_ours, journal_in
from batchaccess.ports import PortError
from batchemulator import Timings
from tests.endurance.gates import WINDOWS, Limits
from tests.endurance.soak import CLOSED
from tests.endurance.witness import Witness, items_of
from tests.support.drains import FORMULA, Drains, busy_pool, direct_pools, draining

POOLS = ("fixed", "scaled", "closed")
QUIET_SWEEPS = 30
"""In a row without a write, of five minutes each: longer than any back-off and any latch of a refusal."""
MOST_SWEEPS = 120
"""Until then nothing may be left to write: longer than a drain may take, the last try of a restore included."""
SWEEP_SECONDS, VISIT_SECONDS = 300, 60
THEIRS = Holder(cluster_uid="cluster-2", connection_uid="theirs")
EXPLAINED = frozenset(
    {
        "Compliant",
        "DrainTimedOut",
        "DrainIncomplete",
        "ScaleChanged",
        "Rejected",
        "AccessDenied",
        "JournalRefused",
        "PreconditionUnsupported",
        "Contended",
        "BreakerOpen",
    }
)
"""What a pool under an enforced policy may say at rest: in order, or why it stays as it is until somebody asks anew."""


class OneLife(RuleBasedStateMachine):
    """One operator and everybody around it. `tally` counts over all examples."""

    tally: ClassVar[Counter[str]] = Counter()
    longest: ClassVar[list[int]] = [0]
    removal_seconds: ClassVar[float] = 300
    """How long a node takes to go."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.turn = 0
        self.world = self.make_world()
        self.witness = Witness(self.world)
        self.limits = Limits()
        self.few = ExitStack()
        self.outsider = direct_pools(self.world.service)
        self.tally["lives"] += 1

    @classmethod
    def counts(cls) -> str:
        """What was lived through so far, in words."""
        tally = cls.tally
        return (
            f"lives: {tally['lives']} lives, {tally['states']} states judged, {tally['drains']} drains, "
            f"{tally['writes']} writes to Azure, {tally['adoptions']} adoptions, {tally['deletions']} connections "
            f"deleted in the middle, {tally['breakers']} breakers opened; at most {cls.longest[0]} sweeps until the "
            f"last write, then {QUIET_SWEEPS} without one"
        )

    def make_world(self) -> Drains:
        """The account and the operator at the start; a mutant breaks something here."""
        return Drains.of(
            busy_pool("fixed", nodes=3, targetLowPriorityNodes=1, currentLowPriorityNodes=1, resizeTimeout="PT21M"),
            busy_pool("scaled", nodes=2, enableAutoScale=True, autoScaleFormula=FORMULA),
            busy_pool("closed", nodes=2) | {"networkConfiguration": CLOSED},
            policies=[draining()],
            timings=Timings(allocation=6, creating=1, starting=2, removal=self.removal_seconds),
        )

    @initialize(
        of_connection=st.sampled_from((1, 2, 1000)),
        of_policy=st.sampled_from((1, 2, 1000)),
        fewest_drifting=st.sampled_from((2, 2, 10)),
        windows=st.sampled_from(("none", *sorted(WINDOWS))),
    )
    def gates_are_drawn(self, of_connection: int, of_policy: int, fewest_drifting: int, windows: str) -> None:
        """For this life, windows for its first policy; three pools are too few for the breaker as it is."""
        self.limits = self.witness.limits = Limits(
            of_connection=of_connection, of_policy=of_policy, fewest_drifting=fewest_drifting
        )
        self.few.enter_context(patch.object(breaker, "FEWEST_DRIFTING", fewest_drifting))
        self.world.declared = replace(self.world.declared, max_concurrent_drains=self.allowed(of_connection))
        (first,) = self.world.policies
        remediation = replace(first.remediation, windows=WINDOWS[windows])
        self.world.policies = [self.limited(replace(first, remediation=remediation))]

    def allowed(self, number: int) -> int:
        """A limit as the operator is told it; a mutant does not hear."""
        return number

    def limited(self, policy: AccessPolicy) -> AccessPolicy:
        """The same policy with the limit of this life."""
        remediation = replace(policy.remediation, max_concurrent=self.allowed(self.limits.of_policy))
        return replace(policy, remediation=remediation)

    def run(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """Let something asynchronous happen."""
        self.runner.run(coroutine)

    def mark(self) -> str:
        """A word nobody used before."""
        self.turn += 1
        return f"mark-{self.turn}"

    # What holds.

    @invariant()
    def every_invariant_holds(self) -> None:
        self.witness.settle()
        self.tally["states"] += 1
        assert not self.witness.problems, self.witness.problems

    def teardown(self) -> None:
        """The world stops, and the operator comes to rest."""
        try:
            if not self.witness.problems:
                self.run(self.comes_to_rest())
        finally:
            self.few.close()
            self.runner.close()

    async def comes_to_rest(self) -> None:
        """Bounded sweeps until nothing is written any more, then many more in which nothing may be."""
        self.world.service.faults.clear()
        self.world.reports.refuse = frozenset()
        for pool_id in POOLS:
            self.end_foreign(pool_id)
        await self.world.sweep()
        for pool_id in POOLS:
            self.adopt_left_behind(pool_id)
        needed, quiet = await self.settles()
        self.witness.settle()
        assert not self.witness.problems, self.witness.problems
        assert quiet >= QUIET_SWEEPS, f"still writing after {needed} sweeps"
        self.longest[0] = max(self.longest[0], needed)
        self.tally["drains"] += sum(self.witness.drains.values())
        self.tally["writes"] += self.witness.writes
        assert self.world.is_settled, "a journal is left though nothing keeps it from being removed"
        held = self.world.finalizers.connections | {str(key) for key in self.world.finalizers.policies}
        assert not held, f"finalizers are left on {held} though no saga is open"
        self.judge_explanations()

    async def settles(self) -> tuple[int, int]:
        """How many sweeps it took until the last write, and how many there were without one after it."""
        needed = quiet = 0
        for number in range(MOST_SWEEPS):
            before = self.written()
            await self.world.live(SWEEP_SECONDS, step=VISIT_SECONDS, period=SWEEP_SECONDS)
            quiet = 0 if self.written() != before else quiet + 1
            needed = needed if quiet else number + 1
            if quiet == QUIET_SWEEPS:
                break
        return needed, quiet

    def judge_explanations(self) -> None:
        """A pool that drifts under an enforced policy says why it stays as it is."""
        enforced = [each for each in self.world.policies if not each.suspend]
        if self.world.declared.suspend or not enforced:
            return
        drains = enforced[0].remediation.strategy is Strategy.DRAIN
        unexplained = {
            name: reason
            for name, reason in self.reasons().items()
            if reason not in EXPLAINED and not (reason == "PoolNotEmpty" and not drains)
        }
        assert not unexplained, f"pools that drift without a good reason: {unexplained}"

    # Looking, and doing without being told so.

    def moment(self) -> str:
        """Now, and no other moment: what tells a pool from an earlier one of its name is when it was made."""
        self.turn += 1
        now = self.world.clock.now() + timedelta(microseconds=self.turn)
        return now.isoformat().replace("+00:00", "Z")

    def reasons(self) -> dict[str, str]:
        """The reason of `Compliant` of each pool."""
        reports = self.world.reports
        return {
            name: reports.condition(name, "Compliant")[1]
            for name in reports.objects
            if "conditions" in reports.status(name)
        }

    def written(self) -> tuple[int, int, int]:
        """All writes so far: to Azure, of objects, and of finalizers."""
        return self.witness.writes, len(self.world.reports.writes), self.world.finalizers.changes

    def items(self, pool_id: str) -> tuple[MetadataItem, ...]:
        """The metadata of a pool now."""
        return items_of(self.world.pool(pool_id))

    def journal(self, pool_id: str) -> Journal | None:
        """The journal in a pool's metadata now."""
        found = journal_in(self.items(pool_id))
        return found if isinstance(found, Journal) else None

    def is_in_azure(self, pool_id: str) -> bool:
        """Whether there is a copy of the operator's own in the metadata."""
        found = self.journal(pool_id)
        return found is not None and found.holder != THEIRS

    def in_kubernetes(self) -> set[str]:
        """The pools with a journal in Kubernetes."""
        return {name.removeprefix("prod-weu.") for name in self.world.journals()}

    def edit(self, pool_id: str, changes: dict[str, Any]) -> None:
        """Somebody overwrites properties."""
        self.world.edit(changes, pool_id)

    def outside(self, pool_id: str, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Somebody asks the service to change the scale, which it may refuse."""

        async def attempt() -> None:
            with suppress(PortError):
                await act()

        self.run(attempt())
        self.witness.wished(pool_id)

    def adopt_left_behind(self, pool_id: str) -> None:
        """Somebody has the scale brought back that a connection which is gone left."""
        found, name = self.journal(pool_id), f"prod-weu.{pool_id}"
        reported = self.world.reports.objects.get(name)
        ours = Holder(cluster_uid=self.world.finalizers.cluster or "", connection_uid=self.world.declared.uid)
        if found is None or reported is None or found.holder in (ours, THEIRS):
            return
        self.world.reports.objects[name] = replace(reported, adopt=found.saga_id)
        self.tally["adoptions"] += 1

    def end_foreign(self, pool_id: str) -> None:
        """The journal of another operator goes."""
        found = self.journal(pool_id)
        if found is not None and found.holder == THEIRS:
            others = [item for item in self.items(pool_id) if not is_ours(item)]
            self.edit(pool_id, {"metadata": as_json(others)})


def as_json(items: Any) -> list[dict[str, str]]:  # noqa: ANN401 any items
    """Metadata as the service has it."""
    return [{"name": item.name, "value": item.value} for item in items]
