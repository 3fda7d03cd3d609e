"""The Kubernetes copy as part of a BatchPoolAccess status, and read back from a stored one.

A status may have been edited by anybody, so what makes no sense is an unreadable journal, never none.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from batchaccess.core.model import NodeCounts
from batchaccess.core.reasons import CompliantReason
from batchaccess.core.saga.journal import (
    SCHEMA_VERSION,
    JournalError,
    UnreadableJournal,
    instant,
    journal_document,
    read_journal,
)
from batchaccess.core.saga.scale import RecordedScale
from batchaccess.core.saga.steps import DrainHistory, DrainLatch, Ending, KubernetesJournal, RestoreMark, Step
from batchaccess.core.status import DrainsStatus, JournalStatus, RecordedScaleStatus

_PART: Final = 4000
"""Characters of a formula in one text of the status; the CRD takes 4096."""


def journal_status(copy: KubernetesJournal) -> JournalStatus:
    """The copy as the status carries it."""
    journal = copy.journal
    created = journal_document(journal)["created"]
    return JournalStatus(
        version=SCHEMA_VERSION,
        saga_id=journal.saga_id,
        cluster_uid=journal.holder.cluster_uid,
        connection_uid=journal.holder.connection_uid,
        pool_id=journal.pool_id,
        pool_created=created,
        policy=journal.policy.key,
        policy_uid=journal.policy.uid,
        policy_generation=journal.policy.generation,
        started=journal.started,
        scale=_scale_status(journal.recorded),
        step=copy.step.value,
        since=copy.since,
        etag=copy.etag,
        standing_dedicated_nodes=None if copy.standing is None else copy.standing.dedicated,
        standing_low_priority_nodes=None if copy.standing is None else copy.standing.low_priority,
        emptied=copy.emptied or None,
        restore_etag=None if copy.restore is None else copy.restore.etag,
        restore_allocated=None if copy.restore is None else copy.restore.allocated,
        ending=None if copy.ending is None else copy.ending.value,
        message=copy.message or None,
    )


def _scale_status(recorded: RecordedScale) -> RecordedScaleStatus:
    formula = recorded.autoscale_formula or ""
    return RecordedScaleStatus(
        target_dedicated_nodes=recorded.targets.dedicated,
        target_low_priority_nodes=recorded.targets.low_priority,
        current_dedicated_nodes=recorded.current.dedicated,
        current_low_priority_nodes=recorded.current.low_priority,
        resize_timeout=recorded.resize_timeout,
        autoscale_formula=tuple(formula[start : start + _PART] for start in range(0, len(formula), _PART)),
        autoscale_interval=recorded.autoscale_interval,
    )


def stored_journal(status: object) -> KubernetesJournal | UnreadableJournal | None:
    """The copy in a stored status (the JSON of the status subresource); None if there is none."""
    entry = status.get("journal") if isinstance(status, Mapping) else None
    if entry is None:
        return None
    try:
        return _read_copy(entry)
    except (JournalError, ValueError) as error:
        return UnreadableJournal(problem=str(error))


def _read_copy(entry: object) -> KubernetesJournal:
    if not isinstance(entry, Mapping):
        raise JournalError("it is no JSON object")
    ending, message, etag = entry.get("ending"), entry.get("message", ""), entry.get("etag")
    if not isinstance(message, str) or not isinstance(etag, str | None):
        raise JournalError("message and etag are no texts")
    return KubernetesJournal(
        journal=read_journal(_as_document(entry)),
        step=Step(str(entry.get("step"))),
        since=instant(entry.get("since"), "since"),
        etag=etag,
        standing=_standing(entry),
        emptied=entry.get("emptied") is True,
        restore=_restore_mark(entry),
        ending=None if ending is None else Ending(str(ending)),
        message=message,
    )


def _standing(entry: Mapping[str, Any]) -> NodeCounts | None:
    dedicated, low_priority = entry.get("standingDedicatedNodes"), entry.get("standingLowPriorityNodes")
    if dedicated is None and low_priority is None:
        return None
    if not isinstance(dedicated, int) or not isinstance(low_priority, int):
        raise JournalError("standingDedicatedNodes and standingLowPriorityNodes are no numbers")
    return NodeCounts(dedicated=dedicated, low_priority=low_priority)


def _restore_mark(entry: Mapping[str, Any]) -> RestoreMark | None:
    etag, allocated = entry.get("restoreEtag"), entry.get("restoreAllocated")
    if etag is None and allocated is None:
        return None
    if not isinstance(etag, str) or not isinstance(allocated, str):
        raise JournalError("restoreEtag and restoreAllocated are no texts")
    return RestoreMark(etag=etag, allocated=allocated)


def _as_document(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The same in the words of the Azure copy, which has its own reader."""
    scale = entry.get("scale")
    if not isinstance(scale, Mapping):
        raise JournalError("scale is no JSON object")
    document: dict[str, Any] = {
        "v": entry.get("version"),
        "id": entry.get("sagaId"),
        "cluster": entry.get("clusterUid"),
        "connection": entry.get("connectionUid"),
        "pool": entry.get("poolId"),
        "created": entry.get("poolCreated"),
        "policy": entry.get("policy"),
        "uid": entry.get("policyUid"),
        "generation": entry.get("policyGeneration"),
        "started": entry.get("started"),
        "scale": {
            "targets": [scale.get("targetDedicatedNodes"), scale.get("targetLowPriorityNodes")],
            "current": [scale.get("currentDedicatedNodes"), scale.get("currentLowPriorityNodes")],
            "timeout": scale.get("resizeTimeout"),
        },
    }
    formula = scale.get("autoscaleFormula")
    if formula:
        if not isinstance(formula, list | tuple) or not all(isinstance(part, str) for part in formula):
            raise JournalError("scale.autoscaleFormula is no list of texts")
        document["scale"] |= {"formula": "".join(formula), "interval": scale.get("autoscaleInterval")}
    return document


def drains_status(history: DrainHistory) -> DrainsStatus:
    """The history as the status carries it."""
    latch = history.latch
    status = DrainsStatus(
        policy_uid=history.policy_uid,
        policy_generation=history.policy_generation,
        pool_created=None if history.pool_created is None else history.pool_created.isoformat(),
        requested=history.requested,
        started=history.started,
    )
    if latch is None:
        return status
    return replace(
        status, network_digest=latch.network_digest, reason=latch.reason.value, message=latch.message or None
    )


def stored_history(status: object) -> DrainHistory | None:
    """The history in a stored status; None if there is none or it makes no sense, which at worst allows one drain."""
    entry = status.get("drains") if isinstance(status, Mapping) else None
    if not isinstance(entry, Mapping):
        return None
    uid, generation, requested = entry.get("policyUid"), entry.get("policyGeneration"), entry.get("requested")
    started = entry.get("started", ())
    if not isinstance(uid, str) or not isinstance(generation, int) or not isinstance(requested, str | None):
        return None
    if not isinstance(started, list | tuple):
        return None
    try:
        return DrainHistory(
            policy_uid=uid,
            policy_generation=generation,
            pool_created=None if entry.get("poolCreated") is None else instant(entry["poolCreated"], "poolCreated"),
            requested=requested,
            started=tuple(instant(each, "started") for each in started),
            latch=_read_latch(entry),
        )
    except ValueError:
        return None


def _read_latch(entry: Mapping[str, Any]) -> DrainLatch | None:
    digest, message = entry.get("networkDigest"), entry.get("message", "")
    if not isinstance(digest, str):
        return None
    return DrainLatch(network_digest=digest, reason=CompliantReason(str(entry.get("reason"))), message=str(message))
