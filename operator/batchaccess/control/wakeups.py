"""Which accounts a change in Kubernetes concerns, and how soon; pure.

Many may write policies, so a policy has a say only where a grant gives it one, and at a bounded pace: otherwise
whoever may edit any object in any namespace could have every account listed for ever.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
)
from batchaccess.core.pace import Urgency
from batchaccess.core.selection import NamespaceLabels, connects, covering_grants, granted_to
from batchaccess.kube.cache import CachedObject
from batchaccess.kube.catalogue import PoolIdentity, Reading
from batchaccess.kube.resources import NAMESPACES, POLICIES


def connections_to_wake(
    reading: Reading, connections: Sequence[AccountConnection], namespace_labels: NamespaceLabels
) -> frozenset[str]:
    """Names of the connections whose next sweep should not wait for its turn.

    | changed              | wakes                                                              |
    |----------------------|--------------------------------------------------------------------|
    | policy               | every connection that it targeted before or targets now, if a      |
    |                      | grant permits what it asked for or asks for                        |
    | connection           | itself                                                             |
    | BatchPoolAccess      | its connection, if a sweep was requested through the annotation    |
    | labels of a namespace| connections that grant it something by one of them, or did         |

    A change of nothing but a status wakes nobody: a status that somebody edited is put right by the next sweep.

    Args:
        reading: what changed.
        connections: all that are declared.
        namespace_labels: those of the namespace of a policy, at least.
    """
    if not reading.change.is_of_value:
        return frozenset()
    if reading.resource == NAMESPACES:
        return frozenset(connection.name for connection in connections if _gains_or_loses(reading, connection))
    return frozenset(
        name
        for entry in (reading.change.before, reading.change.after)
        if entry is not None
        for name in _concerned(entry, reading, connections, namespace_labels)
    )


def urgency_of(reading: Reading) -> Urgency:
    """How soon a change is looked at: at once if platform administrators made it, else at a bounded pace."""
    return Urgency.PACED if reading.resource in (POLICIES, NAMESPACES) else Urgency.AT_ONCE


def asks_for_reading(
    reading: Reading, connections: Sequence[AccountConnection], namespace_labels: NamespaceLabels
) -> bool:
    """Whether somebody who has a say asked for a sweep: then everything is read anew as well.

    A policy of a namespace that is granted anything has one, even beyond its grant or without a target: what the
    operator was not told of may be the very connection.
    """
    if not is_new_request(reading):
        return False
    if reading.resource != POLICIES:
        return True
    namespace = _namespace(reading)
    return any(granted_to(namespace, connection, namespace_labels) for connection in connections)


def is_new_request(reading: Reading) -> bool:
    """Whether somebody asked for a sweep by setting the annotation on an object that was there before."""
    before, after = reading.change.before, reading.change.after
    if before is None or after is None:
        return False
    requested = getattr(after.value, "requested_at", None)
    return requested is not None and requested != getattr(before.value, "requested_at", None)


def _concerned(
    entry: CachedObject[Any],
    reading: Reading,
    connections: Sequence[AccountConnection],
    namespace_labels: NamespaceLabels,
) -> Iterator[str]:
    match entry.value:
        case AccessPolicy() as policy:
            yield from (each.name for each in connections if _has_a_say(policy, each, namespace_labels))
        case AccountConnection(name=name):
            yield name
        case PoolIdentity(connection=name) if is_new_request(reading):
            yield name
        case _:
            return


def _has_a_say(policy: AccessPolicy, connection: AccountConnection, namespace_labels: NamespaceLabels) -> bool:
    """Whether a policy is for a connection, and is permitted what it asks for."""
    return connects(policy.connections, connection) and bool(covering_grants(policy, connection, namespace_labels))


def _gains_or_loses(reading: Reading, connection: AccountConnection) -> bool:
    """Whether the labels that a namespace had or has make a difference to what a connection grants it."""
    name = _object_name(reading)
    before, after = (
        granted_to(name, connection, {name: _labels(entry)}) for entry in (reading.change.before, reading.change.after)
    )
    return before != after


def _labels(entry: CachedObject[Any] | None) -> Mapping[str, str]:
    labels: Mapping[str, str] = {} if entry is None else entry.value
    return labels


def _object_name(reading: Reading) -> str:
    entry = reading.change.after or reading.change.before
    return "" if entry is None else entry.stored.name


def _namespace(reading: Reading) -> str:
    entry = reading.change.after or reading.change.before
    return "" if entry is None else entry.stored.namespace or ""
