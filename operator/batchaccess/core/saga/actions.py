"""What a saga can ask for: one small, repeatable action at a time, or to wait."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from batchaccess.core.decision import Decision, PatchNetwork
from batchaccess.core.declared import NodeDeallocation
from batchaccess.core.model import MetadataItem, NodeCounts
from batchaccess.core.reasons import RemediatingReason
from batchaccess.core.saga.journal import Journal
from batchaccess.core.saga.steps import DrainHistory, KubernetesJournal


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteKubernetesJournal:
    """Make `copy` the Kubernetes copy, and `history` what earlier sagas teach."""

    copy: KubernetesJournal
    history: DrainHistory | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteAzureJournal:
    """PATCH the metadata, and nothing else, to `metadata` if the pool still has `etag`.

    `is_ahead` tells a write ahead of a change, which waits for it, from one that only mends a lost copy.
    """

    pool_id: str
    etag: str
    metadata: tuple[MetadataItem, ...]
    journal: Journal
    is_ahead: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DisableAutoscale:
    """Take the formula out of force. The service takes no If-Match for this.

    So the pool is read once more right before, and nothing is sent unless it has `etag` and `formula` still.
    """

    pool_id: str
    etag: str
    formula: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """Set the targets if the pool still has `etag`. `is_restore` tells a restore from a drain.

    `again` marks a restore that is repeated because nodes are missing.
    """

    pool_id: str
    etag: str
    targets: NodeCounts
    resize_timeout: str
    deallocation: NodeDeallocation | None
    is_restore: bool
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StopResize:
    """Stop our own resize to no nodes if the pool still has `etag`."""

    pool_id: str
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnableAutoscale:
    """Put the recorded formula back in force if the pool still has `etag`."""

    pool_id: str
    etag: str
    formula: str
    interval: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAzureJournal:
    """PATCH the metadata, and nothing else, to `metadata`, which has no journal, if the pool still has `etag`."""

    pool_id: str
    etag: str
    metadata: tuple[MetadataItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearKubernetesJournal:
    """Remove the Kubernetes copy; `history` stays."""

    history: DrainHistory | None


SagaAction: TypeAlias = (
    WriteKubernetesJournal
    | WriteAzureJournal
    | DisableAutoscale
    | Resize
    | StopResize
    | EnableAutoscale
    | PatchNetwork
    | RemoveAzureJournal
    | ClearKubernetesJournal
)

ConditionalWrite: TypeAlias = (
    WriteAzureJournal | Resize | StopResize | EnableAutoscale | PatchNetwork | RemoveAzureJournal
)
"""Actions that are sent with If-Match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remediate:
    """Perform `action` now. `reason` and `message` are what `Remediating` says, `rule` the row of the table.

    `starts` says that the action begins a saga: one that was open before is only gone on with.
    """

    action: SagaAction
    reason: RemediatingReason
    message: str
    rule: str
    starts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Underway:
    """A saga is open and nothing is to be done before `until`, or the next visit."""

    reason: RemediatingReason
    message: str
    rule: str
    until: datetime | None = None


SagaDecision: TypeAlias = Decision | Remediate | Underway
