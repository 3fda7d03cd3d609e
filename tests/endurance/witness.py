"""What must hold whatever happens, seen from the service's side: judged at each request and after each happening."""

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from batchaccess.core.model import MetadataItem
from batchaccess.core.saga.journal import Journal
from batchaccess.core.saga.metadata import is_ours, journal_in
from batchemulator.assumptions import Emptiness
from batchemulator.operations.pool_updates import is_empty
from batchemulator.state.pool import Pool
from batchemulator.wire.messages import Request, Response
from tests.endurance.gates import Limits, permits
from tests.support.drains import Drains

_UNCONDITIONAL = "disableautoscale"
"""The one write that takes no If-Match (REST document "Pool - Disable Auto Scale")."""


def items_of(pool: Pool) -> tuple[MetadataItem, ...]:
    """The whole metadata list."""
    return tuple(MetadataItem(name=each["name"], value=each["value"]) for each in pool.settings.get("metadata", ()))


def scale_of(pool: Pool) -> tuple[object, ...]:
    """What decides the size of a pool: a formula, or targets and their timeout."""
    if pool.autoscale is not None:
        return "formula", pool.autoscale.formula, pool.autoscale.interval
    return "targets", pool.targets.dedicated, pool.targets.low_priority, pool.resize_timeout


@dataclass
class Witness:
    """Watches one operator. `problems` are broken invariants.

    Attributes:
        legit: for each pool the scales that may stand in the end: the one before the saga, and what somebody set since.
        limits: of the sagas that may be open at once.
        drains: how often each pool was drained for one drift, which is what somebody did or declared last.
        writes: accepted and refused ones, by path.
    """

    world: Drains
    limits: Limits = field(default_factory=Limits)
    problems: list[str] = field(default_factory=list)
    legit: dict[str, set[tuple[object, ...]]] = field(default_factory=dict)
    drains: Counter[Hashable] = field(default_factory=Counter)
    edits: Counter[str] = field(default_factory=Counter)
    losses: int = 0
    writes: int = 0

    def __post_init__(self) -> None:
        self.world.handle = self.handle
        self.settle()

    def handle(self, request: Request) -> Response:
        """One request of the operator, judged before and after."""
        if request.method == "GET":
            return self.world.service.handle(request)
        self.writes += 1
        self.world.service.pass_time()
        pool = self.world.account.pools.get(request.path.split("/")[2])
        if pool is None:
            return self.world.service.handle(request)
        body: dict[str, Any] = orjson.loads(request.body) if request.body else {}
        self._judge(request, body, pool)
        before = pool.targets
        response = self.world.service.handle(request)
        draining = request.path.endswith("/resize") and (before.dedicated or before.low_priority)
        if draining and pool.targets.dedicated == pool.targets.low_priority == 0 and before != pool.targets:
            self._drained(pool)
        return response

    def drift(self, pool_id: str) -> Hashable:
        """What tells one drift from the next: anything that somebody did to the network, declared or asked for."""
        world, name = self.world, f"prod-weu.{pool_id}"
        policies = tuple((each.uid, each.generation, each.suspend, each.requested_at) for each in world.policies)
        declared = world.declared.suspend, world.declared.generation, world.declared.requested_at
        asked = world.reports.objects[name].requested_at if name in world.reports.objects else None
        return pool_id, policies, declared, asked, self.edits[pool_id], self.losses

    def begin(self, pool_id: str) -> None:
        """A pool was made anew; nothing is known of its scale."""
        self.legit[pool_id] = {scale_of(self.world.pool(pool_id))}

    def wished(self, pool_id: str) -> None:
        """Somebody set another scale."""
        self.legit[pool_id].add(scale_of(self.world.pool(pool_id)))

    def settle(self) -> None:
        """Between sagas nothing but the present scale is right; that one has to be right as well."""
        open_pools = {name.removeprefix("prod-weu.") for name in self.world.journals()}
        for pool in self.world.account.pools:
            found = journal_in(items_of(pool))
            if pool.id in open_pools or (isinstance(found, Journal) and self._may_resume(found, pool.id)):
                continue
            known = self.legit.get(pool.id)
            if known is not None and scale_of(pool) not in known:
                self.problems.append(f"1: {pool.id} was left with {scale_of(pool)}, right was one of {known}")
            self.legit[pool.id] = {scale_of(pool)}

    def _is_ours(self, journal: Journal, pool_id: str) -> bool:
        """Whether it is the operator's own, or somebody said that it is to be."""
        return self._is_adopted(journal, pool_id) or (
            journal.holder.cluster_uid == self.world.finalizers.cluster
            and journal.holder.connection_uid == self.world.declared.uid
        )

    def _may_resume(self, journal: Journal, pool_id: str) -> bool:
        """Whether the scale it tells of is still to be brought back, by whoever adopts what an old connection left."""
        return self._is_adopted(journal, pool_id) or journal.holder.cluster_uid == self.world.finalizers.cluster

    def _is_adopted(self, journal: Journal, pool_id: str) -> bool:
        reported = self.world.reports.objects.get(f"prod-weu.{pool_id}")
        return reported is not None and reported.adopt == journal.saga_id

    def _drained(self, pool: Pool) -> None:
        self.drains[self.drift(pool.id)] += 1
        if self.drains[self.drift(pool.id)] > 1:
            self.problems.append(f"3: {pool.id} was drained twice for one drift")
        if self._stopped:
            self.problems.append(f"4: {pool.id} was drained though nothing enforces anything")
        self._judge_gates(pool.id)

    def _judge_gates(self, pool_id: str) -> None:
        """Whether the saga that drains a pool was to begin when it did, and no others were in its way."""
        journals = [self.world.reports.status(name)["journal"] for name in self.world.journals()]
        own = next((each for each in journals if each["poolId"] == pool_id), None)
        if own is None:
            self.problems.append(f"1: {pool_id} was drained without a journal in Kubernetes")
            return
        journals = [each for each in journals if each is own or not self._is_restored(each)]
        under_policy = sum(each["policyUid"] == own["policyUid"] for each in journals)
        if not self.losses and (len(journals) > self.limits.of_connection or under_policy > self.limits.of_policy):
            self.problems.append(f"gates: {pool_id} was drained beside {len(journals) - 1} other sagas")
        started = datetime.fromisoformat(own["started"])
        for policy in self.world.policies:
            is_its = (policy.uid, policy.generation) == (own["policyUid"], own["policyGeneration"])
            if is_its and not permits(policy.remediation.windows, started):
                self.problems.append(f"gates: the drain of {pool_id} began outside the windows, at {started}")

    def _is_restored(self, journal: Mapping[str, Any]) -> bool:
        """Whether nothing of a saga is left but its journal: such a one keeps nobody waiting."""
        pool_id = journal["poolId"]
        return journal["step"] == "Clearing" and scale_of(self.world.pool(pool_id)) in self.legit.get(pool_id, ())

    @property
    def _stopped(self) -> bool:
        world = self.world
        is_off = world.declared.suspend or world.declared.deleting
        return is_off or all(each.suspend or each.deleting for each in world.policies)

    def _judge(self, request: Request, body: dict[str, Any], pool: Pool) -> None:
        operation = request.path.rsplit("/", 1)[-1]
        etag = request.headers.get("if-match", "").strip('"')
        if not etag and operation != _UNCONDITIONAL:
            self.problems.append(f"2: {request.method} {operation} without If-Match")
        if operation == "resize" and not body.get("resizeTimeout"):
            self.problems.append("1: a resize without resizeTimeout")
        journal = journal_in(items_of(pool))
        if isinstance(journal, Journal) and not self._is_ours(journal, pool.id) and "metadata" not in body:
            self.problems.append(f"3: {pool.id} was written to under the journal of somebody else")
        if etag and etag != pool.etag:
            return  # It is refused, whatever it says.
        if "networkConfiguration" in body:
            self._judge_network(body, pool)
        if "metadata" in body:
            kept = [item for item in items_of(pool) if not is_ours(item)]
            sent = [MetadataItem(name=each["name"], value=each["value"]) for each in body["metadata"]]
            if [item for item in sent if not is_ours(item)] != kept or len(body) > 1:
                self.problems.append(f"somebody's metadata of {pool.id} was changed, or more than metadata")

    def _judge_network(self, body: dict[str, Any], pool: Pool) -> None:
        if not is_empty(pool, Emptiness.NO_NODES_STEADY_AND_NO_AUTOSCALE):
            self.problems.append(f"2: the network of {pool.id} was PATCHed, which is not empty")
        if len(body) > 1:
            self.problems.append(f"more than the network of {pool.id} was sent: {sorted(body)}")
        if self._stopped:
            self.problems.append(f"4: the network of {pool.id} was PATCHed though nothing enforces anything")
