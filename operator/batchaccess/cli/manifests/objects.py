"""From manifests to policies and connections, with every mistake of every object."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from batchaccess.api import GROUP, Kind, parse_connection, parse_policy, schedule_problems
from batchaccess.cli.manifests import checks
from batchaccess.cli.manifests.behind import look_behind
from batchaccess.cli.manifests.checks import Mistake, Weight
from batchaccess.cli.manifests.files import Manifest, ManifestFiles, read_manifest_files
from batchaccess.cli.manifests.schema import nearest, unknown_fields
from batchaccess.core.declared import AccessPolicy, AccountConnection

NAME_LABEL: Final = "kubernetes.io/metadata.name"
"""The label that Kubernetes itself gives every namespace."""

_STAND_INS: Final = {"apiVersion": f"{GROUP}/v1alpha1", "metadata.name": "a", "metadata.namespace": "a"}
_POLICY_STAND_INS: Final = {**_STAND_INS, "spec.connections": {"names": ["a"]}}
_CONNECTION_STAND_INS: Final = {
    **_STAND_INS,
    "spec.endpoint": "https://a.b.batch.azure.com",
    "spec.auth": {"type": "WorkloadIdentity"},
}
"""Valid values of what must be there, so that a mistake in it hides no others."""

_KINDS: Final = tuple(kind.value for kind in Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedPolicy:
    """A valid policy and its manifest."""

    policy: AccessPolicy
    manifest: Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedConnection:
    """A valid connection and its manifest."""

    connection: AccountConnection
    manifest: Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """Everything of ours in the files. Objects with an error are among the mistakes only; other kinds are passed over.

    `namespaces` are the labels of those namespaces whose manifests are there.
    """

    policies: tuple[PlacedPolicy, ...] = ()
    connections: tuple[PlacedConnection, ...] = ()
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()
    objects: int = 0
    files: int = 0

    def labels_of(self, namespace: str) -> Mapping[str, str]:
        """The labels of a namespace as far as they are known."""
        return {**self.namespaces.get(namespace, {}), NAME_LABEL: namespace}


def read_declared(names: tuple[str, ...]) -> Declared:
    """Read what -f names. Never raises: problems are mistakes."""
    return declared_in(read_manifest_files(names))


def declared_in(read: ManifestFiles) -> Declared:
    """What manifests declare."""
    policies: list[PlacedPolicy] = []
    connections: list[PlacedConnection] = []
    mistakes = list(read.mistakes)
    ours = [manifest for manifest in read.manifests if _is_ours(manifest)]
    for manifest in ours:
        found = list(_wrong_names(manifest))
        parsed = _parsed(manifest, found)
        mistakes += sorted(found, key=lambda mistake: mistake.line or 0)
        if found:
            continue
        if isinstance(parsed, AccessPolicy):
            policies.append(PlacedPolicy(policy=parsed, manifest=manifest))
        elif isinstance(parsed, AccountConnection):
            connections.append(PlacedConnection(connection=parsed, manifest=manifest))
    mistakes += _repeated(ours)
    return Declared(
        policies=tuple(policies),
        connections=tuple(connections),
        namespaces=_namespaces(read.manifests),
        mistakes=tuple(mistakes),
        objects=len(ours),
        files=read.files,
    )


def _is_ours(manifest: Manifest) -> bool:
    """Of our group, or of a kind of ours that has lost its group; a kind alone may be mistyped, with the group not."""
    return manifest.group == GROUP or (manifest.kind in _KINDS and not manifest.group)


def _wrong_names(manifest: Manifest) -> Iterator[Mistake]:
    """Fields that stand twice, and fields that the kind does not have."""
    for path, line in manifest.document.repeated:
        yield Mistake(
            check=checks.REPEATED_FIELD,
            weight=Weight.ERROR,
            file=manifest.file,
            line=line,
            subject=manifest.subject,
            path=path,
            message="stands twice; keep one",
        )
    if manifest.kind in _KINDS:
        for path, message in unknown_fields(manifest.kind, manifest.content):
            yield manifest.mistake(checks.UNKNOWN_FIELD, path, message)


def _parsed(manifest: Manifest, found: list[Mistake]) -> AccessPolicy | AccountConnection | None:
    """The object as a value if it is one that people write; what is wrong with it is added to `found`."""
    match manifest.kind:
        case Kind.POLICY:
            policy = look_behind(manifest.content, parse_policy, _POLICY_STAND_INS)
            found += _invalid(manifest, policy.problems)
            if policy.rest is not None:
                found += [
                    manifest.mistake(checks.INVALID_SCHEDULE, policy.places.original(path), message)
                    for path, message in schedule_problems(policy.rest)
                ]
            return policy.rest
        case Kind.CONNECTION:
            connection = look_behind(manifest.content, parse_connection, _CONNECTION_STAND_INS)
            found += _invalid(manifest, connection.problems)
            return connection.rest
        case Kind.POOL_ACCESS:
            return None
        case kind:
            near = nearest(kind, (Kind.POLICY, Kind.CONNECTION)) if kind else None
            meant = f"did you mean {near}?" if near else f"write {Kind.POLICY} or {Kind.CONNECTION}"
            told = f"'{kind}' is no kind of {GROUP}; {meant}" if kind else f"is missing; {meant}"
            found.append(manifest.mistake(checks.UNKNOWN_KIND, "kind", told))
            return None


def _invalid(manifest: Manifest, problems: Iterable[tuple[str, str]]) -> Iterator[Mistake]:
    for path, message in problems:
        if path == "apiVersion":
            yield manifest.mistake(checks.UNKNOWN_KIND, path, f"write {GROUP}/v1alpha1")
        else:
            yield manifest.mistake(checks.INVALID_FIELD, path, message)


def _repeated(manifests: Iterable[Manifest]) -> Iterator[Mistake]:
    first: dict[tuple[str, str, str], Manifest] = {}
    for manifest in manifests:
        metadata = manifest.content.get("metadata")
        if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str):
            continue
        key = (manifest.kind, str(metadata.get("namespace") or "default"), metadata["name"])
        if key in first:
            other = first[key]
            place = f"{other.file}:{other.document.line('')}"
            yield manifest.mistake(
                checks.REPEATED_OBJECT, "metadata.name", f"there is an object of this name already, at {place}"
            )
        first.setdefault(key, manifest)


def _namespaces(manifests: Iterable[Manifest]) -> dict[str, Mapping[str, str]]:
    found: dict[str, Mapping[str, str]] = {}
    for manifest in manifests:
        metadata: Any = manifest.content.get("metadata")
        if manifest.kind == "Namespace" and isinstance(metadata, Mapping) and isinstance(metadata.get("name"), str):
            labels = metadata.get("labels")
            found[metadata["name"]] = (
                {str(key): str(value) for key, value in labels.items()} if isinstance(labels, Mapping) else {}
            )
    return found
