"""Readings made of plain JSON statuses, to feed the status page with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from batchaccess.api import parse_connection, parse_policy
from batchaccess.core.declared import AccessPolicy, AccountConnection
from batchaccess.core.model import ObjectKey
from batchaccess.web.addresses import Addresses
from batchaccess.web.layout import Shell
from batchaccess.web.readings import ConnectionReading, PolicyReading, PoolReading, RecentEvent, Standby

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SINCE = "2026-03-01T11:48:00Z"
HOSTILE = "</p><script>alert('x')</script>\"'&lt;\u202e\x00"
"""Whatever somebody manages to get into a status."""


def condition(type: str, status: str, reason: str, message: str = "") -> dict[str, Any]:
    return {"type": type, "status": status, "reason": reason, "message": message, "lastTransitionTime": SINCE}


def endpoint(name: str = "SSH", **parts: Any) -> dict[str, Any]:  # noqa: ANN401 any field of a status
    """SSH, open to everyone by an Allow of everything."""
    return {
        "name": name,
        "protocol": "TCP",
        "backendPort": 22,
        "frontendPorts": {"start": 4000, "end": 4100},
        "rules": [{"priority": 200, "access": "Allow", "sourceAddressPrefix": "*", "sourcePortRanges": ["*"]}],
        "implicit": False,
        "internet": "Open",
        "virtualNetwork": "Open",
        "admits": "anyone on the Internet",
        "because": "rule 200 allows everyone, e.g. 8.8.8.8",
        **parts,
    }


def pool_status(  # a drifting pool of an auditing policy unless told otherwise
    *,
    exposed: tuple[str, str] = ("True", "InternetReachable"),
    compliant: tuple[str, str] = ("False", "AuditOnly"),
    drifted: tuple[str, str] = ("True", "Widening"),
    remediating: tuple[str, str] = ("False", "Idle"),
    message: str = "A message.",
    **parts: Any,  # noqa: ANN401 any part of a status
) -> dict[str, Any]:
    return {
        "conditions": [
            condition("Compliant", *compliant, message),
            condition("Drifted", *drifted, message),
            condition("Exposed", *exposed, message),
            condition("Remediating", *remediating, message),
        ],
        "policy": "render/ssh",
        "network": {
            "provisioning": "BatchManaged",
            "ipFamilies": ["IPv4"],
            "acceleratedNetworking": False,
            "endpoints": [endpoint()],
        },
        **parts,
    }


def pool(
    pool_id: str = "render-1", *, connection: str = "prod", status: Mapping[str, Any] | None = None
) -> PoolReading:
    shown = pool_status() if status is None else status
    return PoolReading(
        name=f"{connection}.{pool_id}",
        connection=connection,
        pool_id=pool_id,
        version=shown,
        status=lambda: shown,
    )


def connection(name: str = "prod", *, status: Mapping[str, Any] | None = None, **spec: Any) -> ConnectionReading:  # noqa: ANN401
    manifest = {
        "apiVersion": "batchaccess.dev/v1alpha1",
        "kind": "BatchAccountConnection",
        "metadata": {"name": name, "uid": name, "generation": 1, "creationTimestamp": SINCE},
        "spec": {
            "endpoint": f"https://{name}.westeurope.batch.azure.com",
            "auth": {"type": "SharedKey", "secretRef": {"name": "hidden-name", "key": "hidden-key"}},
            "grants": [{"namespaces": {"all": True}, "modes": ["Audit", "Enforce"]}],
            **spec,
        },
    }
    declared = parse_connection(manifest)
    counts = {"total": 1, "compliant": 0, "drifted": 1, "internetReachable": 1}
    shown = {"conditions": [condition("Ready", "True", "Connected", "Observed.")], "pools": counts}
    return ConnectionReading(
        name=name,
        declared=declared if isinstance(declared, AccountConnection) else None,
        status=shown if status is None else status,
    )


def policy(
    name: str = "ssh",
    *,
    namespace: str = "render",
    status: Mapping[str, Any] | None = None,
    **spec: Any,  # noqa: ANN401 any field of a spec
) -> PolicyReading:
    item = {
        "name": "SSH",
        "backendPort": 22,
        "frontendPorts": {"start": 4000, "end": 4100},
        "allowFrom": ["10.0.0.0/8"],
    }
    manifest = {
        "apiVersion": "batchaccess.dev/v1alpha1",
        "kind": "BatchPoolAccessPolicy",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"{namespace}/{name}",
            "generation": 1,
            "creationTimestamp": SINCE,
        },
        "spec": {
            "connections": {"names": ["prod"]},
            "access": {"endpoints": {"items": [item]}},
            "assertions": [{"name": "no-login", "ports": [22, 3389], "notReachableFrom": ["Internet"]}],
            **spec,
        },
    }
    declared = parse_policy(manifest)
    shown = {
        "conditions": [
            condition("Accepted", "True", "Accepted", "Accepted by prod."),
            condition("Enforced", "False", "AuditOnly", "Mode Audit."),
            condition("Ready", "True", "AuditOnly", "Mode Audit."),
        ],
        "connections": [{"name": "prod", "accepted": True, "reason": "Accepted", "message": "Accepted."}],
        "pools": {"total": 1, "drifted": 1, "internetReachable": 1},
        "notInOrder": [
            {
                "name": "prod.render-1",
                "connection": "prod",
                "poolId": "render-1",
                "reason": "AuditOnly",
                "message": "Drift.",
            }
        ],
    }
    return PolicyReading(
        key=ObjectKey(namespace=namespace, name=name),
        declared=declared if isinstance(declared, AccessPolicy) else None,
        status=shown if status is None else status,
    )


def event(message: str = "SSH (TCP/22): anyone on the Internet.", **parts: Any) -> RecentEvent:  # noqa: ANN401
    told = {
        "kind": "BatchPoolAccess",
        "name": "prod.render-1",
        "namespace": None,
        "warning": True,
        "reason": "InternetReachable",
        "message": message,
        "count": 1,
        "first": NOW,
        "last": NOW,
    }
    return RecentEvent(**(told | parts))


@dataclass
class Fed:
    """Implements `web.readings.Readings`."""

    all_connections: list[ConnectionReading] = field(default_factory=lambda: [connection()])
    all_policies: list[PolicyReading] = field(default_factory=lambda: [policy()])
    all_pools: list[PoolReading] = field(default_factory=lambda: [pool()])
    all_events: list[RecentEvent] = field(default_factory=lambda: [event()])
    all_problems: list[str] = field(default_factory=list)
    as_standby: Standby | None = None

    def connections(self) -> Sequence[ConnectionReading]:
        return self.all_connections

    def policies(self) -> Sequence[PolicyReading]:
        return self.all_policies

    def pools(self) -> Iterable[PoolReading]:
        return self.all_pools

    def connection(self, name: str) -> ConnectionReading | None:
        return next((each for each in self.all_connections if each.name == name), None)

    def policy(self, key: ObjectKey) -> PolicyReading | None:
        return next((each for each in self.all_policies if each.key == key), None)

    def pool(self, name: str) -> PoolReading | None:
        return next((each for each in self.all_pools if each.name == name), None)

    def events(self) -> Sequence[RecentEvent]:
        return self.all_events

    def problems(self) -> Sequence[str]:
        return self.all_problems

    def standby(self) -> Standby | None:
        return self.as_standby


def shell(*, depth: int = 0, problems: Sequence[str] = (), standby: Standby | None = None) -> Shell:
    return Shell(addresses=Addresses(depth), now=NOW, problems=problems, standby=standby)


def blind_connection(
    name: str = "prod", *, reason: str = "AuthenticationFailed", since: str = "2026-02-26T12:00:00Z"
) -> ConnectionReading:
    """A connection that observes nothing, since three days unless told otherwise."""
    ready = condition("Ready", "False", reason, "The account refuses the key.") | {"lastTransitionTime": since}
    return connection(name, status={"conditions": [ready]})
