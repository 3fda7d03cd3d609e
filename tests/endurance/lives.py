"""A hypothesis state machine of users, other people, clock, service and faults around one operator.

Whatever they do in whatever order, the invariants hold at each request; and once they stop, the operator comes to rest
within a bounded number of sweeps and writes nothing any more.
"""

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from batchaccess.core.declared import Strategy
from batchaccess.core.model import NodeCounts, ObjectKey
from batchaccess.core.saga.journal import Journal, PolicyVersion
from batchaccess.core.saga.metadata import is_ours, journal_in, metadata_with
from batchaccess.core.saga.scale import RecordedScale
from batchemulator import Fault, FaultKind
from tests.endurance.gates import WINDOWS
from tests.endurance.onelife import POOLS, SWEEP_SECONDS, THEIRS, OneLife, as_json
from tests.endurance.soak import CLOSED
from tests.support.build import NOW, policy, wanted
from tests.support.drains import FORMULA, OPEN_SSH, busy_pool, draining

OPERATIONS = (
    "get_pool",
    "list_pools",
    "update_pool",
    "update_pool",
    "resize_pool",
    "stop_pool_resize",
    "enable_pool_auto_scale",
    "disable_pool_auto_scale",
)
NETWORKS = {"open": OPEN_SSH, "closed": CLOSED, "none": None}

pools = st.sampled_from(POOLS)


