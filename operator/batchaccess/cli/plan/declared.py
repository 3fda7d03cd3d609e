"""What is to be planned: policies and connections from files, from the cluster, or from both."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from batchaccess.api import Kind, parse_connection, parse_policy, schedule_problems
from batchaccess.cli.inputs import Failure
from batchaccess.cli.manifests import Declared, Mistake, Weight, read_declared
from batchaccess.cli.manifests.objects import NAME_LABEL
from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.model import JsonObject
from batchaccess.core.selection import NamespaceLabels
from batchaccess.kube.catalogue import Decoders, LiveCatalogue
from batchaccess.kube.client import KubeClient
from batchaccess.kube.listing import list_all
from batchaccess.kube.resources import CONNECTIONS, KUBE_SYSTEM, NAMESPACES, POLICIES, POOL_ACCESSES
from batchaccess.ports import InvalidObject, PortError

_CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedObjects:
    """Valid policies and connections, the known labels of namespaces, and what could not be used.

    `written` is what the operator wrote about pools, None without a cluster or if it cannot be read.
    """

    policies: tuple[AccessPolicy, ...] = ()
    connections: tuple[AccountConnection, ...] = ()
    namespaces: Mapping[str, Mapping[str, str]]
    problems: tuple[Failure, ...] = ()
    written: LiveCatalogue | None = None

    @property
    def namespace_labels(self) -> NamespaceLabels:
        """The labels of every namespace that a policy is in; its own name is always known."""
        return {
            policy.key.namespace: {
                **self.namespaces.get(policy.key.namespace, {}),
                NAME_LABEL: policy.key.namespace,
            }
            for policy in self.policies
        }

    def over(self, others: "PlannedObjects") -> "PlannedObjects":
        """These in front of others: an object of the same name is edited, and stays that object, as old as it was."""
        policies = {policy.key: policy for policy in others.policies}
        for policy in self.policies:
            policies[policy.key] = _edited(policy, policies.get(policy.key))
        connections = {connection.name: connection for connection in others.connections}
        for connection in self.connections:
            connections[connection.name] = _edited(connection, connections.get(connection.name))
        return PlannedObjects(
            policies=tuple(policies.values()),
            connections=tuple(connections.values()),
            namespaces={**others.namespaces, **self.namespaces},
            problems=(*others.problems, *self.problems),
            written=others.written,
        )


_Declared = TypeVar("_Declared", AccessPolicy, AccountConnection)


def _edited(new: _Declared, old: _Declared | None) -> _Declared:
    """What an object becomes when it is applied: a generation further unless it says what it said."""
    if old is None:
        return new
    same = replace(
        new,
        uid=old.uid,
        generation=old.generation,
        created=old.created,
        deleting=old.deleting,
        requested_at=new.requested_at or old.requested_at,
    )
    return same if same == old else replace(same, generation=old.generation + 1)


def objects_in_files(names: tuple[str, ...]) -> PlannedObjects:
    """What -f names. Every mistake that is an error is a problem: a plan of something else would mislead."""
    declared = read_declared(names)
    problems = [_failure(mistake) for mistake in declared.mistakes if mistake.weight is Weight.ERROR]
    if not declared.policies and not problems:
        problems.append(Failure(source=", ".join(names), message=f"holds no {Kind.POLICY}"))
    return _objects(declared, problems)


def _objects(declared: Declared, problems: Sequence[Failure]) -> PlannedObjects:
    return PlannedObjects(
        policies=tuple(placed.policy for placed in declared.policies),
        connections=tuple(placed.connection for placed in declared.connections),
        namespaces=declared.namespaces,
        problems=tuple(problems),
    )


def _failure(mistake: Mistake) -> Failure:
    about = " ".join(part for part in (mistake.subject, mistake.path) if part)
    return Failure(source=mistake.place, message=f"{about}: {mistake.message}" if about else mistake.message)


def objects_in_cluster(kubeconfig: Path | None) -> PlannedObjects:
    """Everything of ours in the cluster of a kubeconfig.

    Raises:
        PortError: the cluster cannot be asked.
    """
    return asyncio.run(_read_cluster(kubeconfig))


async def _read_cluster(kubeconfig: Path | None) -> PlannedObjects:
    client = await KubeClient.connect(kubeconfig)
    hidden: list[Failure] = []
    written: LiveCatalogue | None = None
    try:
        policies = (await list_all(client, POLICIES)).items
        connections = (await list_all(client, CONNECTIONS)).items
        try:
            written = await _read_written(client)
        except PortError as error:
            hidden.append(
                Failure(source="batchpoolaccesses", message=f"what was begun cannot be read: {error.message}")
            )
        try:
            namespaces = (await list_all(client, NAMESPACES)).items
        except PortError as error:
            namespaces = ()
            hidden.append(Failure(source="namespaces", message=f"their labels cannot be read: {error.message}"))
    finally:
        await client.close()
    return replace(_from_cluster(policies, connections, namespaces, hidden), written=written)


async def _read_written(client: KubeClient) -> LiveCatalogue:
    """What the operator wrote about pools, and whose cluster this is unless that must not be read."""
    written = LiveCatalogue(Decoders(connection=parse_connection, policy=parse_policy))
    written.replace(POOL_ACCESSES, await list_all(client, POOL_ACCESSES))
    with suppress(PortError):
        written.observe(NAMESPACES, await client.get(NAMESPACES.path(name=KUBE_SYSTEM)))
    return written


def _from_cluster(
    policies: Sequence[JsonObject],
    connections: Sequence[JsonObject],
    namespaces: Sequence[JsonObject],
    problems: list[Failure],
) -> PlannedObjects:
    found_policies, found_connections = [], []
    for raw in policies:
        policy = parse_policy(raw)
        wrong = policy.problems if isinstance(policy, InvalidObject) else schedule_problems(policy)
        problems += _invalid(Kind.POLICY, raw, wrong)
        if isinstance(policy, AccessPolicy) and not wrong:
            found_policies.append(policy)
    for raw in connections:
        connection = parse_connection(raw)
        if isinstance(connection, InvalidObject):
            problems += _invalid(Kind.CONNECTION, raw, connection.problems)
        else:
            found_connections.append(connection)
    return PlannedObjects(
        policies=tuple(found_policies),
        connections=tuple(found_connections),
        namespaces={raw["metadata"]["name"]: dict(raw["metadata"].get("labels") or {}) for raw in namespaces},
        problems=tuple(problems),
    )


def _invalid(kind: Kind, raw: JsonObject, problems: Sequence[tuple[str, str]]) -> list[Failure]:
    metadata = raw.get("metadata") or {}
    name = "/".join(part for part in (metadata.get("namespace"), metadata.get("name")) if part)
    return [Failure(source=f"{_CLUSTER}: {kind} {name}", message=f"{path}: {told}") for path, told in problems]
