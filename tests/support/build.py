"""Tiny builders of model values with defaults, so that a test names only what it is about.

Rules are written as text: `rule("allow 10.0.0.0/24 priority 100 ports 1000-2000,443")`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
    Assertion,
    Auth,
    AuthType,
    DesiredAccess,
    DesiredEndpoint,
    DesiredEndpoints,
    DesiredPublicAddresses,
    Grant,
    Mode,
    NameSelector,
    NamespaceSelector,
    PoolSelector,
    Remediation,
    Strategy,
    Unlisted,
)
from batchaccess.core.model import (
    Access,
    AllocationState,
    InboundEndpoint,
    IpFamily,
    IpTag,
    JsonObject,
    MetadataItem,
    Network,
    NodeCounts,
    ObjectKey,
    ObservedPool,
    PoolState,
    PortRange,
    Protocol,
    Provisioning,
    Rule,
    Scale,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
"""The time of day in tests that need one."""

RECENT = datetime(2026, 1, 1, tzinfo=UTC)
"""A creation time after the end of implicit mappings."""

LEGACY = datetime(2024, 6, 1, tzinfo=UTC)
"""A creation time that allows implicit mappings."""

SUBNET = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/net"
    "/providers/Microsoft.Network/virtualNetworks/hub/subnets/batch"
)

GRANT_ALL = Grant(
    namespaces=NamespaceSelector(all=True),
    pools=("*",),
    max_priority=1000,
    modes=(Mode.AUDIT, Mode.ENFORCE),
    strategies=(Strategy.WHEN_EMPTY, Strategy.DRAIN),
)


def port_range(text: str | int) -> PortRange:
    """`"22"`, `"4000-4100"` or `"*"`."""
    if text == "*":
        return PortRange(0, 65535)
    start, _, end = str(text).partition("-")
    return PortRange(int(start), int(end or start))


def rule(text: str, *, default_priority: int = 200) -> Rule:
    """`"allow SOURCE [priority N] [ports A-B,C]"`, or `deny`."""
    access, source, *options = text.split()
    named = dict(zip(options[::2], options[1::2], strict=True))
    ports = tuple(port_range(part) for part in named.pop("ports", "*").split(","))
    priority = int(named.pop("priority", default_priority))
    assert not named, f"unknown words in rule: {named}"
    return Rule(priority=priority, access=Access(access.title()), source=source, source_ports=ports)


def rules(*texts: str) -> tuple[Rule, ...]:
    """Rules that get the priorities 200, 201, ... in the order given, unless they name their own."""
    made = (rule(text, default_priority=200 + index) for index, text in enumerate(texts))
    return tuple(sorted(made, key=lambda each: each.priority))


def endpoint(
    name: str = "SSH",
    *texts: str,
    port: int = 22,
    frontend: str = "4000-4100",
    protocol: Protocol = Protocol.TCP,
) -> InboundEndpoint:
    """An observed inbound endpoint with the rules of `texts`; none of them means that everyone is admitted."""
    return InboundEndpoint(
        name=name, protocol=protocol, backend_port=port, frontend=port_range(frontend), rules=rules(*texts)
    )


def network(
    *endpoints: InboundEndpoint,
    provisioning: Provisioning = Provisioning.BATCH_MANAGED,
    address_ids: Sequence[str] = (),
    ip_families: Sequence[IpFamily] = (IpFamily.IPV4,),
    ip_tags: Sequence[IpTag] = (),
    subnet_id: str | None = None,
    accelerated: bool = False,
    scope: str = "none",
) -> Network:
    """A normalised network with these endpoints."""
    return Network(
        endpoints=tuple(sorted(endpoints, key=lambda each: each.name)),
        provisioning=provisioning,
        address_ids=tuple(address_ids),
        ip_families=tuple(ip_families),
        ip_tags=tuple(ip_tags),
        subnet_id=subnet_id,
        accelerated_networking=accelerated,
        dynamic_vnet_assignment_scope=scope,
    )


def as_returned(value: Network) -> dict[str, Any]:
    """A network as the service's GET returns it (defaults added, empty lists left out, enums in returned spelling)."""
    body: dict[str, Any] = {
        "dynamicVNetAssignmentScope": value.dynamic_vnet_assignment_scope,
        "enableAcceleratedNetworking": value.accelerated_networking,
    }
    if value.subnet_id is not None:
        body["subnetId"] = value.subnet_id
    if value.endpoints:
        body["endpointConfiguration"] = {"inboundNATPools": [_nat_pool(each) for each in value.endpoints]}
    public = _public_addresses(value)
    if public:
        body["publicIPAddressConfiguration"] = public
    return body


