import pytest

from batchaccess.core.model import IpFamily
from batchaccess.core.reach import EQUAL, NOBODY, Order, ReachFunction
from batchaccess.core.rules import evaluate
from tests.support.build import rules

HIGHER, LOWER, BOTH_WAYS = Order(higher=True), Order(lower=True), Order(higher=True, lower=True)


def function(texts: list[str]) -> ReachFunction:
    return evaluate(rules(*texts), (IpFamily.IPV4, IpFamily.IPV6))


@pytest.mark.parametrize(
    ("observed", "desired", "order"),
    [
        pytest.param([], ["allow *"], EQUAL, id="no rules admit everyone"),
        pytest.param(["allow 10.0.0.0/8"], ["allow 10.0.0.0/8", "deny *"], HIGHER, id="a missing Deny leaves it open"),
        pytest.param(["deny *"], ["allow 10.0.0.0/8", "deny *"], LOWER, id="a missing Allow"),
        pytest.param(
            ["allow 10.0.0.0/25", "allow 10.0.0.128/25", "deny *"], ["allow 10.0.0.0/24", "deny *"], EQUAL, id="split"
        ),
        pytest.param(["allow 10.0.0.0/24", "deny *"], ["allow 10.0.1.0/24", "deny *"], BOTH_WAYS, id="another source"),
        pytest.param(
            ["allow 10.0.0.0/8 ports 1-100", "deny *"], ["allow 10.0.0.0/8 ports 1-99", "deny *"], HIGHER, id="one port"
        ),
        pytest.param(
            ["allow 10.0.0.0/8 ports 1-100", "deny *"],
            ["allow 10.0.0.0/8 ports 2-101", "deny *"],
            BOTH_WAYS,
            id="shifted",
        ),
        pytest.param(
            ["allow VirtualNetwork", "deny *"], ["allow AzureLoadBalancer", "deny *"], BOTH_WAYS, id="another tag"
        ),
        pytest.param(["allow AzureCloud", "deny *"], ["allow azurecloud", "deny *"], EQUAL, id="case of a tag"),
        pytest.param(["allow AzureCloud", "deny *"], ["deny *"], HIGHER, id="a tag more"),
        pytest.param(["deny AzureCloud", "allow *"], ["allow *"], LOWER, id="a tag denied"),
        pytest.param(
            ["allow AzureCloud", "deny Storage", "deny *"],
            ["deny Storage", "allow AzureCloud", "deny *"],
            HIGHER,
            id="the order of tags counts for a source that carries both",
        ),
        pytest.param(
            ["allow AzureCloud", "allow Storage", "deny *"],
            ["allow Storage", "allow AzureCloud", "deny *"],
            EQUAL,
            id="the order of tags with one effect does not count",
        ),
        pytest.param(
            ["allow AzureCloud", "deny Storage", "deny *"],
            ["allow AzureCloud", "deny *"],
            EQUAL,
            id="a tag denied twice",
        ),
        pytest.param(["allow Internet", "deny *"], ["allow *"], LOWER, id="the Internet is less than everyone"),
        pytest.param(["deny VirtualNetwork", "deny *"], ["deny *"], EQUAL, id="what is denied anyway"),
        pytest.param(["allow 10.0.0.0/8"], ["deny *"], HIGHER, id="undetermined is more than closed"),
        pytest.param(["allow 10.0.0.0/8"], ["allow *"], LOWER, id="undetermined is less than open"),
        pytest.param(["deny 10.0.0.0/8"], ["allow 10.0.0.0/8"], LOWER, id="open and closed amid the undetermined"),
    ],
)
def test_compare_orders_by_who_gets_in(observed: list[str], desired: list[str], order: Order) -> None:
    assert function(observed).compare(function(desired)) == order
    assert function(desired).compare(function(observed)) == Order(higher=order.lower, lower=order.higher)
    assert (function(observed) == function(desired)) is (order == EQUAL)


def test_all_public_literals_are_not_the_same_as_the_tag_internet_for_the_virtual_network() -> None:
    """A virtual network may use public addresses; the tag Internet never matches them there."""
    families = (IpFamily.IPV4,)
    private = ["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"]
    private += ["192.0.0.0/29", "192.0.0.8", "192.0.0.11", "192.0.0.12/30", "192.0.0.16/28", "192.0.0.32/27"]
    private += ["192.0.0.64/26", "192.0.0.128/25", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15"]
    private += ["198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"]
    spelled_out = evaluate(rules(*(f"deny {block}" for block in private), "allow *"), families)
    by_tag = evaluate(rules("allow Internet", "deny *"), families)
    assert spelled_out.anywhere == by_tag.anywhere
    assert spelled_out.compare(by_tag) == HIGHER


def test_denying_everyone_equals_mapping_nothing() -> None:
    assert function(["deny *"]) == NOBODY
    assert function(["deny Internet", "deny 10.0.0.0/8 ports 1-5", "deny *"]) == NOBODY
