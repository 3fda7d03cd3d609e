"""How an observed network differs from the desired one, by meaning.

Who reaches which backend port decides between Widening, Narrowing and Mixed. What changes nobody's reach but is not as
declared is Configuration. Mere spelling (order, priority numbers, case, split prefixes) is Neutral. What no PATCH can
change, because the service maps it by itself, is ImplicitMapping.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from batchaccess.core.addresses import AddressSet
from batchaccess.core.declared import DesiredAccess
from batchaccess.core.model import (
    InboundEndpoint,
    Network,
    NodeFindings,
    Protocol,
    Rule,
)
from batchaccess.core.reach import NOBODY, Order, Reach, ReachFunction
from batchaccess.core.reachability import BackendPort, compare_networks, functions_by_port
from batchaccess.core.reasons import DriftClass
from batchaccess.core.status import Difference
from batchaccess.core.texts import shortened

_BY_WEIGHT: Final = (
    DriftClass.WIDENING,
    DriftClass.MIXED,
    DriftClass.NARROWING,
    DriftClass.CONFIGURATION,
    DriftClass.IMPLICIT_MAPPING,
    DriftClass.NEUTRAL,
)
"""The order in which differences are shown."""

_AS_DECLARED: Final = frozenset({DriftClass.NONE, DriftClass.NEUTRAL})
_CORRECTABLE: Final = frozenset({DriftClass.WIDENING, DriftClass.MIXED, DriftClass.NARROWING, DriftClass.CONFIGURATION})
_NO_ENDPOINT: Final = "no endpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The class of the whole difference, and its parts with the weightiest first."""

    kind: DriftClass = DriftClass.NONE
    differences: tuple[Difference, ...] = ()

    @property
    def is_correctable(self) -> bool:
        """Whether a PATCH is called for: not for mere spelling, and not for what no PATCH changes."""
        return self.kind in _CORRECTABLE

    @property
    def is_as_declared(self) -> bool:
        """Whether there is no difference, or one of spelling only."""
        return self.kind in _AS_DECLARED

    @property
    def widens(self) -> bool:
        """Whether somebody gets in who should not."""
        return self.kind in (DriftClass.WIDENING, DriftClass.MIXED)


NO_DRIFT: Final = Drift()


def drift_between(observed: Network, desired: Network) -> Drift:
    """The drift of a network from the desired one, implicit mappings apart."""
    if observed == desired:
        return NO_DRIFT
    return _classified([*_endpoint_differences(observed, desired), *_other_differences(observed, desired)])


def pool_drift(observed: Network, desired: Network, access: DesiredAccess, nodes: NodeFindings | None) -> Drift:
    """The drift of a pool from what a policy declares.

    Args:
        observed: the network of the pool.
        desired: `desired_network(observed, access)`.
        access: what the policy declares.
        nodes: what listing the nodes showed, None if they were not listed.
    """
    drift = drift_between(observed, desired)
    implicit = tuple(_implicit_differences(desired, access, nodes))
    return _classified([*drift.differences, *implicit]) if implicit else drift


def _classified(differences: Iterable[Difference]) -> Drift:
    ordered = tuple(sorted(differences, key=lambda each: (_BY_WEIGHT.index(each.kind), each.field)))
    kinds = {difference.kind for difference in ordered}
    if {DriftClass.WIDENING, DriftClass.NARROWING} <= kinds:
        return Drift(kind=DriftClass.MIXED, differences=ordered)
    if DriftClass.MIXED in kinds:
        return Drift(kind=DriftClass.MIXED, differences=ordered)
    return Drift(kind=ordered[0].kind, differences=ordered) if ordered else NO_DRIFT


def _endpoint_differences(observed: Network, desired: Network) -> Iterator[Difference]:
    here, there = _by_port(observed), _by_port(desired)
    orders = {comparison.port: comparison.order for comparison in compare_networks(observed, desired).ports}
    for port in sorted(here.keys() | there.keys()):
        yield from _port_differences(here.get(port, ()), there.get(port, ()), orders.get(port))


def _by_port(network: Network) -> Mapping[BackendPort, tuple[InboundEndpoint, ...]]:
    by_port: dict[BackendPort, tuple[InboundEndpoint, ...]] = defaultdict(tuple)
    for endpoint in network.endpoints:
        by_port[BackendPort(endpoint.protocol, endpoint.backend_port)] += (endpoint,)
    return by_port


