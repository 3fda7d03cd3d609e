"""From accounts and policies to what would become of every pool."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from batchaccess.api.windows import windows_of
from batchaccess.cli.inputs import Failure, ReadAccount
from batchaccess.cli.plan.accounts import ConnectedAccount
from batchaccess.core.acceptance import Acceptance, accept
from batchaccess.core.assessment import Assessment, danger
from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.preview import Preview, Step, preview
from batchaccess.core.reasons import AcceptedReason
from batchaccess.core.saga.actions import SagaDecision
from batchaccess.core.selection import Candidates, NamespaceLabels

Decide = Callable[[Assessment, AccountConnection], SagaDecision]
"""What the operator decides about a pool of a connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPolicy:
    """One policy, what the connections make of it, and how many pools it governs."""

    policy: AccessPolicy
    acceptance: Acceptance
    governs: int

    @property
    def is_refused(self) -> bool:
        """Whether a connection that it names refuses it."""
        return any(not target.accepted for target in self.acceptance.targets)

    @property
    def concerns_nothing(self) -> bool:
        """Whether it names none of the accounts that were read."""
        return self.acceptance.reason is AcceptedReason.TARGET_NOT_FOUND


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPool:
    """One pool. `running_tasks` is None where nobody counted them."""

    preview: Preview
    running_tasks: int | None = None

    @property
    def id(self) -> str:
        """The id of the pool."""
        return self.preview.assessment.pool.id


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAccount:
    """One account; its pools by danger, the most dangerous first."""

    read: ReadAccount
    connection: str
    assumed: bool
    pools: tuple[PlannedPool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that would happen, and what could not be looked at."""

    policies: tuple[PlannedPolicy, ...]
    accounts: tuple[PlannedAccount, ...]
    problems: tuple[Failure, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def pools(self) -> Iterator[tuple[PlannedAccount, PlannedPool]]:
        """Every pool with its account."""
        return ((account, pool) for account in self.accounts for pool in account.pools)

    @property
    def is_found(self) -> bool:
        """Whether there is anything to report: a difference, a broken assertion, a refused policy."""
        return any(pool.preview.is_found for _, pool in self.pools) or any(each.is_refused for each in self.policies)

    def with_running_tasks(self, counts: Mapping[tuple[str, str], int], problems: Sequence[Failure]) -> "Plan":
        """The same with numbers of running tasks, by connection and pool id."""
        accounts = [
            replace(
                account,
                pools=tuple(
                    replace(pool, running_tasks=counts.get((account.connection, pool.id))) for pool in account.pools
                ),
            )
            for account in self.accounts
        ]
        return replace(self, accounts=tuple(accounts), problems=(*self.problems, *problems))

    def to_be_emptied(self) -> list[tuple[PlannedAccount, list[str]]]:
        """Live accounts with the ids of their pools that would be emptied."""
        found = (
            (account, [pool.id for pool in account.pools if pool.preview.step is Step.DRAIN])
            for account in self.accounts
            if account.read.live
        )
        return [(account, ids) for account, ids in found if ids]


def evaluate(
    accounts: Sequence[ConnectedAccount],
    policies: Sequence[AccessPolicy],
    *,
    namespace_labels: NamespaceLabels,
    decide: Decide,
    problems: Sequence[Failure],
    now: datetime,
) -> Plan:
    """Plan every pool of every account.

    Args:
        accounts: what was read, each with its connection.
        policies: valid policies only.
        namespace_labels: the labels of their namespaces as far as they are known.
        decide: what the operator decides.
        problems: what could not be read.
        now: the present time.
    """
    connections = list({each.connection.name: each.connection for each in accounts}.values())
    acceptances = [accept(policy, connections, namespace_labels) for policy in policies]
    planned = tuple(
        _account(
            each,
            [
                policy
                for policy, acceptance in zip(policies, acceptances, strict=True)
                if acceptance.accepts(each.connection.name)
            ],
            namespace_labels,
            decide,
            now,
        )
        for each in accounts
    )
    governed = [pool.preview.assessment.policy for account in planned for pool in account.pools]
    governs = Counter(policy.key for policy in governed if policy is not None)
    return Plan(
        policies=tuple(
            PlannedPolicy(policy=policy, acceptance=acceptance, governs=governs[policy.key])
            for policy, acceptance in zip(policies, acceptances, strict=True)
        ),
        accounts=planned,
        problems=tuple(problems),
        notes=tuple(_notes(accounts)),
    )


def _account(
    connected: ConnectedAccount,
    accepted: Sequence[AccessPolicy],
    labels: NamespaceLabels,
    decide: Decide,
    now: datetime,
) -> PlannedAccount:
    connection = connected.connection
    candidates = Candidates.of(connection, accepted, labels)
    previews = [
        preview(
            each.pool,
            nodes=each.nodes,
            connection=connection,
            candidates=candidates,
            decide=lambda assessment: decide(assessment, connection),
            windows=lambda policy: windows_of(policy, now),
        )
        for each in connected.account.pools
    ]
    previews.sort(key=lambda each: (not each.differs, danger(each.assessment)))
    return PlannedAccount(
        read=connected.account,
        connection=connection.name,
        assumed=connected.assumed,
        pools=tuple(PlannedPool(preview=each) for each in previews),
    )


def _notes(accounts: Sequence[ConnectedAccount]) -> Iterator[str]:
    for each in accounts:
        if each.assumed:
            yield (
                f"no BatchAccountConnection was given for account {each.account.name}, which is taken for connection "
                f"{each.connection.name}: grants and guardrails are not checked"
            )
