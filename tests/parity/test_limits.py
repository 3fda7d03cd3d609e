"""What the CRD lets through, the service's limits let through too: nothing alone in a policy is found only later."""

from typing import Any

import pytest
from hypothesis import given, settings

from batchaccess.core.declared import AccessPolicy
from batchaccess.core.desired import desired_network
from batchaccess.core.limits import limit_violations
from batchaccess.core.model import Network
from tests.parity.corpus import Case, cases
from tests.parity.judges import parse
from tests.parity.test_mutations import objects

POLICIES = [case for case in cases() if case.refused is None and case.obj["kind"] == "BatchPoolAccessPolicy"]

SUBNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/batch"
IN_A_SUBNET = Network(subnet_id=SUBNET)
"""A pool with a subnet, which pools without public addresses need: only the live pool tells whether they have one."""


def _fields_found_later(policy: AccessPolicy) -> list[str]:
    return [str(violation) for violation in limit_violations(desired_network(IN_A_SUBNET, policy.access))]


@pytest.mark.parametrize("case", POLICIES, ids=lambda case: case.name)
def test_an_accepted_policy_breaks_no_limit(case: Case) -> None:
    policy = parse(case.obj)

    assert isinstance(policy, AccessPolicy)
    assert _fields_found_later(policy) == []


@settings(max_examples=600, deadline=None)
@given(obj=objects())
def test_a_mutated_policy_that_is_accepted_breaks_no_limit(obj: dict[str, Any]) -> None:
    policy = parse(obj)

    if isinstance(policy, AccessPolicy):
        assert _fields_found_later(policy) == []
