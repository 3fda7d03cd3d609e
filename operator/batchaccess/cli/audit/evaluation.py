"""From pools that were read to what is wrong with them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from batchaccess.cli.inputs import Failure, ReadAccount, Reading, ReadPool
from batchaccess.core.addresses import AddressSet
from batchaccess.core.declared import AuthType
from batchaccess.core.findingrules import FindingKind
from batchaccess.core.findings import Finding, account_findings, counts_as_found, pool_findings
from batchaccess.core.model import Network, NodeFindings
from batchaccess.core.pooltraits import PoolTraits
from batchaccess.core.reachability import PoolReachability, reachability
from batchaccess.core.reasons import ExposedReason

_CACHED: Final = 4096
_BY_EXPOSURE = (ExposedReason.INTERNET_REACHABLE, ExposedReason.UNDETERMINED, ExposedReason.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedPool:
    """One pool and what was found in it."""

    account: str
    read: ReadPool
    reachability: PoolReachability
    findings: tuple[Finding, ...]

    @property
    def id(self) -> str:
        """The id of the pool."""
        return self.read.pool.id


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedAccount:
    """One account; its pools by danger, the most exposed first."""

    read: ReadAccount
    pools: tuple[AuditedPool, ...]
    findings: tuple[Finding, ...]

    def exposures(self) -> Counter[ExposedReason]:
        """How many pools are exposed how far."""
        return Counter(pool.reachability.exposed for pool in self.pools)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Everything an audit found, and what it could not look at."""

    accounts: tuple[AuditedAccount, ...]
    problems: tuple[Failure, ...]

    @property
    def pools(self) -> Iterator[AuditedPool]:
        """Every pool."""
        return (pool for account in self.accounts for pool in account.pools)

    @property
    def findings(self) -> Iterator[tuple[AuditedAccount, AuditedPool | None, Finding]]:
        """Every finding with what it is about; without a pool it is about the account."""
        for account in self.accounts:
            yield from ((account, None, finding) for finding in account.findings)
            for pool in account.pools:
                yield from ((account, pool, finding) for finding in pool.findings)

    def found(self, least: FindingKind) -> bool:
        """Whether anything was found that makes the audit end 1."""
        return any(counts_as_found(finding, least=least) for _, _, finding in self.findings)


def evaluate(reading: Reading, *, trusted: AddressSet) -> Audit:
    """Audit everything that was read.

    Args:
        reading: the accounts and their pools.
        trusted: public addresses that are meant to get in.
    """
    return Audit(accounts=tuple(_account(account, trusted) for account in reading.accounts), problems=reading.problems)


def _account(account: ReadAccount, trusted: AddressSet) -> AuditedAccount:
    connection = account.connection
    forbidden = () if connection is None else connection.forbid_internet_ports
    pools = [_pool(account.name, each, forbidden, trusted) for each in account.pools]
    return AuditedAccount(
        read=account,
        pools=tuple(sorted(pools, key=_danger)),
        findings=account_findings(shared_key=connection is not None and connection.auth.type is AuthType.SHARED_KEY),
    )


def _pool(account: str, each: ReadPool, forbidden: tuple[int, ...], trusted: AddressSet) -> AuditedPool:
    subject = _Subject(each.pool.network, each.pool.is_legacy, each.nodes, each.traits, forbidden, trusted)
    reach, findings = _judged(subject)
    return AuditedPool(account=account, read=each, reachability=reach, findings=findings)


class _Subject(NamedTuple):
    """Everything that a judgement depends on."""

    network: Network
    legacy: bool
    nodes: NodeFindings | None
    traits: PoolTraits
    forbidden: tuple[int, ...]
    trusted: AddressSet


@lru_cache(maxsize=_CACHED)
def _judged(subject: _Subject) -> tuple[PoolReachability, tuple[Finding, ...]]:
    """Accounts of thousands of pools are made from a few templates, so most are judged already."""
    reach = reachability(subject.network, legacy=subject.legacy, nodes=subject.nodes)
    found = pool_findings(reach, subject.traits, forbidden_ports=subject.forbidden, trusted=subject.trusted)
    return reach, found


def _danger(pool: AuditedPool) -> tuple[int, float, str]:
    return _BY_EXPOSURE.index(pool.reachability.exposed), -pool.reachability.exposed_share, pool.id