def _port_differences(
    observed: tuple[InboundEndpoint, ...], desired: tuple[InboundEndpoint, ...], order: Order | None
) -> Iterator[Difference]:
    """The differences of one backend port; the service lets each network map it at most once."""
    where = f"endpoints[{(desired or observed)[0].name}]"
    if order is not None or len(observed) != len(desired):
        yield Difference(
            field=where,
            kind=_kind_of(order),
            observed=_endpoints_text(observed),
            desired=_endpoints_text(desired),
        )
    for mine, theirs in zip(observed, desired, strict=False):
        yield from _field_differences(where, mine, theirs, reach_differs=order is not None)


def _kind_of(order: Order | None) -> DriftClass:
    match order:
        case Order(higher=True, lower=True):
            return DriftClass.MIXED
        case Order(higher=True):
            return DriftClass.WIDENING
        case Order(lower=True):
            return DriftClass.NARROWING
        case _:
            return DriftClass.CONFIGURATION


def _field_differences(
    where: str, observed: InboundEndpoint, desired: InboundEndpoint, *, reach_differs: bool
) -> Iterator[Difference]:
    if observed.name != desired.name:
        yield Difference(
            field=f"{where}.name",
            kind=_kind_of_texts(observed.name, desired.name),
            observed=observed.name,
            desired=desired.name,
        )
    if observed.frontend != desired.frontend:
        yield Difference(
            field=f"{where}.frontendPorts",
            kind=DriftClass.CONFIGURATION,
            observed=str(observed.frontend),
            desired=str(desired.frontend),
        )
    if observed.rules != desired.rules and not reach_differs:
        yield Difference(
            field=f"{where}.rules",
            kind=DriftClass.NEUTRAL,
            observed=_rules_text(observed.rules, priorities=True),
            desired=_rules_text(desired.rules, priorities=True),
        )


def _kind_of_texts(observed: str, desired: str) -> DriftClass:
    """Azure compares names and ids without regard to case."""
    return DriftClass.NEUTRAL if observed.casefold() == desired.casefold() else DriftClass.CONFIGURATION


def _other_differences(observed: Network, desired: Network) -> Iterator[Difference]:
    texts = (
        ("publicAddresses.provisioning", str(observed.provisioning), str(desired.provisioning)),
        ("publicAddresses.addressIds", _ids_text(observed.address_ids), _ids_text(desired.address_ids)),
        ("subnetId", observed.subnet_id or "none", desired.subnet_id or "none"),
        (
            "acceleratedNetworking",
            str(observed.accelerated_networking).lower(),
            str(desired.accelerated_networking).lower(),
        ),
    )
    for field, mine, theirs in texts:
        if mine != theirs:
            yield Difference(
                field=field, kind=_kind_of_texts(mine, theirs), observed=shortened(mine), desired=shortened(theirs)
            )


def _ids_text(ids: Iterable[str]) -> str:
    return ", ".join(sorted(ids, key=str.casefold)) or "none"


def _implicit_differences(desired: Network, access: DesiredAccess, nodes: NodeFindings | None) -> Iterator[Difference]:
    if nodes is None or access.endpoints is None:
        return
    functions = functions_by_port(desired)
    everyone = ReachFunction.constant(Reach.OPEN, AddressSet.of_families(desired.ip_families))
    for port in sorted(nodes.implicit_ports):
        admitted = functions.get(BackendPort(Protocol.TCP, port), NOBODY)
        if not access.endpoints.leaves(port) and everyone.compare(admitted).higher:
            yield Difference(
                field=f"implicitMappings[{port}]",
                kind=DriftClass.IMPLICIT_MAPPING,
                observed=f"the service itself maps {BackendPort(Protocol.TCP, port)} for everyone",
                desired=_endpoints_text(_by_port(desired).get(BackendPort(Protocol.TCP, port), ())),
            )


def _endpoints_text(endpoints: tuple[InboundEndpoint, ...]) -> str:
    texts = (
        f"{BackendPort(endpoint.protocol, endpoint.backend_port)}: {_rules_text(endpoint.rules)}"
        for endpoint in endpoints
    )
    return shortened("; ".join(texts)) or _NO_ENDPOINT


def _rules_text(rules: Iterable[Rule], *, priorities: bool = False) -> str:
    return shortened(", ".join(_rule_text(rule, priority=priorities) for rule in rules)) or "no rules, open to everyone"


def _rule_text(rule: Rule, *, priority: bool) -> str:
    number = f"{rule.priority} " if priority else ""
    ports = ",".join(str(ports) for ports in rule.source_ports)
    from_ports = "" if ports == "0-65535" else f" from ports {ports}"
    return f"{number}{rule.access} {rule.source}{from_ports}"
