"""The journal of a saga: what both copies say, written before the first change so that any crash can be undone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from batchaccess.core.declared import AccessPolicy
from batchaccess.core.model import NodeCounts, ObjectKey
from batchaccess.core.saga.scale import RecordedScale

SCHEMA_VERSION: Final = 1

LONGEST_TEXT: Final = 512
"""Characters of any text but a formula; the longest that is written is a policy's namespace and name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who runs a saga: the UID of the cluster (of its namespace `kube-system`) and that of the connection."""

    cluster_uid: str
    connection_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """One generation of one policy."""

    key: ObjectKey
    uid: str
    generation: int

    @classmethod
    def of(cls, policy: AccessPolicy) -> "PolicyVersion":
        """The generation of a policy as it is declared now."""
        return cls(key=policy.key, uid=policy.uid, generation=policy.generation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What both copies say.

    `pool_id` and `pool_created` tell a pool from another one that got a copy of its metadata, or its name.
    `started` has whole seconds.
    """

    saga_id: str
    holder: Holder
    pool_id: str
    pool_created: datetime | None
    policy: PolicyVersion
    started: datetime
    recorded: RecordedScale


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableJournal:
    """A copy that is there and cannot be understood; never overwritten, never taken for none."""

    problem: str


def same_journal(one: Journal, other: Journal) -> bool:
    """Whether two copies are of one saga of one holder, whatever they record."""
    return (one.saga_id, one.holder) == (other.saga_id, other.holder)


class JournalError(ValueError):
    """A document is no journal of this version; the text says why."""


def journal_document(journal: Journal) -> dict[str, Any]:
    """A journal as a JSON object, short keys because pool metadata may be limited."""
    recorded = journal.recorded
    scale: dict[str, Any] = {
        "targets": [recorded.targets.dedicated, recorded.targets.low_priority],
        "current": [recorded.current.dedicated, recorded.current.low_priority],
        "timeout": recorded.resize_timeout,
    }
    if recorded.autoscale_formula is not None:
        scale["formula"] = recorded.autoscale_formula
        scale["interval"] = recorded.autoscale_interval
    return {
        "v": SCHEMA_VERSION,
        "id": journal.saga_id,
        "cluster": journal.holder.cluster_uid,
        "connection": journal.holder.connection_uid,
        "pool": journal.pool_id,
        "created": None if journal.pool_created is None else journal.pool_created.isoformat(),
        "policy": str(journal.policy.key),
        "uid": journal.policy.uid,
        "generation": journal.policy.generation,
        "started": journal.started.astimezone(UTC).isoformat(timespec="seconds"),
        "scale": scale,
    }


def read_journal(document: object) -> Journal:
    """The journal that a JSON object describes.

    Raises:
        JournalError: another version, or a key is missing or makes no sense.
    """
    if not isinstance(document, Mapping):
        raise JournalError("it is no JSON object")
    version = document.get("v")
    if version != SCHEMA_VERSION:
        raise JournalError(f"its schema version is {version!r}, this operator reads {SCHEMA_VERSION}")
    namespace, slash, name = _text(document, "policy").partition("/")
    if not slash:
        raise JournalError("policy is not namespace/name")
    return Journal(
        saga_id=_text(document, "id"),
        holder=Holder(cluster_uid=_text(document, "cluster"), connection_uid=_text(document, "connection")),
        pool_id=_text(document, "pool"),
        pool_created=None if document.get("created") is None else instant(document["created"], "created"),
        policy=PolicyVersion(
            key=ObjectKey(namespace=namespace, name=name),
            uid=_text(document, "uid"),
            generation=_count(document.get("generation"), "generation"),
        ),
        started=instant(document.get("started"), "started"),
        recorded=_read_scale(document.get("scale")),
    )


def _read_scale(scale: object) -> RecordedScale:
    if not isinstance(scale, Mapping):
        raise JournalError("scale is no JSON object")
    interval = scale.get("interval")
    return RecordedScale(
        targets=_counts(scale, "targets"),
        current=_counts(scale, "current"),
        resize_timeout=_text(scale, "timeout"),
        autoscale_formula=_formula(scale),
        autoscale_interval=None if interval is None else _text(scale, "interval"),
    )


def _counts(scale: Mapping[str, Any], key: str) -> NodeCounts:
    match scale.get(key):
        case [dedicated, low_priority]:
            return NodeCounts(dedicated=_count(dedicated, key), low_priority=_count(low_priority, key))
        case _:
            raise JournalError(f"scale.{key} is no pair of numbers")


def _count(value: object, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise JournalError(f"{key} is no number of at least 0")
    return value


def _text(document: Mapping[str, Any], key: str) -> str:
    """A text that may stand in a message: anybody who edits a pool's metadata can write one."""
    value = document.get(key)
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= LONGEST_TEXT:
        raise JournalError(f"{key} is no text of at most {LONGEST_TEXT} printable characters")
    return value


def _formula(scale: Mapping[str, Any]) -> str | None:
    if "formula" not in scale:
        return None
    formula = scale["formula"]
    if not isinstance(formula, str) or not formula:
        raise JournalError("formula is no text")
    return formula


def instant(value: object, key: str) -> datetime:
    """The moment that `value`, the text under `key`, names; without an offset it is taken for UTC.

    Raises:
        JournalError: it is no time, or none that can be told in UTC.
    """
    if not isinstance(value, str):
        raise JournalError(f"{key} is no time")
    try:
        told = datetime.fromisoformat(value)
        return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
    except (ValueError, OverflowError):
        raise JournalError(f"{key} is no time") from None
