"""What Kubernetes says of open sagas: for one connection, and in short for all of them."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from batchaccess.core.model import ObjectKey
from batchaccess.core.saga.copies import stored_history, stored_journal
from batchaccess.core.saga.journal import PolicyVersion, UnreadableJournal
from batchaccess.core.saga.steps import DrainHistory, KubernetesJournal, Step
from batchaccess.ports import ReportedPool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """The policies of one connection's open sagas, apart by whether their pools may lack capacity."""

    at_risk: tuple[PolicyVersion, ...]
    restored: tuple[PolicyVersion, ...]


class SagaRegister:
    """The policies of all open sagas, shared by the sweeps of all connections.

    `maxConcurrent` of a policy counts wherever its pools are, and its finalizer goes once no connection needs it.
    """

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}

    def tell(
        self, connection: str, policies: Iterable[PolicyVersion], *, restored: Iterable[PolicyVersion] = ()
    ) -> None:
        """Replace what is open on one connection; the sagas of `restored` hold their policies and count no more."""
        self._told[connection] = _Told(at_risk=tuple(policies), restored=tuple(restored))

    def forget(self, connection: str) -> None:
        """The connection is gone."""
        self._told.pop(connection, None)

    def by_policy(self) -> Counter[str]:
        """How many sagas put capacity at risk for each policy, by UID."""
        return Counter(policy.uid for told in self._told.values() for policy in told.at_risk)

    def policies(self) -> Collection[ObjectKey]:
        """The policies that some open saga enforces."""
        return {policy.key for told in self._told.values() for policy in (*told.at_risk, *told.restored)}

    def knows(self, connections: Iterable[str]) -> bool:
        """Whether each of these connections told what is open."""
        return all(connection in self._told for connection in connections)


def opened_in(existing: Mapping[str, ReportedPool]) -> list[PolicyVersion]:
    """The policies of the sagas that an earlier process left open on one connection, as Kubernetes has them."""
    journals = (stored_journal(reported.stored.status) for reported in existing.values() if reported.owned)
    return [journal.journal.policy for journal in journals if isinstance(journal, KubernetesJournal)]


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
            self._register.tell(self._connection, ())
            return
        at_risk = [journal.journal.policy for name, journal in open_now.items() if name not in self._restored]
        restored = [open_now[name].journal.policy for name in self._restored]
        self._register.tell(self._connection, [*self._opening.values(), *at_risk], restored=restored)