def _nat_pool(value: InboundEndpoint) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": value.name,
        "protocol": value.protocol.value.lower(),
        "backendPort": value.backend_port,
        "frontendPortRangeStart": value.frontend.start,
        "frontendPortRangeEnd": value.frontend.end,
    }
    if value.rules:
        body["networkSecurityGroupRules"] = [_nsg_rule(each) for each in value.rules]
    return body


def _nsg_rule(value: Rule) -> dict[str, Any]:
    return {
        "priority": value.priority,
        "access": value.access.value.lower(),
        "sourceAddressPrefix": value.source,
        "sourcePortRanges": [_source_ports(ports) for ports in value.source_ports],
    }


def _source_ports(value: PortRange) -> str:
    return "*" if value == PortRange(0, 65535) else str(value)


def _public_addresses(value: Network) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if value.provisioning is not Provisioning.BATCH_MANAGED:
        body["provision"] = value.provisioning.value
    if value.address_ids:
        body["ipAddressIds"] = list(value.address_ids)
    if value.ip_families != (IpFamily.IPV4,):
        body["ipFamilies"] = [family.value for family in value.ip_families]
    if value.ip_tags:
        body["ipTags"] = [{"ipTagType": tag.type, "tag": tag.tag} for tag in value.ip_tags]
    if body and "provision" not in body:
        body["provision"] = value.provisioning.value
    return body


def as_observed(body: Mapping[str, Any]) -> Network:
    """What a later GET would show of a body that was sent: the inverse of `as_returned`, for sent enums too."""
    public = body.get("publicIPAddressConfiguration", {})
    pools = body.get("endpointConfiguration", {}).get("inboundNATPools", [])
    provisions = {word.value.lower(): word for word in Provisioning}
    return network(
        *(_observed_endpoint(pool_body) for pool_body in pools),
        provisioning=provisions[public.get("provision", "BatchManaged").lower()],
        address_ids=sorted(public.get("ipAddressIds", [])),
        ip_families=sorted(IpFamily(family) for family in public.get("ipFamilies", ["IPv4"])),
        ip_tags=[IpTag(type=tag["ipTagType"], tag=tag["tag"]) for tag in public.get("ipTags", [])],
        subnet_id=body.get("subnetId"),
        accelerated=body.get("enableAcceleratedNetworking", False),
        scope=body.get("dynamicVNetAssignmentScope", "none"),
    )


def _observed_endpoint(body: Mapping[str, Any]) -> InboundEndpoint:
    made = (
        Rule(
            priority=item["priority"],
            access=Access(item["access"].title()),
            source=item["sourceAddressPrefix"],
            source_ports=tuple(port_range(text) for text in item.get("sourcePortRanges", ["*"])),
        )
        for item in body.get("networkSecurityGroupRules", [])
    )
    return InboundEndpoint(
        name=body["name"],
        protocol=Protocol(body["protocol"].upper()),
        backend_port=body["backendPort"],
        frontend=PortRange(body["frontendPortRangeStart"], body["frontendPortRangeEnd"]),
        rules=tuple(sorted(made, key=lambda each: each.priority)),
    )


def pool(
    pool_id: str = "render-1",
    *endpoints: InboundEndpoint,
    on: Network | None = None,
    raw: JsonObject | Literal["of network"] | None = "of network",
    nodes: int = 0,
    legacy: bool = False,
    autoscale: bool = False,
    metadata: Mapping[str, str] | None = None,
    etag: str = "0x8DE000000000001",
    state: PoolState = PoolState.ACTIVE,
    allocation_state: AllocationState = AllocationState.STEADY,
) -> ObservedPool:
    """An observed pool with `endpoints`, or with the whole network `on`; empty unless `nodes` says otherwise."""
    observed = on if on is not None else network(*endpoints)
    return ObservedPool(
        id=pool_id,
        etag=etag,
        network=observed,
        raw_network=as_returned(observed) if isinstance(raw, str) else raw,
        state=state,
        allocation_state=allocation_state,
        allocation_state_transition_time="2026-01-01T00:00:01Z",
        creation_time=LEGACY if legacy else RECENT,
        scale=Scale(
            current=NodeCounts(dedicated=nodes),
            target=NodeCounts(dedicated=nodes),
            resize_timeout="PT15M",
            autoscale=autoscale,
        ),
        metadata=tuple(MetadataItem(name=name, value=value) for name, value in (metadata or {}).items()),
    )


