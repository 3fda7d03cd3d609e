"""From a pool that was read to a policy that the API server takes, and what could not be said in it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from batchaccess.api import parse_policy, policy_manifest
from batchaccess.api.envelope import NOT_CREATED
from batchaccess.cli.inputs import ReadPool
from batchaccess.cli.outputs import Problem
from batchaccess.core.adoption import Omission, Part, declared_access, inexpressible
from batchaccess.core.declared import AccessPolicy, DesiredAccess, NameSelector, PoolSelector
from batchaccess.core.desired import desired_network
from batchaccess.core.drift import pool_drift
from batchaccess.core.model import Network, ObjectKey
from batchaccess.core.reasons import DriftClass
from batchaccess.core.texts import listed
from batchaccess.ports import InvalidObject

_ITEM: Final = re.compile(r"spec\.access\.endpoints\.items\[(\d+)\]")
_LONGEST_NAME: Final = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedPolicy:
    """A policy as declared from one pool.

    Attributes:
        account: the account of the pool.
        pool_id: the pool.
        manifest: the policy.
        omissions: what it does not declare though the pool has it.
        remarks: what else to know before it is applied.
    """

    account: str
    pool_id: str
    manifest: Mapping[str, Any]
    omissions: tuple[Omission, ...]
    remarks: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether the policy declares the whole network and is met by it."""
        return not self.omissions and not self.remarks


def import_policy(account: str, read: ReadPool, *, connection: str, namespace: str, name: str) -> ImportedPolicy:
    """A policy in mode Audit that declares exactly what a pool has.

    Args:
        account: the account of the pool.
        read: the pool.
        connection: the BatchAccountConnection that the policy is to name.
        namespace: where the policy is to live.
        name: of the policy.

    Raises:
        Problem: one of the names is none that Kubernetes takes.
    """
    pool = read.pool

    def manifest_of(access: DesiredAccess) -> dict[str, Any]:
        return policy_manifest(
            AccessPolicy(
                key=ObjectKey(namespace=namespace, name=name),
                uid="",
                generation=0,
                created=NOT_CREATED,
                connections=NameSelector(names=(connection,)),
                pools=PoolSelector(ids=(pool.id,)),
                access=access,
            )
        )

    omissions = list(inexpressible(pool.network))
    access = declared_access(pool.network, leave_out=_names(omissions))
    # Each round leaves out at least one part more, until the API server would take what is left.
    for _ in range(len(pool.network.endpoints) + len(Part) + 1):
        parsed = parse_policy(manifest_of(access))
        if not isinstance(parsed, InvalidObject):
            break
        _check_names(parsed)
        omissions += _to_leave_out(parsed, access, known=_names(omissions))
        access = declared_access(pool.network, leave_out=_names(omissions))
    return ImportedPolicy(
        account=account,
        pool_id=pool.id,
        manifest=manifest_of(access),
        omissions=tuple(omissions),
        remarks=tuple(_remarks(read, access)),
    )


def policy_name(pool_id: str) -> str:
    """A pool's id as the name of an object: `render_Linux` gives `render-linux`."""
    kept = re.sub(r"[^a-z0-9]+", "-", pool_id.lower()).strip("-")
    return kept[:_LONGEST_NAME].strip("-") or "pool"


_OPTIONS: Final = {"metadata.name": "--name", "metadata.namespace": "--namespace", "spec.connections": "--as"}


def _check_names(refused: InvalidObject) -> None:
    for path, message in refused.problems:
        option = next((option for start, option in _OPTIONS.items() if path.startswith(start)), None)
        if option is not None:
            raise Problem(f"{path}: {message}; give another one with {option}")


def _names(omissions: Iterable[Omission]) -> frozenset[str]:
    return frozenset(omission.what for omission in omissions)


def _to_leave_out(refused: InvalidObject, access: DesiredAccess, *, known: frozenset[str]) -> list[Omission]:
    """What has to go so that the API server takes the rest; of what only exceeds a limit together, the last item."""
    items = access.endpoints.items if access.endpoints is not None else ()
    found: dict[str, Omission] = {}
    for path, message in refused.problems:
        item = _ITEM.match(path)
        if item is not None:
            what = items[int(item[1])].name
        elif path.startswith(f"spec.access.{Part.SUBNET}"):
            what = Part.SUBNET
        elif path.startswith("spec.access.endpoints") and items:
            what = items[-1].name
        else:
            what = Part.PUBLIC_ADDRESSES
        if what not in known:
            found.setdefault(what, Omission(what=what, why=message))
    return list(found.values())


def _remarks(read: ReadPool, access: DesiredAccess) -> Iterable[str]:
    network, pool = read.pool.network, read.pool
    drift = pool_drift(network, desired_network(network, access), access, read.nodes)
    for difference in drift.differences:
        if difference.kind is not DriftClass.NEUTRAL:
            told = f"{difference.field} will be drift ({difference.kind}), which no policy removes"
            yield f"{told}: {difference.observed}"
    if read.nodes is None and pool.is_legacy and pool.scale.current.total:
        yield "its nodes were not looked at, and may show mappings of SSH or RDP that no policy removes"
    yield from _undeclarable(network)


def _undeclarable(network: Network) -> Iterable[str]:
    if network.ip_tags:
        tags = listed(f"{tag.type}={tag.tag}" for tag in network.ip_tags)
        yield f"IP tags ({tags}) are kept, but no policy declares them"
