"""From objects as Kubernetes stores them, or files hold them, to core values. Never raises: problems are values."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from pydantic import ValidationError

from batchaccess.api import access, connection, policy, poolaccess
from batchaccess.api.envelope import heeded_request
from batchaccess.api.grammar import parse_source_ports
from batchaccess.api.rules import ApiModel
from batchaccess.api.statuses import stored_change, stored_conditions
from batchaccess.core import declared, model
from batchaccess.core.status import Change, Condition
from batchaccess.ports import InvalidObject

Problem: TypeAlias = tuple[str, str]
"""Path of a field and what is wrong with it."""

M = TypeVar("M", bound=ApiModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolAccess:
    """A stored BatchPoolAccess: which pool it stands for, and what its status says that a new one depends on."""

    name: str
    uid: str
    generation: int
    connection: str
    pool_id: str
    conditions: tuple[Condition, ...]
    last_change: Change | None
    requested_at: str | None


def parse_connection(raw: model.JsonObject) -> declared.AccountConnection | InvalidObject:
    """A BatchAccountConnection as a core value, or every problem it has."""
    parsed = _parse(connection.ConnectionResource, raw)
    if isinstance(parsed, InvalidObject):
        return parsed
    metadata, spec = parsed.metadata, parsed.spec
    return declared.AccountConnection(
        name=metadata.name,
        uid=metadata.uid,
        generation=metadata.generation,
        created=metadata.creation_timestamp,
        endpoint=spec.endpoint,
        auth=_auth(spec.auth),
        labels=metadata.labels,
        sync_period_seconds=spec.sync_period_seconds,
        request_budget=declared.RequestBudget(
            per_second=spec.request_budget.per_second, burst=spec.request_budget.burst
        ),
        max_concurrent_drains=spec.max_concurrent_drains,
        grants=tuple(_grant(grant) for grant in spec.grants),
        forbid_internet_ports=tuple(sorted(spec.guardrails.forbid_internet_ports)),
        suspend=spec.suspend,
        deleting=metadata.deleting,
        requested_at=metadata.requested_at,
        leaving_since=metadata.leaving_since,
        abandon=metadata.abandon,
    )


def parse_policy(raw: model.JsonObject) -> declared.AccessPolicy | InvalidObject:
    """A BatchPoolAccessPolicy as a core value, or every problem it has that the API server would refuse too.

    Schedules and time zones are not looked at here: see `api.schedules`.
    """
    parsed = _parse(policy.PolicyResource, raw)
    if isinstance(parsed, InvalidObject):
        return parsed
    metadata, spec = parsed.metadata, parsed.spec
    return declared.AccessPolicy(
        key=model.ObjectKey(namespace=metadata.namespace, name=metadata.name),
        uid=metadata.uid,
        generation=metadata.generation,
        created=metadata.creation_timestamp,
        connections=declared.NameSelector(
            names=_optional(spec.connections.names), match_labels=spec.connections.match_labels
        ),
        pools=declared.PoolSelector(
            ids=tuple(spec.pools.ids),
            exclude_ids=tuple(spec.pools.exclude_ids),
            match_metadata=spec.pools.match_metadata,
        ),
        priority=spec.priority,
        mode=spec.mode,
        suspend=spec.suspend,
        access=_access(spec.access),
        assertions=tuple(_assertion(assertion) for assertion in spec.assertions),
        remediation=_remediation(spec.remediation),
        deleting=metadata.deleting,
        requested_at=metadata.requested_at,
    )


def parse_pool_access(raw: model.JsonObject) -> PoolAccess | InvalidObject:
    """A stored BatchPoolAccess, or every problem it has. What cannot be read of its status is left out."""
    parsed = _parse(poolaccess.PoolAccessResource, raw)
    if isinstance(parsed, InvalidObject):
        return parsed
    status = raw.get("status")
    return PoolAccess(
        name=parsed.metadata.name,
        uid=parsed.metadata.uid,
        generation=parsed.metadata.generation,
        connection=parsed.spec.connection,
        pool_id=parsed.spec.pool_id,
        conditions=stored_conditions(status),
        last_change=stored_change(status),
        requested_at=parsed.metadata.requested_at,
    )


def _parse(resource: type[M], raw: model.JsonObject) -> M | InvalidObject:
    try:
        return resource.model_validate(dict(raw))
    except ValidationError as error:
        return InvalidObject(
            uid=_uid(raw), generation=_generation(raw), problems=_problems(error), requested_at=_requested_at(raw)
        )


def _problems(error: ValidationError) -> tuple[Problem, ...]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple((_path(each["loc"]), _message(each["msg"])) for each in found)


def _path(loc: Iterable[str | int]) -> str:
    path = ""
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _message(text: str) -> str:
    return text[:1].lower() + text[1:] if text.startswith(("Input ", "Field ", "String ", "List ")) else text


def _uid(raw: model.JsonObject) -> str:
    metadata = raw.get("metadata")
    uid = metadata.get("uid") if isinstance(metadata, dict) else None
    return uid if isinstance(uid, str) else ""


def _generation(raw: model.JsonObject) -> int:
    metadata = raw.get("metadata")
    generation = metadata.get("generation") if isinstance(metadata, dict) else None
    return generation if isinstance(generation, int) else 0


def _requested_at(raw: model.JsonObject) -> str | None:
    metadata = raw.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return heeded_request(annotations) if isinstance(annotations, dict) else None


def _optional(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


def _auth(spec: connection.AuthSpec) -> declared.Auth:
    secret = spec.secret_ref
    return declared.Auth(
        type=spec.type,
        client_id=spec.client_id,
        tenant_id=spec.tenant_id,
        secret_ref=None if secret is None else declared.SecretRef(name=secret.name, key=secret.key),
    )


def _grant(spec: connection.GrantSpec) -> declared.Grant:
    return declared.Grant(
        namespaces=declared.NamespaceSelector(
            names=_optional(spec.namespaces.names),
            match_labels=spec.namespaces.match_labels,
            all=spec.namespaces.all,
        ),
        pools=tuple(spec.pools),
        max_priority=spec.max_priority,
        modes=tuple(spec.modes),
        strategies=tuple(spec.strategies),
    )


def _access(spec: access.AccessSpec) -> declared.DesiredAccess:
    endpoints, addresses = spec.endpoints, spec.public_addresses
    return declared.DesiredAccess(
        endpoints=None
        if endpoints is None
        else declared.DesiredEndpoints(
            unlisted=endpoints.unlisted, items=tuple(_endpoint(item) for item in endpoints.items)
        ),
        public_addresses=None
        if addresses is None
        else declared.DesiredPublicAddresses(
            provisioning=model.Provisioning(addresses.provisioning), address_ids=tuple(addresses.address_ids)
        ),
        subnet_id=spec.subnet_id,
        accelerated_networking=spec.accelerated_networking,
    )


def _endpoint(spec: access.EndpointSpec) -> declared.DesiredEndpoint:
    return declared.DesiredEndpoint(
        name=spec.name,
        protocol=model.Protocol(spec.protocol),
        backend_port=spec.backend_port,
        frontend=model.PortRange(spec.frontend_ports.start, spec.frontend_ports.end),
        allow_from=_optional(spec.allow_from),
        rules=None if spec.rules is None else tuple(_rule(rule) for rule in spec.rules),
    )


def _rule(spec: access.RuleSpec) -> model.Rule:
    ranges = (parse_source_ports(text) for text in spec.source_port_ranges)
    return model.Rule(
        priority=spec.priority,
        access=model.Access(spec.access),
        source=spec.source_address_prefix,
        source_ports=tuple(ports for ports in ranges if ports is not None),
    )


def _assertion(spec: policy.AssertionSpec) -> declared.Assertion:
    return declared.Assertion(
        name=spec.name, not_reachable_from=tuple(spec.not_reachable_from), ports=tuple(spec.ports or ())
    )


def _remediation(spec: policy.RemediationSpec) -> declared.Remediation:
    return declared.Remediation(
        strategy=spec.strategy,
        pause_autoscale=spec.pause_autoscale,
        node_deallocation=spec.node_deallocation,
        drain_timeout_seconds=spec.drain_timeout_seconds,
        max_concurrent=spec.max_concurrent,
        windows=tuple(
            declared.Window(
                kind=window.kind,
                schedule=window.schedule,
                duration_seconds=window.duration_seconds,
                time_zone=window.time_zone,
            )
            for window in spec.windows
        ),
    )
