"""What was read: accounts, their pools, and everything that could not be read, which is never left out silently."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from batchaccess.core.declared import AccountConnection
from batchaccess.core.model import (
    NodeFindings,
    ObservedPool,
)
from batchaccess.core.pooltraits import UNKNOWN_TRAITS, PoolTraits
from batchaccess.ports import UnreadablePool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPool:
    """One pool. `nodes` is what its nodes showed, None if they were not listed or not saved."""

    pool: ObservedPool
    nodes: NodeFindings | None = None
    traits: PoolTraits = UNKNOWN_TRAITS


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAccount:
    """One account and its pools, in the order of their ids.

    Attributes:
        name: of the connection if one was given, else of the Batch account, else of the file.
        source: where it was read, for people: an endpoint or a file.
        pools: those that were understood.
        unreadable: those that were not.
        connection: as declared with --connection; for --endpoint one made from it, without grants; None for files.
        live: whether the service itself was asked.
    """

    name: str
    source: str
    pools: tuple[ReadPool, ...] = ()
    unreadable: tuple[UnreadablePool, ...] = ()
    connection: AccountConnection | None = None
    live: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An input, an account or the nodes of a pool that could not be read, and what to do about it."""

    source: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything that was read. With anything missing a command ends 2, whatever else it found."""

    accounts: tuple[ReadAccount, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def problems(self) -> tuple[Failure, ...]:
        """Every failure, unreadable pools among them."""
        unreadable = (
            Failure(source=f"{account.source}: pool {pool.id}", message=pool.problem)
            for account in self.accounts
            for pool in account.unreadable
        )
        return (*self.failures, *unreadable)

    @property
    def pools(self) -> Iterator[tuple[ReadAccount, ReadPool]]:
        """Every pool with its account."""
        return ((account, pool) for account in self.accounts for pool in account.pools)


class Steps(Protocol):
    """Told how far the reading has come, to be shown."""

    def begin(self, what: str, total: int | None = None) -> None:
        """Something begins that has `total` steps, None if nobody knows."""
        ...

    def advance(self) -> None:
        """One step is done."""
        ...


class _NoSteps:
    def begin(self, what: str, total: int | None = None) -> None:
        """Tell nobody."""

    def advance(self) -> None:
        """Tell nobody."""


def no_steps() -> Steps:
    """For callers with nobody to show progress to."""
    return _NoSteps()
