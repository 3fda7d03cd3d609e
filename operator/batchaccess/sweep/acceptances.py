"""Which policies each connection accepts, worked out once per reading of the catalogue and shared by all sweeps."""

from collections.abc import Mapping

from batchaccess.core.acceptance import Acceptance, accept
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
)
from batchaccess.core.model import ObjectKey
from batchaccess.core.selection import Candidates
from batchaccess.ports import Catalogue


class Acceptances:
    """Acceptance of every policy under the latest catalogue asked for."""

    def __init__(self) -> None:
        self._catalogue: Catalogue | None = None
        self._acceptances: Mapping[ObjectKey, Acceptance] = {}

    def of(self, catalogue: Catalogue) -> Mapping[ObjectKey, Acceptance]:
        """What the connections make of every policy."""
        if catalogue is not self._catalogue:
            self._acceptances = {
                policy.key: accept(policy, catalogue.connections, catalogue.namespace_labels)
                for policy in catalogue.policies
            }
            self._catalogue = catalogue
        return self._acceptances


class CandidatesOfConnection:
    """The prepared policies of one connection; the same `Candidates` while nothing that concerns it changed."""

    def __init__(self, acceptances: Acceptances) -> None:
        self._acceptances = acceptances
        self._catalogue: Catalogue | None = None
        self._connection: AccountConnection | None = None
        self._inputs: object = None
        self._candidates: Candidates | None = None

    def of(self, connection: AccountConnection, catalogue: Catalogue) -> Candidates:
        """The policies that `connection` accepts under this catalogue."""
        if self._candidates is not None and catalogue is self._catalogue and connection is self._connection:
            return self._candidates
        accepted = self._accepted(connection, catalogue)
        labels = {policy.key.namespace: catalogue.namespace_labels.get(policy.key.namespace) for policy in accepted}
        inputs = (connection, accepted, labels)
        if self._candidates is None or inputs != self._inputs:
            self._candidates = Candidates.of(connection, accepted, catalogue.namespace_labels)
            self._inputs = inputs
        self._catalogue, self._connection = catalogue, connection
        return self._candidates

    def _accepted(self, connection: AccountConnection, catalogue: Catalogue) -> tuple[AccessPolicy, ...]:
        acceptances = self._acceptances.of(catalogue)
        return tuple(policy for policy in catalogue.policies if acceptances[policy.key].accepts(connection.name))
