"""Recorded answers of the service, through the adapter's conversion and back: no false drift, and no key is lost."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from batchaccess.azurebatch.convert import observed_network, observed_pool
from batchaccess.core.declared import (
    DesiredAccess,
    DesiredEndpoint,
    DesiredEndpoints,
    DesiredPublicAddresses,
)
from batchaccess.core.desired import desired_network
from batchaccess.core.drift import drift_between
from batchaccess.core.model import (
    InboundEndpoint,
    Network,
)
from batchaccess.core.reasons import DriftClass
from batchaccess.core.wire import network_configuration_body
from tests.support.build import access, wanted

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "recordings"


def recorded_pools() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every pool that a recorded data-plane answer describes in full, by the name of the recording."""
    for path in sorted(RECORDINGS.glob("dp_*pool*.json")):
        body = json.loads(path.read_text(encoding="utf-8"))["response"]["body"]
        if not isinstance(body, dict):
            continue
        for index, each in enumerate(body.get("value", [body])):
            if "id" in each and "allocationState" in each:
                yield f"{path.stem}[{index}]", each


POOLS = dict(recorded_pools())
needs_recordings = pytest.mark.skipif(
    not POOLS, reason="the recordings folder is absent: no recorded pool was compared"
)
every_pool = pytest.mark.parametrize("raw", POOLS.values(), ids=POOLS.keys())


def everything(network: Network, endpoint: Callable[[InboundEndpoint], DesiredEndpoint]) -> DesiredAccess:
    """A policy made from a network, managing all of it."""
    return DesiredAccess(
        endpoints=DesiredEndpoints(items=tuple(endpoint(each) for each in network.endpoints)),
        public_addresses=DesiredPublicAddresses(provisioning=network.provisioning, address_ids=network.address_ids),
        subnet_id=network.subnet_id,
        accelerated_networking=network.accelerated_networking,
    )


def verbatim(endpoint: InboundEndpoint) -> DesiredEndpoint:
    return DesiredEndpoint(
        name=endpoint.name,
        protocol=endpoint.protocol,
        backend_port=endpoint.backend_port,
        frontend=endpoint.frontend,
        rules=endpoint.rules,
    )


def declarable(endpoint: InboundEndpoint) -> DesiredEndpoint:
    """A policy cannot ask for no rules at all, which admits everyone; it asks for everyone."""
    if endpoint.rules:
        return verbatim(endpoint)
    return DesiredEndpoint(
        name=endpoint.name,
        protocol=endpoint.protocol,
        backend_port=endpoint.backend_port,
        frontend=endpoint.frontend,
        allow_from=("*",),
    )


@needs_recordings
@every_pool
def test_a_recorded_pool_does_not_drift_from_a_policy_made_of_it(raw: dict[str, Any]) -> None:
    network = observed_pool(raw).network
    same = drift_between(network, desired_network(network, everything(network, verbatim)))
    assert (same.kind, same.differences) == (DriftClass.NONE, ())
    declared = drift_between(network, desired_network(network, everything(network, declarable)))
    open_to_all = any(not endpoint.rules for endpoint in network.endpoints)
    assert declared.kind is (DriftClass.NEUTRAL if open_to_all else DriftClass.NONE)


@needs_recordings
@every_pool
def test_what_is_sent_back_unmanaged_reads_as_what_was_received(raw: dict[str, Any]) -> None:
    pool = observed_pool(raw)
    body = network_configuration_body(pool.raw_network, pool.network, pool.network, DesiredAccess())
    assert observed_network(body) == pool.network
    assert body.keys() == (pool.raw_network or {}).keys()


@needs_recordings
@every_pool
def test_closing_a_recorded_pool_reads_as_desired_and_keeps_every_other_key(raw: dict[str, Any]) -> None:
    pool = observed_pool(raw)
    declared = access(wanted("SSH"), wanted("RDP", port=3389, frontend="6000-6100"))
    desired = desired_network(pool.network, declared)
    body = network_configuration_body(pool.raw_network, pool.network, desired, declared)
    assert observed_network(body) == desired
    for key, value in (pool.raw_network or {}).items():
        if key not in ("endpointConfiguration", "publicIPAddressConfiguration"):
            assert body[key] == value


BASE = "dp_2024-07-01.20.0_pool_get_subnet_two_natpools_steady_with_nodes_same_etag[0]"


def close_all_but(network: Network) -> DesiredAccess:
    return everything(
        network,
        lambda each: DesiredEndpoint(
            name=each.name,
            protocol=each.protocol,
            backend_port=each.backend_port,
            frontend=each.frontend,
            allow_from=("10.0.0.0/8",),
        ),
    )


def nat_pool(raw: dict[str, Any], name: str = "SSHRule") -> Any:  # noqa: ANN401 JSON
    return next(each for each in raw["endpointConfiguration"]["inboundNATPools"] if each["name"] == name)


