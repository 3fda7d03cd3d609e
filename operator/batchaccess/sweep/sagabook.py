"""What Kubernetes says of open sagas: for one connection, and in short for all of them."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from batchaccess.core.model import ObjectKey
from batchaccess.core.saga.copies import stored_history, stored_journal
from batchaccess.core.saga.journal import PolicyVersion, UnreadableJournal
from batchaccess.core.saga.steps import DrainHistory, KubernetesJournal, Step
from batchaccess.ports import ReportedPool

SagasChanged = Callable[[str, Collection[ObjectKey]], None]
"""Hears on which connection sagas were opened or ended, and of which policies those are that are or were open there."""

_NOTHING_OPEN: Final[Mapping[str, PolicyVersion]] = MappingProxyType({})


def _nobody_hears(_connection: str, _policies: Collection[ObjectKey]) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """The policies of one connection's open sagas by pool object, apart by whether the pools may lack capacity."""

    at_risk: Mapping[str, PolicyVersion]
    restored: Mapping[str, PolicyVersion]

    @property
    def open(self) -> Mapping[str, PolicyVersion]:
        """All of them."""
        return {**self.at_risk, **self.restored}


_NOTHING_TOLD: Final = _Told(at_risk=_NOTHING_OPEN, restored=_NOTHING_OPEN)


class SagaRegister:
    """The policies of all open sagas, shared by the sweeps of all connections.

    `maxConcurrent` of a policy counts wherever its pools are, and its finalizer goes once no connection needs it.
    """

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}
        self._changed: SagasChanged = _nobody_hears

    def subscribe(self, changed: SagasChanged) -> None:
        """From now on tell `changed` where sagas were opened or ended."""
        self._changed = changed

    def tell(
        self,
        connection: str,
        policies: Mapping[str, PolicyVersion],
        *,
        restored: Mapping[str, PolicyVersion] = _NOTHING_OPEN,
    ) -> None:
        """Replace what is open on one connection: the policies by the objects of their pools.

        The sagas of `restored` hold their policies and count no more.
        """
        before = self._told.get(connection, _NOTHING_TOLD)
        self._told[connection] = now = _Told(at_risk=policies, restored=restored)
        self._tell_changed(connection, before.open, now.open)

    def forget(self, connection: str) -> None:
        """The connection is gone."""
        self._tell_changed(connection, self._told.pop(connection, _NOTHING_TOLD).open, _NOTHING_OPEN)

    def _tell_changed(
        self, connection: str, before: Mapping[str, PolicyVersion], after: Mapping[str, PolicyVersion]
    ) -> None:
        if before != after:
            self._changed(connection, {policy.key for policy in (*before.values(), *after.values())})

    def by_policy(self) -> Counter[str]:
        """How many sagas put capacity at risk for each policy, by UID."""
        return Counter(policy.uid for told in self._told.values() for policy in told.at_risk.values())

    def policies(self) -> Collection[ObjectKey]:
        """The policies that some open saga enforces."""
        return {policy.key for told in self._told.values() for policy in told.open.values()}

    def pools_of(self, policy: ObjectKey) -> Collection[str]:
        """The objects of the pools whose open sagas enforce this policy, wherever they are."""
        return [name for told in self._told.values() for name, version in told.open.items() if version.key == policy]

    def pools_on(self, connection: str) -> Collection[str]:
        """The objects of the pools with open sagas on one connection."""
        return self._told.get(connection, _NOTHING_TOLD).open.keys()

    def knows(self, connections: Iterable[str]) -> bool:
        """Whether each of these connections told what is open."""
        return all(connection in self._told for connection in connections)


def opened_in(existing: Mapping[str, ReportedPool]) -> Mapping[str, PolicyVersion]:
    """The policies of the sagas that an earlier process left open on one connection, as Kubernetes has them."""
    owned = {name: stored_journal(reported.stored.status) for name, reported in existing.items() if reported.owned}
    return {name: journal.journal.policy for name, journal in owned.items() if isinstance(journal, KubernetesJournal)}


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
        self._restored: set[str] = set()
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

    def restored(self, name: str) -> None:
        """The pool of a saga that is only to be cleared was read, and its scale is back."""
        self._restored.add(name)
        self._tell()

    def at_risk(self) -> Mapping[str, KubernetesJournal]:
        """The open sagas that count against the limits: all but those whose scale was seen to be back.

        Removing a journal may be refused for ever, and that must not keep every other pool waiting.
        """
        return {name: journal for name, journal in self.open().items() if name not in self._restored}

    def close(self) -> None:
        """Nothing is open here any more as far as others are concerned."""
        self._closed = True
        self._tell()

    def reopen(self) -> None:
        """What is open here concerns others again."""
        self._closed = False
        self._tell()

    def _record(self, name: str, reported: ReportedPool) -> SagaRecord:
        known = self._records.get(name)
        if known is not None and known.reported is not None and known.reported.stored is reported.stored:
            return SagaRecord(reported=reported, journal=known.journal, history=known.history)
        status = dict(reported.stored.status)
        return SagaRecord(reported=reported, journal=stored_journal(status), history=stored_history(status))

    def _tell(self) -> None:
        open_now = self.open()
        self._restored &= {name for name, journal in open_now.items() if journal.step is Step.CLEARING}
        if self._closed:
            self._register.tell(self._connection, {})
            return
        policies = {name: journal.journal.policy for name, journal in open_now.items()}
        at_risk = {name: policy for name, policy in policies.items() if name not in self._restored}
        restored = {name: policies[name] for name in self._restored}
        self._register.tell(self._connection, self._opening | at_risk, restored=restored)
