"""Performs one correction through the ports: read again, decide again, PATCH, read again, verify.

Everything that is known about a pool may be outdated, so nothing is written on the strength of a listing. An unknown
outcome is resolved by reading, never by assuming.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from batchaccess.core.assessment import Assessment
from batchaccess.core.decision import PatchNetwork
from batchaccess.core.declared import AccessPolicy
from batchaccess.core.memory import PoolMemory, after_error, after_success, after_unexpected_result, network_digest
from batchaccess.core.model import ObservedPool
from batchaccess.core.reasons import DriftClass, ErrorKind
from batchaccess.core.saga.actions import SagaDecision
from batchaccess.core.verification import UnexpectedResult, verify
from batchaccess.ports import Clock, Pools, PortError
from batchaccess.sweep.preconditions import Preconditions
from batchaccess.telemetry.words import CorrectionOutcome

_log = logging.getLogger(__name__)

_RACES_REREAD: Final = 2
"""How often a pool that somebody changed between our reading and our PATCH is read again at once."""

POOL_NOT_FOUND: Final = "PoolNotFound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is concluded about one reading of a pool, and what shall be done."""

    assessment: Assessment
    decision: SagaDecision


Judge = Callable[[ObservedPool, PoolMemory], Judgement]
"""Assesses one reading of a pool and decides, under what is declared now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkChange:
    """A network that we changed: the service acknowledged it, or it was seen to be there."""

    policy: AccessPolicy
    time: datetime
    before: Assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How one correction ended.

    Attributes:
        memory: what is remembered of the pool from now on.
        pool: the pool as last read; None if it is gone or was not read.
        kind: the drift that called for the correction.
        outcome: None if the re-read pool needed no correction any more.
        change: what we changed, if we did.
    """

    memory: PoolMemory
    pool: ObservedPool | None
    kind: DriftClass
    outcome: CorrectionOutcome | None = None
    change: NetworkChange | None = None


class Executor:
    """Corrects pools of one account, one at a time."""

    def __init__(
        self, pools: Pools, clock: Clock, jitter: Callable[[], float], preconditions: Preconditions | None = None
    ) -> None:
        self._pools = pools
        self._clock = clock
        self._jitter = jitter
        self._preconditions = preconditions or Preconditions()

    async def correct(self, pool_id: str, judge: Judge, memory: PoolMemory, kind: DriftClass) -> Attempt:
        """Bring one pool to what its policy declares, if that is still called for once it was read again."""
        remembered = memory
        for _ in range(1 + _RACES_REREAD):
            try:
                before = await self._pools.get_pool(pool_id)
            except PortError as error:
                return self._unread(error, remembered, kind)
            # A race seen a moment ago asks for another reading, not for the pause it leaves behind for the next sweep.
            judgement = judge(before, replace(remembered, back_off_until=memory.back_off_until))
            if not isinstance(judgement.decision, PatchNetwork):
                return Attempt(memory=remembered, pool=before, kind=kind)
            attempt = await self.patch(judgement, judgement.decision, remembered)
            if attempt.outcome is not CorrectionOutcome.RACED:
                return attempt
            remembered = attempt.memory
        return attempt

    def _unread(self, error: PortError, memory: PoolMemory, kind: DriftClass) -> Attempt:
        if error.code != POOL_NOT_FOUND:
            _log.warning("the pool was not read before its correction: %s", error)
        return Attempt(memory=memory, pool=None, kind=kind)

    async def patch(self, judgement: Judgement, action: PatchNetwork, memory: PoolMemory) -> Attempt:
        """Replace the network of a pool that was read and judged right before, read it again, and verify."""

        async def write(unquoted: bool) -> None:  # noqa: FBT001 a callback's word
            await self._pools.patch_network(action.pool_id, action.body, etag=action.etag, unquoted=unquoted)

        try:
            await self._preconditions.send(write, bare_trial=memory.bare_trial)
        except PortError as error:
            if not error.outcome_unknown:
                return self._refused(judgement, memory, error)
            return await self._verified(judgement, action, memory, unanswered=error)
        return await self._verified(judgement, action, memory, unanswered=None)

    async def _verified(
        self, judgement: Judgement, action: PatchNetwork, memory: PoolMemory, *, unanswered: PortError | None
    ) -> Attempt:
        """Read the pool again and compare it with what it should be now."""
        before, policy = judgement.assessment.pool, _policy(judgement.assessment)
        try:
            after = await self._pools.get_pool(action.pool_id)
        except PortError as error:
            attempt = self._refused(judgement, memory, unanswered or error)
            change = None if unanswered else self._change(judgement)
            return replace(attempt, pool=None, outcome=CorrectionOutcome.FAILED, change=change)
        # Another eTag alone is no effect of ours: somebody else may have written to the pool meanwhile.
        if unanswered is not None and network_digest(after) == network_digest(before):
            return self._refused(judgement, memory, unanswered)
        verification = verify(before, after, desired=action.desired, access=policy.access)
        if isinstance(verification, UnexpectedResult):
            fields = ", ".join(difference.field for difference in verification.differences)
            _log.warning("the corrected pool is not as declared: %s", fields)
            return Attempt(
                memory=after_unexpected_result(memory, policy=policy, pool=after, differences=verification.differences),
                pool=after,
                kind=judgement.assessment.drift.kind,
                outcome=CorrectionOutcome.UNEXPECTED_RESULT,
                change=self._change(judgement),
            )
        return Attempt(
            memory=after_success(memory, pool=after, now=self._clock.now()),
            pool=after,
            kind=judgement.assessment.drift.kind,
            outcome=CorrectionOutcome.VERIFIED,
            change=self._change(judgement),
        )

    def _refused(self, judgement: Judgement, memory: PoolMemory, error: PortError) -> Attempt:
        log = _log.info if error.kind in (ErrorKind.RACE, ErrorKind.WAITING) else _log.warning
        log("the network was not changed: %s", error)
        return Attempt(
            memory=after_error(
                memory,
                kind=error.kind,
                code=error.code,
                message=error.message,
                policy=_policy(judgement.assessment),
                pool=judgement.assessment.pool,
                now=self._clock.now(),
                jitter=self._jitter(),
                retry_after=error.retry_after,
                precondition=self._preconditions.known,
            ),
            pool=judgement.assessment.pool,
            kind=judgement.assessment.drift.kind,
            outcome=CorrectionOutcome.of_error(error.kind),
        )

    def _change(self, judgement: Judgement) -> NetworkChange:
        assessment = judgement.assessment
        return NetworkChange(policy=_policy(assessment), time=self._clock.now(), before=assessment)


def _policy(assessment: Assessment) -> AccessPolicy:
    if assessment.policy is None:
        raise ValueError(f"pool {assessment.pool.id} is to be corrected although no policy governs it")
    return assessment.policy
