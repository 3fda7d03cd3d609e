"""The breaker of an account: when most pools drift though nobody changed a policy, something else is wrong.

Usually that is a bug of ours or a change of the service, and draining the account would be the wrong answer. Pools that
drift because their policy was just written or edited do not count: that is a rollout. What a pool was in order under is
kept in its status, so that an upgrade that takes every pool for drifting finds the breaker as awake as before it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

FEWEST_DRIFTING: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyGeneration:
    """One generation of one policy, by UID."""

    uid: str
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStanding:
    """One pool as the breaker sees it.

    `governed_by` is what governs it now, `in_order_under` what governed it when it was last as declared. Both None:
    unknown, or never.
    """

    drifts: bool
    governed_by: PolicyGeneration | None
    in_order_under: PolicyGeneration | None

    @property
    def drifts_unprompted(self) -> bool:
        """Whether it was in order under the very policy that it drifts from now."""
        return self.drifts and self.governed_by is not None and self.governed_by == self.in_order_under


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Whether new drains are held back on one account.

    `requested_at` is the connection's `batchaccess.dev/requested-at` when it opened: another value closes it for as
    long as the share stays high. Who closes it knows of the pools that drift then: they are not in order under anything
    any more, and count again once they were.
    """

    tripped: bool = False
    requested_at: str | None = None
    overridden: bool = False

    @property
    def is_open(self) -> bool:
        """Whether no new drain may start."""
        return self.tripped and not self.overridden


CLOSED: Final = Breaker()


def next_breaker(breaker: Breaker, pools: Iterable[PoolStanding], *, requested_at: str | None) -> Breaker:
    """The breaker after one sweep; the same object while nothing about it changes."""
    total = drifting = 0
    for pool in pools:
        total += 1
        drifting += pool.drifts_unprompted
    if drifting < FEWEST_DRIFTING or 2 * drifting <= total:
        return breaker if breaker == CLOSED else CLOSED
    if not breaker.tripped:
        return Breaker(tripped=True, requested_at=requested_at)
    if not breaker.overridden and requested_at != breaker.requested_at:
        return Breaker(tripped=True, requested_at=requested_at, overridden=True)
    return breaker
