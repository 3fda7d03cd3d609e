"""What the pools of one connection come to for each policy, small enough to be kept and added up over connections."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from batchaccess.core.assessment import Assessment
from batchaccess.core.conclusion import Conclusion
from batchaccess.core.model import ObjectKey
from batchaccess.core.reasons import CompliantReason, ExposedReason, PoolOutcome
from batchaccess.core.reporting import pool_counts
from batchaccess.core.status import PoolCounts, PoolNotInOrder
from batchaccess.core.texts import pool_access_name, shortened

MOST_NOT_IN_ORDER: Final = 20
MOST_WINNERS: Final = 5

_IN_ORDER: Final = frozenset({PoolOutcome.COMPLIANT, PoolOutcome.CORRECTED})


class PoolRecord(NamedTuple):
    """One pool as a sweep left it."""

    assessment: Assessment
    conclusion: Conclusion


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTally:
    """What some pools come to for one policy.

    Attributes:
        pools: the pools that it governs.
        overridden: the number of pools that it selects and another policy governs.
        winners: some of the policies that govern those, sorted.
        reasons: the reasons for which governed pools are not compliant.
        failed_assertions: the number of pools on which an assertion of this policy fails, governed or not.
        not_in_order: the first of the pools that are not in order, by name.
    """

    pools: PoolCounts = field(default_factory=PoolCounts)
    overridden: int = 0
    winners: tuple[ObjectKey, ...] = ()
    reasons: frozenset[CompliantReason] = frozenset()
    failed_assertions: int = 0
    not_in_order: tuple[PoolNotInOrder, ...] = ()


NOTHING_TALLIED: Final = PolicyTally()


def merged(tallies: Iterable[PolicyTally]) -> PolicyTally:
    """The tally of all these pools together; the same whatever the order."""
    total = NOTHING_TALLIED
    for tally in tallies:
        total = PolicyTally(
            pools=_added(total.pools, tally.pools),
            overridden=total.overridden + tally.overridden,
            winners=_first_winners([*total.winners, *tally.winners]),
            reasons=total.reasons | tally.reasons,
            failed_assertions=total.failed_assertions + tally.failed_assertions,
            not_in_order=_first_by_name([*total.not_in_order, *tally.not_in_order]),
        )
    return total


def _added(one: PoolCounts, other: PoolCounts) -> PoolCounts:
    return PoolCounts(
        total=one.total + other.total,
        compliant=one.compliant + other.compliant,
        drifted=one.drifted + other.drifted,
        pending=one.pending + other.pending,
        stalled=one.stalled + other.stalled,
        violating=one.violating + other.violating,
        unmanaged=one.unmanaged + other.unmanaged,
        unknown=one.unknown + other.unknown,
        internet_reachable=one.internet_reachable + other.internet_reachable,
    )


def _first_winners(keys: Iterable[ObjectKey]) -> tuple[ObjectKey, ...]:
    return tuple(sorted(set(keys))[:MOST_WINNERS])


def _first_by_name(pools: Iterable[PoolNotInOrder]) -> tuple[PoolNotInOrder, ...]:
    return tuple(sorted(pools, key=lambda pool: pool.name)[:MOST_NOT_IN_ORDER])


@dataclass(slots=True)
class _Counting:
    """A tally while it grows over the pools of one connection."""

    concluded: list[tuple[PoolOutcome, ExposedReason]] = field(default_factory=list)
    overridden: int = 0
    winners: set[ObjectKey] = field(default_factory=set)
    reasons: set[CompliantReason] = field(default_factory=set)
    failed_assertions: int = 0
    not_in_order: list[PoolNotInOrder] = field(default_factory=list)

    def tally(self) -> PolicyTally:
        return PolicyTally(
            pools=pool_counts(self.concluded),
            overridden=self.overridden,
            winners=_first_winners(self.winners),
            reasons=frozenset(self.reasons),
            failed_assertions=self.failed_assertions,
            not_in_order=_first_by_name(self.not_in_order),
        )


def tally_policies(connection: str, records: Iterable[PoolRecord]) -> Mapping[ObjectKey, PolicyTally]:
    """What the pools of a connection come to, for each policy that selects any of them."""
    counting: dict[ObjectKey, _Counting] = {}
    for assessment, conclusion in records:
        policy = assessment.policy
        if policy is None:
            continue
        _count_governed(counting.setdefault(policy.key, _Counting()), connection, assessment, conclusion)
        for key in assessment.overridden:
            loser = counting.setdefault(key, _Counting())
            loser.overridden += 1
            loser.winners.add(policy.key)
        if assessment.failed_assertions:
            _count_failed(counting, connection, assessment)
    return {key: counted.tally() for key, counted in counting.items()}


def _count_governed(counted: _Counting, connection: str, assessment: Assessment, conclusion: Conclusion) -> None:
    counted.concluded.append((conclusion.outcome, assessment.exposed))
    if conclusion.outcome in _IN_ORDER:
        return
    counted.reasons.add(conclusion.reason)
    counted.not_in_order.append(
        PoolNotInOrder(
            name=pool_access_name(connection, assessment.pool.id),
            connection=connection,
            pool_id=assessment.pool.id,
            reason=conclusion.reason,
            message=shortened(conclusion.message),
        )
    )


def _count_failed(counting: Mapping[ObjectKey, _Counting], connection: str, assessment: Assessment) -> None:
    """An overridden policy too is told where its assertions fail."""
    governing = assessment.policy
    for key in sorted({each.policy for each in assessment.failed_assertions}):
        counted = counting[key]
        counted.failed_assertions += 1
        if governing is None or key != governing.key:
            failed = next(each for each in assessment.failed_assertions if each.policy == key)
            counted.not_in_order.append(
                PoolNotInOrder(
                    name=pool_access_name(connection, assessment.pool.id),
                    connection=connection,
                    pool_id=assessment.pool.id,
                    reason=CompliantReason.ASSERTION_VIOLATED,
                    message=shortened(f"Assertion {failed.name}: {failed.message}"),
                )
            )
