"""What the tests of the writers share."""

from batchaccess.core.declared import AccountConnection
from batchaccess.kube.catalogue import LiveCatalogue
from batchaccess.kube.resources import Resource
from batchaccess.kube.statuswriter import WriteOutcome


class Counted:
    """What a writer counted."""

    def __init__(self) -> None:
        self.outcomes: list[WriteOutcome] = []

    def __call__(self, _: Resource, outcome: WriteOutcome) -> None:
        self.outcomes.append(outcome)


def the_connection(live: LiveCatalogue) -> AccountConnection:
    (connection,) = live.catalogue().connections
    return connection
