"""Policies and networks for properties, biased towards overlaps and edges."""

from hypothesis import strategies as st

from batchaccess.core.declared import (
    DesiredAccess,
    DesiredEndpoint,
    DesiredEndpoints,
    DesiredPublicAddresses,
    Unlisted,
)
from batchaccess.core.limits import limit_violations
from batchaccess.core.model import (
    ALL_PORTS,
    Access,
    InboundEndpoint,
    Network,
    PortRange,
    Protocol,
    Provisioning,
    Rule,
)
from tests.support.build import SUBNET

NAMES = ("SSH", "RDP", "web", "log", "x")
SOURCES = (
    "*",
    "Internet",
    "VirtualNetwork",
    "AzureCloud",
    "10.0.0.0/8",
    "10.0.0.0/9",
    "10.128.0.0/9",
    "10.0.0.1",
    "10.0.0.5/24",
    "8.8.8.0/24",
    "0.0.0.0/0",
    "2001:db8::/32",
)
_PORTS = (22, 3389, 80, 443, 8080)
_SOURCE_PORTS = ((ALL_PORTS,), (PortRange(1, 1023),), (PortRange(0, 100), PortRange(2000, 65535)))

sources = st.sampled_from(SOURCES)


@st.composite
def rule_lists(draw: st.DrawFn, slot: int, *, least: int = 0) -> tuple[Rule, ...]:
    """Rules whose priorities no other slot uses; most lie where compiled ones would begin."""
    count = draw(st.integers(least, 4))
    offsets = draw(st.lists(st.integers(0, 9), min_size=count, max_size=count, unique=True))
    first = draw(st.sampled_from((150, 1000, 4000)))
    return tuple(
        Rule(
            priority=first + slot * 10 + offset,
            access=draw(st.sampled_from((Access.ALLOW, Access.DENY))),
            source=draw(sources),
            source_ports=draw(st.sampled_from(_SOURCE_PORTS)),
        )
        for offset in sorted(offsets)
    )


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Networks as the service might return them."""
    chosen = draw(st.lists(st.integers(0, 4), unique=True, max_size=3))
    endpoints = [
        InboundEndpoint(
            name=draw(st.sampled_from((NAMES[slot], NAMES[slot].lower()))),
            protocol=draw(st.sampled_from((Protocol.TCP, Protocol.UDP))),
            backend_port=_PORTS[slot],
            frontend=PortRange(1000 + 100 * slot, 1099 + 100 * slot),
            rules=draw(rule_lists(slot)),
        )
        for slot in chosen
    ]
    user_managed = draw(st.booleans())
    return Network(
        endpoints=tuple(sorted(endpoints, key=lambda each: each.name)),
        provisioning=Provisioning.USER_MANAGED if user_managed else Provisioning.BATCH_MANAGED,
        address_ids=("/a", "/b") if user_managed else (),
        subnet_id=draw(st.sampled_from((None, SUBNET, "/other"))),
        accelerated_networking=draw(st.booleans()),
    )


@st.composite
def accesses(draw: st.DrawFn) -> DesiredAccess:
    """What a policy might declare."""
    return DesiredAccess(
        endpoints=draw(st.none() | _endpoints()),
        public_addresses=draw(
            st.sampled_from(
                (
                    None,
                    DesiredPublicAddresses(provisioning=Provisioning.BATCH_MANAGED),
                    DesiredPublicAddresses(provisioning=Provisioning.USER_MANAGED, address_ids=("/B", "/c")),
                )
            )
        ),
        subnet_id=draw(st.sampled_from((None, SUBNET, SUBNET.upper()))),
        accelerated_networking=draw(st.sampled_from((None, False, True))),
    )


@st.composite
def _endpoints(draw: st.DrawFn) -> DesiredEndpoints:
    chosen = draw(st.lists(st.integers(0, 4), unique=True, max_size=3))
    items = draw(st.permutations([draw(desired_endpoints(slot)) for slot in chosen]))
    return DesiredEndpoints(unlisted=draw(st.sampled_from(Unlisted)), items=tuple(items))


@st.composite
def desired_endpoints(draw: st.DrawFn, slot: int) -> DesiredEndpoint:
    """One declared endpoint."""
    verbatim = draw(st.booleans())
    return DesiredEndpoint(
        name=NAMES[slot],
        protocol=draw(st.sampled_from((Protocol.TCP, Protocol.UDP))),
        backend_port=_PORTS[slot],
        frontend=PortRange(1000 + 100 * slot, 1099 + 100 * slot),
        allow_from=None if verbatim else tuple(draw(st.lists(sources, max_size=4))),
        rules=draw(rule_lists(slot, least=1)) if verbatim else None,
    )


def within_limits(network: Network) -> bool:
    """Whether the service would take this network."""
    return not limit_violations(network)
