"""What Kubernetes says of open sagas: for one connection, and in short for all of them."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from batchaccess.core.model import ObjectKey
from batchaccess.core.saga.copies import stored_history, stored_journal
from batchaccess.core.saga.journal import PolicyVersion, UnreadableJournal
from batchaccess.core.saga.steps import DrainHistory, KubernetesJournal
from batchaccess.ports import ReportedPool

SagasChanged = Callable[[str, Collection[ObjectKey]], None]
"""Hears on which connection sagas were opened or ended, and of which policies those are that are or were open there."""

_NOTHING_OPEN: Final[Mapping[str, PolicyVersion]] = MappingProxyType({})


def _nobody_hears(_connection: str, _policies: Collection[ObjectKey]) -> None:
    pass


class SagaRegister:
    """The policies of all open sagas, shared by the sweeps of all connections.

    `maxConcurrent` of a policy counts wherever its pools are, and its finalizer goes once no connection needs it.
    """

    def __init__(self) -> None:
        self._open: dict[str, Mapping[str, PolicyVersion]] = {}
        self._changed: SagasChanged = _nobody_hears

    def subscribe(self, changed: SagasChanged) -> None:
        """From now on tell `changed` where sagas were opened or ended."""
        self._changed = changed

    def tell(self, connection: str, policies: Mapping[str, PolicyVersion]) -> None:
        """Replace what is open on one connection: the policies by the objects of their pools."""
        before = self._open.get(connection, _NOTHING_OPEN)
        self._open[connection] = policies
        self._tell_changed(connection, before, policies)

    def forget(self, connection: str) -> None:
        """The connection is gone."""
        self._tell_changed(connection, self._open.pop(connection, _NOTHING_OPEN), _NOTHING_OPEN)

    def _tell_changed(
        self, connection: str, before: Mapping[str, PolicyVersion], after: Mapping[str, PolicyVersion]
    ) -> None:
        if before != after:
            self._changed(connection, {policy.key for policy in (*before.values(), *after.values())})

    def by_policy(self) -> Counter[str]:
        """How many sagas are open for each policy, by UID."""
        return Counter(policy.uid for policies in self._open.values() for policy in policies.values())

    def policies(self) -> Collection[ObjectKey]:
        """The policies that some open saga enforces."""
        return {policy.key for policies in self._open.values() for policy in policies.values()}

    def pools_of(self, policy: ObjectKey) -> Collection[str]:
        """The objects of the pools whose open sagas enforce this policy, wherever they are."""
        return [name for pools in self._open.values() for name, version in pools.items() if version.key == policy]

    def pools_on(self, connection: str) -> Collection[str]:
        """The objects of the pools with open sagas on one connection."""
        return self._open.get(connection, _NOTHING_OPEN).keys()

    def knows(self, connections: Iterable[str]) -> bool:
        """Whether each of these connections told what is open."""
        return all(connection in self._open for connection in connections)


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaRecord:
    """What the object of one pool says of sagas; the same value while the object did not change."""

    reported: ReportedPool | None
    journal: KubernetesJournal | UnreadableJournal | None
    history: DrainHistory | None


NOTHING_RECORDED: Final = SagaRecord(reported=None, journal=None, history=None)


class SagaBook:
    """The records of one connection. Statuses are only read anew where they changed."""

    def __init__(self, connection: str, register: SagaRegister) -> None:
        self._connection = connection
        self._register = register
        self._records: dict[str, SagaRecord] = {}
        self._opening: dict[str, PolicyVersion] = {}
        self._closed = False

    def read(self, existing: Mapping[str, ReportedPool]) -> None:
        """Take in all objects of the connection."""
        self._records = {name: self._record(name, reported) for name, reported in existing.items() if reported.owned}
        self._tell()

    def begin(self, name: str, policy: PolicyVersion) -> None:
        """A saga is about to be opened; it counts from now on, until `note` says what came of it."""
        self._opening[name] = policy
        self._tell()

    def note(self, name: str, reported: ReportedPool | None) -> SagaRecord:
        """Take in one object as it is now, None if there is none."""
        self._opening.pop(name, None)
        if reported is None or not reported.owned:
            self._records.pop(name, None)
            record = NOTHING_RECORDED
        else:
            record = self._records[name] = self._record(name, reported)
        self._tell()
        return record

    def of(self, name: str) -> SagaRecord:
        """The record of one object."""
        return self._records.get(name, NOTHING_RECORDED)

    def open(self) -> Mapping[str, KubernetesJournal]:
        """The journals of open sagas that can be read, by object."""
        return {
            name: record.journal
            for name, record in self._records.items()
            if isinstance(record.journal, KubernetesJournal)
        }

    def close(self) -> None:
        """Nothing is open here any more as far as others are concerned."""
        self._closed = True
        self._tell()

    def _record(self, name: str, reported: ReportedPool) -> SagaRecord:
        known = self._records.get(name)
        if known is not None and known.reported is not None and known.reported.stored is reported.stored:
            return SagaRecord(reported=reported, journal=known.journal, history=known.history)
        status = dict(reported.stored.status)
        return SagaRecord(reported=reported, journal=stored_journal(status), history=stored_history(status))

    def _tell(self) -> None:
        policies = self._opening | {name: journal.journal.policy for name, journal in self.open().items()}
        self._register.tell(self._connection, {} if self._closed else policies)