def rule(raw: dict[str, Any], index: int) -> Any:  # noqa: ANN401 JSON
    return nat_pool(raw)["networkSecurityGroupRules"][index]


def drop_rule(raw: dict[str, Any], index: int) -> None:
    del nat_pool(raw)["networkSecurityGroupRules"][index]


MUTATIONS: dict[str, tuple[Callable[[dict[str, Any]], object], DriftClass]] = {
    "a wider source": (lambda raw: rule(raw, 0).update(sourceAddressPrefix="10.0.0.0/7"), DriftClass.WIDENING),
    "a narrower source": (lambda raw: rule(raw, 0).update(sourceAddressPrefix="10.0.0.0/9"), DriftClass.NARROWING),
    "another source": (lambda raw: rule(raw, 0).update(sourceAddressPrefix="172.16.0.0/12"), DriftClass.MIXED),
    "access of the allow": (lambda raw: rule(raw, 0).update(access="deny"), DriftClass.NARROWING),
    "access of the deny": (lambda raw: rule(raw, 1).update(access="allow"), DriftClass.WIDENING),
    "a missing deny": (lambda raw: drop_rule(raw, 1), DriftClass.WIDENING),
    "a missing allow": (lambda raw: drop_rule(raw, 0), DriftClass.NARROWING),
    "no rules": (lambda raw: nat_pool(raw).pop("networkSecurityGroupRules"), DriftClass.WIDENING),
    "some source ports": (lambda raw: rule(raw, 0).update(sourcePortRanges=["1-1023"]), DriftClass.NARROWING),
    "the priority past the deny": (lambda raw: rule(raw, 0).update(priority=4000), DriftClass.NARROWING),
    "another backend port": (lambda raw: nat_pool(raw).update(backendPort=2222), DriftClass.MIXED),
    "another protocol": (lambda raw: nat_pool(raw).update(protocol="udp"), DriftClass.MIXED),
    "an access nobody knows": (lambda raw: rule(raw, 1).update(access="audit"), DriftClass.WIDENING),
    "another frontend range": (lambda raw: nat_pool(raw).update(frontendPortRangeEnd=60141), DriftClass.CONFIGURATION),
    "another name": (lambda raw: nat_pool(raw).update(name="login"), DriftClass.CONFIGURATION),
    "provisioning": (
        lambda raw: raw.update(publicIPAddressConfiguration={"provision": "UserManaged"}),
        DriftClass.CONFIGURATION,
    ),
    "another subnet": (lambda raw: raw.update(subnetId="/subscriptions/0/other"), DriftClass.CONFIGURATION),
    "no subnet": (lambda raw: raw.pop("subnetId"), DriftClass.CONFIGURATION),
    "acceleration": (lambda raw: raw.update(enableAcceleratedNetworking=True), DriftClass.CONFIGURATION),
    "no endpoints": (lambda raw: raw.pop("endpointConfiguration"), DriftClass.NARROWING),
    "priority numbers": (lambda raw: rule(raw, 1).update(priority=4000), DriftClass.NEUTRAL),
    "the case of the name": (lambda raw: nat_pool(raw).update(name="SSHRULE"), DriftClass.NEUTRAL),
    "the case of the subnet": (lambda raw: raw.update(subnetId=raw["subnetId"].upper()), DriftClass.NEUTRAL),
    "the case of words": (lambda raw: rule(raw, 1).update(access="Deny"), DriftClass.NONE),
    "a default made explicit": (
        lambda raw: raw.update(publicIPAddressConfiguration={"provision": "BatchManaged"}),
        DriftClass.NONE,
    ),
    "a default left out": (lambda raw: raw.pop("enableAcceleratedNetworking"), DriftClass.NONE),
    "the order of endpoints": (
        lambda raw: raw["endpointConfiguration"]["inboundNATPools"].reverse(),
        DriftClass.NONE,
    ),
    "an unknown key": (lambda raw: raw.update(future=1), DriftClass.NONE),
}


@needs_recordings
@pytest.mark.parametrize(("mutate", "kind"), MUTATIONS.values(), ids=MUTATIONS.keys())
def test_the_class_of_one_changed_field(mutate: Callable[[dict[str, Any]], object], kind: DriftClass) -> None:
    recorded = observed_pool(POOLS[BASE])
    declared = close_all_but(recorded.network)
    desired = desired_network(recorded.network, declared)
    raw = deepcopy(network_configuration_body(recorded.raw_network, recorded.network, desired, declared))
    assert drift_between(observed_network(raw), desired).kind is DriftClass.NONE
    mutate(raw)
    observed = observed_network(raw)
    assert drift_between(observed, desired_network(observed, declared)).kind is kind