class Lives(OneLife):
    """Everything that may happen."""

    # The operator and the clock.

    @rule()
    def sweeps(self) -> None:
        self.run(self.world.sweep())

    @rule(times=st.integers(1, 3))
    def visits(self, times: int) -> None:
        for _ in range(times):
            self.run(self.world.visit())
            self.world.advance(5)

    @rule(seconds=st.sampled_from((5, 45, 700, 8000)))
    def time_passes(self, seconds: int) -> None:
        self.world.advance(seconds)

    @rule(minutes=st.sampled_from((2, 20, 90)))
    def lives(self, minutes: int) -> None:
        self.run(self.world.live(minutes * 60, step=20 if minutes < 5 else 60, period=SWEEP_SECONDS))

    @rule()
    def operator_restarts(self) -> None:
        self.world.restart()

    # Users.

    @rule(
        opened=st.booleans(),
        strategy=st.sampled_from((Strategy.DRAIN, Strategy.DRAIN, Strategy.WHEN_EMPTY)),
        windows=st.sampled_from(sorted(WINDOWS)),
    )
    def user_edits_the_policy(self, opened: bool, strategy: Strategy, windows: str) -> None:  # noqa: FBT001 named
        self.turn += 1
        allowed = ["10.0.0.0/8"] if opened else []
        edited = self.limited(draining(policy("ssh", wanted("SSH", allow_from=allowed), generation=self.turn + 1)))
        pausing = strategy is Strategy.WHEN_EMPTY
        remediation = replace(edited.remediation, strategy=strategy, pause_autoscale=pausing, windows=WINDOWS[windows])
        self.world.policies = [replace(edited, remediation=remediation)]

    @rule()
    def user_suspends_or_resumes_the_policy(self) -> None:
        self.turn += 1
        self.world.policies = [
            replace(each, suspend=not each.suspend, generation=self.turn + 1) for each in self.world.policies
        ]

    @rule()
    def user_suspends_or_resumes_the_connection(self) -> None:
        self.turn += 1
        declared = self.world.declared
        self.world.declared = replace(declared, suspend=not declared.suspend, generation=self.turn + 1)

    @rule()
    def user_deletes_the_policy_or_writes_it_anew(self) -> None:
        self.turn += 1
        anew = replace(self.limited(draining(policy("ssh", wanted("SSH")))), uid=f"uid-{self.turn}")
        self.world.policies = [] if self.world.policies else [anew]

    @rule(opened=st.sampled_from((None, *POOLS)), abandons=st.sampled_from((False, False, True)))
    def user_deletes_the_connection_and_writes_it_anew(self, opened: str | None, abandons: bool) -> None:  # noqa: FBT001 named
        """It goes as soon as no finalizer keeps it, and the objects of its pools with it; a drain may just begin."""
        world = self.world
        if opened is not None:
            self.somebody_edits_the_network(pool_id=opened, network="open")
            self.run(world.sweep())
        leaving = world.clock.now()
        world.declared = replace(world.declared, deleting=True, leaving_since=leaving, abandon=abandons)
        self.tally["deletions"] += "prod-weu" in world.finalizers.connections
        while "prod-weu" in world.finalizers.connections and world.clock.now() < leaving + _LET_GO_WITHIN:
            self.run(world.live(SWEEP_SECONDS / 5, step=20, period=60))
        if "prod-weu" in world.finalizers.connections:
            self.witness.problems.append("the deleted connection is not let go of")
        self.turn += 1
        world.reports.objects.clear()
        world.restart()
        world.handled = None
        self.witness.losses += 1
        world.declared = replace(
            world.declared, uid=f"uid-of-connection-{self.turn}", deleting=False, leaving_since=None, abandon=False
        )

    @rule(pool_id=pools)
    def user_adopts_what_a_connection_left_behind(self, pool_id: str) -> None:
        self.adopt_left_behind(pool_id)

    @rule(what=st.sampled_from(("policy", "connection", *POOLS)))
    def user_asks_for_another_try(self, what: str) -> None:
        mark, world = self.mark(), self.world
        match what:
            case "policy":
                world.policies = [replace(each, requested_at=mark) for each in world.policies]
            case "connection":
                world.declared = replace(world.declared, requested_at=mark)
            case _ if f"prod-weu.{what}" in world.reports.objects:
                world.reports.request(f"prod-weu.{what}", mark)
            case _:
                pass

    @rule(pool_id=pools)
    def user_adopts(self, pool_id: str) -> None:
        name, found = f"prod-weu.{pool_id}", self.journal(pool_id)
        reported = self.world.reports.objects.get(name)
        if reported is not None and found is not None and found.holder == THEIRS:
            self.world.reports.objects[name] = replace(reported, adopt=found.saga_id)
            self.witness.legit[pool_id].add(("targets", 2, 0, timedelta(minutes=20)))
            self.tally["adoptions"] += 1

    # Other people.

    @rule(pool_id=pools, network=st.sampled_from(sorted(NETWORKS)))
    def somebody_edits_the_network(self, pool_id: str, network: str) -> None:
        self.edit(pool_id, {"networkConfiguration": NETWORKS[network]})
        self.witness.edits[pool_id] += 1

    @rule(restarts=st.sampled_from((True, True, False)))
    def every_network_is_closed_and_then_opened(self, restarts: bool) -> None:  # noqa: FBT001 named by hypothesis
        """Where all pools are in order in between, the breaker opens, even if the operator dies meanwhile."""
        self.world.service.faults.clear()
        self.world.reports.refuse = frozenset()
        for pool_id in POOLS:
            self.end_foreign(pool_id)
            self.somebody_edits_the_network(pool_id=pool_id, network="closed")
        self.run(self.world.live(4 * SWEEP_SECONDS, step=60, period=SWEEP_SECONDS))
        self.run(self.world.sweep())
        in_order = set(self.reasons().values()) == {"Compliant"} and self.world.is_settled
        opens = in_order and self.limits.fewest_drifting < len(POOLS)
        for pool_id in POOLS:
            self.somebody_edits_the_network(pool_id=pool_id, network="open")
        if restarts:
            self.world.restart()
        if not opens:
            return
        self.tally["breakers"] += 1
        for _ in range(_SWEEPS_OF_A_CYCLE):
            self.run(self.world.sweep())
            self.world.advance(SWEEP_SECONDS)
            if self.in_kubernetes():
                self.witness.problems.append("gates: a drain began though every pool drifts and no policy was edited")
            if self.in_kubernetes() or 2 * sum(each != "Compliant" for each in self.reasons().values()) <= len(POOLS):
                return  # Empty pools are corrected all the same, and with the share the breaker falls.

    @rule(pool_id=pools, nodes=st.integers(0, 4))
    def somebody_resizes(self, pool_id: str, nodes: int) -> None:
        targets = NodeCounts(dedicated=nodes)
        self.outside(
            pool_id, lambda: self.outsider.resize(pool_id, targets, resize_timeout="PT10M", node_deallocation=None)
        )

    @rule(pool_id=pools, formula=st.sampled_from((FORMULA, "$TargetDedicatedNodes = 1;", None)))
    def somebody_edits_the_formula(self, pool_id: str, formula: str | None) -> None:
        if formula is None:
            self.outside(pool_id, lambda: self.outsider.disable_autoscale(pool_id))
        else:
            self.outside(
                pool_id, lambda: self.outsider.enable_autoscale(pool_id, formula=formula, interval="PT15M", etag=None)
            )

    @rule(pool_id=pools)
    def somebody_edits_metadata(self, pool_id: str) -> None:
        others = [item for item in self.items(pool_id) if not item.name.startswith("note")]
        self.edit(pool_id, {"metadata": [{"name": f"note-{self.mark()}", "value": "x"}, *as_json(others)]})

    @rule(pool_id=pools)
    def somebody_makes_the_pool_anew(self, pool_id: str) -> None:
        self.world.account.pools.remove(pool_id)
        self.witness.edits[pool_id] += 1
        self.world.seed(busy_pool(pool_id, nodes=2) | {"creationTime": self.moment()})
        self.witness.begin(pool_id)

    @rule(pool_id=pools)
    def another_operator_begins(self, pool_id: str) -> None:
        items = self.items(pool_id)
        if journal_in(items) is None:
            pool = self.world.pool(pool_id)
            theirs = replace(_THEIR_JOURNAL, pool_id=pool_id, pool_created=pool.created)
            self.edit(pool_id, {"metadata": as_json(metadata_with(items, theirs))})

    @rule(pool_id=pools)
    def another_operator_ends(self, pool_id: str) -> None:
        self.end_foreign(pool_id)

    # Faults.

    @rule(
        kind=st.sampled_from(sorted(FaultKind)),
        operation=st.sampled_from(OPERATIONS),
        skip=st.sampled_from((0, 0, 1, 3)),
        count=st.sampled_from((1, 1, 4)),
    )
    def service_fails(self, kind: FaultKind, operation: str, skip: int, count: int) -> None:
        stale, throttled = kind is FaultKind.STALE_READ, kind is FaultKind.THROTTLED
        self.world.fail(
            Fault(
                kind=kind,
                operation="get_pool" if stale else operation,
                skip=skip,
                count=count,
                retry_after=40 if throttled else None,
            )
        )

    @rule(pool_id=pools)
    def kubernetes_refuses_or_takes_writes_again(self, pool_id: str) -> None:
        refused = self.world.reports.refuse
        self.world.reports.refuse = frozenset() if refused else frozenset({f"prod-weu.{pool_id}"})

    @precondition(lambda self: all(self.is_in_azure(each) for each in self.in_kubernetes()))
    @rule()
    def the_kubernetes_status_is_lost(self) -> None:
        """Never with the last copy of a journal: then nobody knows the scale."""
        self.world.reports.objects.clear()
        self.world.restart()
        self.witness.losses += 1

    @rule(pool_id=pools)
    def the_azure_metadata_is_lost(self, pool_id: str) -> None:
        if pool_id in self.in_kubernetes():
            others = [item for item in self.items(pool_id) if not is_ours(item)]
            self.edit(pool_id, {"metadata": as_json(others)})


_SWEEPS_OF_A_CYCLE = 2 * 3600 // SWEEP_SECONDS
"""Until windows have been open and closed, whichever they are."""

_LET_GO_WITHIN = timedelta(seconds=600 + 120)
"""Of a connection that is deleted: as long as its scale may take to come back, and two sweeps."""

_THEIR_JOURNAL = Journal(
    saga_id="fedcba987654",
    holder=THEIRS,
    pool_id="",
    pool_created=None,
    policy=PolicyVersion(key=ObjectKey(namespace="far", name="away"), uid="far", generation=1),
    started=NOW,
    recorded=RecordedScale(targets=NodeCounts(dedicated=2), current=NodeCounts(dedicated=2), resize_timeout="PT20M"),
)
