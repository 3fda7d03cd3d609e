"""Which accounts a change in Kubernetes concerns; pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
)
from batchaccess.core.selection import connects
from batchaccess.kube.cache import CachedObject
from batchaccess.kube.catalogue import PoolIdentity, Reading
from batchaccess.kube.resources import NAMESPACES


def connections_to_wake(reading: Reading, connections: Sequence[AccountConnection]) -> frozenset[str]:
    """Names of the connections whose next sweep should not wait for its turn.

    | changed              | wakes                                                              |
    |----------------------|--------------------------------------------------------------------|
    | policy               | every connection that it targeted before or targets now            |
    | connection           | itself                                                             |
    | BatchPoolAccess      | its connection, if a sweep was requested through the annotation    |
    | labels of a namespace| connections that grant by labels of namespaces                     |

    A change of nothing but a status wakes nobody: a status that somebody edited is put right by the next sweep.
    """
    if not reading.change.is_of_value:
        return frozenset()
    if reading.resource == NAMESPACES:
        return frozenset(connection.name for connection in connections if _grants_by_labels(connection))
    return frozenset(
        name
        for entry in (reading.change.before, reading.change.after)
        if entry is not None
        for name in _concerned(entry, reading, connections)
    )


def is_new_request(reading: Reading) -> bool:
    """Whether somebody asked for a sweep by setting the annotation on an object that was there before."""
    before, after = reading.change.before, reading.change.after
    if before is None or after is None:
        return False
    requested = getattr(after.value, "requested_at", None)
    return requested is not None and requested != getattr(before.value, "requested_at", None)


def _concerned(entry: CachedObject[Any], reading: Reading, connections: Sequence[AccountConnection]) -> Iterator[str]:
    match entry.value:
        case AccessPolicy(connections=selector):
            yield from (connection.name for connection in connections if connects(selector, connection))
        case AccountConnection(name=name):
            yield name
        case PoolIdentity(connection=name) if is_new_request(reading):
            yield name
        case _:
            return


def _grants_by_labels(connection: AccountConnection) -> bool:
    return any(grant.namespaces.match_labels is not None for grant in connection.grants)
