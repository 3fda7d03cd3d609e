"""Declaring exactly what a pool has changes nothing."""

import pytest
from hypothesis import given

from batchaccess.core.adoption import Part, declared_access, inexpressible
from batchaccess.core.declared import Unlisted
from batchaccess.core.desired import desired_network
from batchaccess.core.drift import drift_between
from batchaccess.core.model import Access, Network, Protocol, Provisioning, Rule
from batchaccess.core.reasons import DriftClass
from tests.core.strategies import networks
from tests.support.build import SUBNET, endpoint, network

NO_DRIFT = (DriftClass.NONE, DriftClass.NEUTRAL)


@given(observed=networks())
def test_a_declared_network_is_no_drift(observed: Network) -> None:
    access = declared_access(observed)
    assert drift_between(observed, desired_network(observed, access)).kind in NO_DRIFT


@given(observed=networks())
def test_what_is_left_out_is_no_drift_either(observed: Network) -> None:
    left_out = {each.name for each in observed.endpoints[:1]} | {Part.PUBLIC_ADDRESSES, Part.SUBNET}
    access = declared_access(observed, leave_out=left_out)
    assert drift_between(observed, desired_network(observed, access)).kind in NO_DRIFT
    assert access.public_addresses is None
    assert access.subnet_id is None


def test_rules_are_taken_over_and_their_absence_is_said() -> None:
    observed = network(endpoint("RDP", port=3389, frontend="5000-5100"), endpoint("SSH", "deny *"), subnet_id=SUBNET)
    access = declared_access(observed)
    assert access.endpoints is not None
    rdp, ssh = access.endpoints.items
    assert (rdp.allow_from, rdp.rules) == (("*",), None)
    assert (ssh.allow_from, ssh.rules) == (None, observed.endpoints[1].rules)
    assert access.endpoints.unlisted is Unlisted.REMOVE
    assert access.subnet_id == SUBNET


def test_a_later_endpoint_is_drift_unless_some_could_not_be_declared() -> None:
    observed = network(endpoint("SSH", "deny *"))
    later = network(endpoint("SSH", "deny *"), endpoint("web", port=80, frontend="5000-5100"))
    whole = declared_access(observed)
    assert drift_between(later, desired_network(later, whole)).kind is DriftClass.WIDENING
    partly = declared_access(observed, leave_out={"SSH"})
    assert drift_between(later, desired_network(later, partly)).kind is DriftClass.NONE


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        pytest.param(network(endpoint("SSH", "deny *")), [], id="known words can all be declared"),
        pytest.param(network(provisioning=Provisioning.UNKNOWN), ["publicAddresses"], id="an unknown provisioning"),
        pytest.param(network(endpoint("x", protocol=Protocol.UNKNOWN)), ["x"], id="an unknown protocol"),
    ],
)
def test_words_of_a_newer_service_cannot_be_declared(observed: Network, expected: list[str]) -> None:
    assert [omission.what for omission in inexpressible(observed)] == expected


def test_a_rule_of_unknown_access_cannot_be_declared() -> None:
    plain = endpoint("SSH", "deny *")
    odd = network(
        type(plain)(
            name="SSH",
            protocol=plain.protocol,
            backend_port=22,
            frontend=plain.frontend,
            rules=(Rule(priority=200, access=Access.UNKNOWN, source="*"),),
        )
    )
    (omission,) = inexpressible(odd)
    assert omission.what == "SSH"
    assert "access of a rule" in omission.why
