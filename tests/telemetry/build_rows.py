"""Small builders of rows with defaults, and a registry in which every family has a series."""

from datetime import UTC, datetime, timedelta

from batchaccess.core.declared import Mode
from batchaccess.core.model import (
    IpFamily,
    ObjectKey,
)
from batchaccess.core.reasons import (
    ConditionStatus,
    ConditionType,
    DriftClass,
    EventReason,
    EventType,
    PoolOutcome,
)
from batchaccess.core.saga.steps import Step
from batchaccess.core.status import Condition
from batchaccess.ports import AzureOperation
from batchaccess.telemetry.metrics import Metrics
from batchaccess.telemetry.rows import ConnectionRow, PolicyRow, PoolRow
from batchaccess.telemetry.words import (
    CorrectionOutcome,
    ObjectKind,
    SagaOutcome,
    SweepResult,
    WatchEvent,
    WriteResult,
)
from tests.support.clock import FakeClock

SINCE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SSH_POLICY = ObjectKey(namespace="render", name="ssh")


def condition(type: ConditionType, status: ConditionStatus, reason: str) -> Condition:
    return Condition(
        type=type, status=status, reason=reason, message="", observed_generation=1, last_transition_time=SINCE
    )


IN_ORDER = (
    condition(ConditionType.COMPLIANT, ConditionStatus.TRUE, "Compliant"),
    condition(ConditionType.DRIFTED, ConditionStatus.FALSE, "None"),
    condition(ConditionType.EXPOSED, ConditionStatus.FALSE, "None"),
    condition(ConditionType.REMEDIATING, ConditionStatus.FALSE, "Idle"),
)
DRIFTED_AND_EXPOSED = (
    condition(ConditionType.COMPLIANT, ConditionStatus.FALSE, "PoolNotEmpty"),
    condition(ConditionType.DRIFTED, ConditionStatus.TRUE, "Widening"),
    condition(ConditionType.EXPOSED, ConditionStatus.TRUE, "InternetReachable"),
    condition(ConditionType.REMEDIATING, ConditionStatus.FALSE, "Waiting"),
)


def pool_in_order(pool: str = "render-1") -> PoolRow:
    return PoolRow(
        pool=pool,
        outcome=PoolOutcome.COMPLIANT,
        conditions=IN_ORDER,
        policy=SSH_POLICY,
        mode=Mode.ENFORCE,
        exposed_addresses={IpFamily.IPV4: 256},
    )


def pool_exposed(pool: str = "render-2") -> PoolRow:
    return PoolRow(
        pool=pool,
        outcome=PoolOutcome.PENDING,
        conditions=DRIFTED_AND_EXPOSED,
        policy=SSH_POLICY,
        mode=Mode.ENFORCE,
        internet_open_ports=frozenset({22, 27000}),
        internet_undetermined_ports=frozenset({3389}),
        violating_ports=frozenset({22}),
        failed_assertions={SSH_POLICY: 2},
        exposed_addresses={IpFamily.IPV4: 2**32, IpFamily.IPV6: 2**128},
    )


def pool_unmanaged(pool: str = "scratch") -> PoolRow:
    return PoolRow(pool=pool, outcome=PoolOutcome.UNMANAGED, conditions=())


def connection_row(connection: str = "prod", *, suspended: bool = False) -> ConnectionRow:
    ready = condition(ConditionType.READY, ConditionStatus.TRUE, "Connected")
    return ConnectionRow(connection=connection, suspended=suspended, sync_period_seconds=60, conditions=(ready,))


def policy_row(policy: ObjectKey = SSH_POLICY, *, suspended: bool = False) -> PolicyRow:
    return PolicyRow(
        policy=policy,
        mode=Mode.ENFORCE,
        suspended=suspended,
        conditions=(
            condition(ConditionType.ACCEPTED, ConditionStatus.TRUE, "Accepted"),
            condition(ConditionType.ENFORCED, ConditionStatus.FALSE, "Pending"),
        ),
    )


def populated() -> Metrics:
    """Metrics after one sweep of one account in which everything happened once."""
    clock = FakeClock()
    metrics = Metrics(clock)
    prod = metrics.connection("prod")
    prod.observe(connection_row())
    prod.observe_pools([pool_in_order(), pool_exposed(), pool_unmanaged()])
    metrics.observe_policy(policy_row())
    prod.azure_request(AzureOperation.LIST_POOLS, seconds=0.2, status=200)
    prod.azure_request(AzureOperation.PATCH_NETWORK, seconds=0.03, status=429, error="TooManyRequests", retry_after=12)
    prod.azure_request(AzureOperation.PATCH_NETWORK, seconds=0.04, status=412, error="UpdateConditionNotSatisfied")
    prod.azure_request(AzureOperation.GET_POOL, seconds=30, status=None, error="ConnectionFailed")
    prod.watch_budget(lambda: 18.5)
    prod.drift_detected(DriftClass.WIDENING, after=42)
    prod.drift_corrected(DriftClass.WIDENING, CorrectionOutcome.RACED)
    prod.drift_corrected(DriftClass.WIDENING, CorrectionOutcome.VERIFIED)
    prod.observe_breaker(is_open=False)
    prod.observe_sagas({Step.DRAINING: 1, Step.RESTORING: 1}, pending=1)
    prod.saga_step_ended(Step.DRAINING, seconds=312)
    prod.saga_ended(SagaOutcome.CORRECTED)
    prod.saga_resumed()
    prod.capacity_lost(1250)
    prod.nodes_drained(4)
    prod.tasks_affected(7)
    prod.sweep_finished(SweepResult.COMPLETE, seconds=0.7, ended=SINCE, writes=3)
    prod.sweep_finished(SweepResult.COMPLETE, seconds=0.2, ended=SINCE + timedelta(minutes=1), writes=0)
    clock.advance(60)
    metrics.status_written(ObjectKind.POOL, WriteResult.WRITTEN)
    metrics.event_emitted(EventType.WARNING, EventReason.DRIFT_DETECTED, WriteResult.WRITTEN)
    metrics.watch_delivered(ObjectKind.POLICY, WatchEvent.LISTED)
    return metrics