def wanted(
    name: str = "SSH",
    *texts: str,
    allow_from: Sequence[str] | None = None,
    port: int = 22,
    frontend: str = "4000-4100",
    protocol: Protocol = Protocol.TCP,
) -> DesiredEndpoint:
    """A declared endpoint: with the rules of `texts` if any, else with `allow_from` (closed by default)."""
    return DesiredEndpoint(
        name=name,
        protocol=protocol,
        backend_port=port,
        frontend=port_range(frontend),
        allow_from=None if texts else tuple(allow_from or ()),
        rules=rules(*texts) if texts else None,
    )


def access(
    *items: DesiredEndpoint,
    unlisted: Unlisted = Unlisted.REMOVE,
    manage_endpoints: bool = True,
    provisioning: Provisioning | None = None,
    address_ids: Sequence[str] = (),
    subnet_id: str | None = None,
    accelerated: bool | None = None,
) -> DesiredAccess:
    """What a policy declares; endpoints are managed unless told otherwise."""
    return DesiredAccess(
        endpoints=DesiredEndpoints(unlisted=unlisted, items=items) if manage_endpoints else None,
        public_addresses=(
            DesiredPublicAddresses(provisioning=provisioning, address_ids=tuple(address_ids)) if provisioning else None
        ),
        subnet_id=subnet_id,
        accelerated_networking=accelerated,
    )


def policy(
    name: str = "ssh",
    *items: DesiredEndpoint,
    declares: DesiredAccess | None = None,
    namespace: str = "render",
    connections: NameSelector | Sequence[str] = ("prod-weu",),
    ids: Sequence[str] = ("*",),
    exclude_ids: Sequence[str] = (),
    match_metadata: Mapping[str, str] | None = None,
    priority: int = 0,
    mode: Mode = Mode.ENFORCE,
    strategy: Strategy = Strategy.WHEN_EMPTY,
    suspend: bool = False,
    deleting: bool = False,
    age_days: int = 0,
    generation: int = 1,
    assertions: Sequence[Assertion] = (),
    requested_at: str | None = None,
) -> AccessPolicy:
    """A policy that declares `items` for every pool of `prod-weu`, in mode Enforce."""
    return AccessPolicy(
        key=ObjectKey(namespace=namespace, name=name),
        uid=f"uid-{namespace}-{name}",
        generation=generation,
        created=NOW - timedelta(days=age_days),
        connections=(connections if isinstance(connections, NameSelector) else NameSelector(names=tuple(connections))),
        pools=PoolSelector(ids=tuple(ids), exclude_ids=tuple(exclude_ids), match_metadata=match_metadata or {}),
        priority=priority,
        mode=mode,
        suspend=suspend,
        access=declares if declares is not None else access(*items),
        assertions=tuple(assertions),
        remediation=Remediation(strategy=strategy),
        deleting=deleting,
        requested_at=requested_at,
    )


def assertion(
    name: str = "no-login", *, ports: Sequence[int] = (), not_from: Sequence[str] = ("Internet",)
) -> Assertion:
    """An assertion that nobody of `not_from` reaches `ports`."""
    return Assertion(name=name, ports=tuple(ports), not_reachable_from=tuple(not_from))


def grant(
    *pools: str,
    namespaces: Sequence[str] | None = None,
    match_labels: Mapping[str, str] | None = None,
    max_priority: int = 0,
    modes: Sequence[Mode] = (Mode.AUDIT, Mode.ENFORCE),
    strategies: Sequence[Strategy] = (Strategy.WHEN_EMPTY,),
) -> Grant:
    """A grant of `pools` (all by default) to the namespaces selected (all by default)."""
    selects_all = namespaces is None and match_labels is None
    return Grant(
        namespaces=NamespaceSelector(
            names=None if namespaces is None else tuple(namespaces), match_labels=match_labels, all=selects_all
        ),
        pools=pools or ("*",),
        max_priority=max_priority,
        modes=tuple(modes),
        strategies=tuple(strategies),
    )


def connection(
    name: str = "prod-weu",
    *,
    grants: Sequence[Grant] = (GRANT_ALL,),
    labels: Mapping[str, str] | None = None,
    forbid: Sequence[int] = (),
    auth: AuthType = AuthType.WORKLOAD_IDENTITY,
    suspend: bool = False,
    deleting: bool = False,
    generation: int = 1,
) -> AccountConnection:
    """A connection that grants everything to everyone unless told otherwise."""
    return AccountConnection(
        name=name,
        uid=f"uid-{name}",
        generation=generation,
        created=NOW - timedelta(days=30),
        endpoint=f"https://{name}.westeurope.batch.azure.com",
        auth=Auth(type=auth),
        labels=labels or {},
        grants=tuple(grants),
        forbid_internet_ports=tuple(forbid),
        suspend=suspend,
        deleting=deleting,
    )
