"""Whatever JSON a pool is made of: it is read, or refused by name, and nothing else happens."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from batchaccess.azurebatch.convert import observed_pool
from batchaccess.azurebatch.nodes import node_findings
from batchaccess.azurebatch.reading import Unreadable
from batchaccess.azurebatch.saved import read_saved_pools
from batchaccess.core.model import ObservedPool
from tests.contract.pools.worlds import raw_pool

POOL = raw_pool(
    "a",
    metadata=[{"name": "team", "value": "x"}],
    networkConfiguration={
        "subnetId": "/subscriptions/s/subnets/b",
        "endpointConfiguration": {
            "inboundNATPools": [
                {
                    "name": "ssh",
                    "protocol": "tcp",
                    "backendPort": 22,
                    "frontendPortRangeStart": 4000,
                    "frontendPortRangeEnd": 4100,
                    "networkSecurityGroupRules": [
                        {"priority": 162, "access": "deny", "sourceAddressPrefix": "*", "sourcePortRanges": ["80"]}
                    ],
                }
            ]
        },
        "publicIPAddressConfiguration": {
            "provision": "BatchManaged",
            "ipAddressIds": ["x"],
            "ipFamilies": ["IPv4"],
            "ipTags": [{"ipTagType": "a", "tag": "b"}],
        },
    },
)

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("*") | st.just("1-2"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401 any JSON
    """Every (container, key) inside `value`."""
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        return []
    return [(value, key) for key, _ in inner] + [place for _, member in inner for place in places(member)]


def attempt(read: Callable[[], object]) -> object:
    """What was read, or why it could not be."""
    try:
        return read()
    except Unreadable as problem:
        return problem


@given(st.data(), JSON)
def test_one_value_exchanged_for_any_other_is_read_or_refused(data: st.DataObject, value: object) -> None:
    raw = deepcopy(POOL)
    container, key = data.draw(st.sampled_from(places(raw)))
    container[key] = value
    outcome = attempt(lambda: observed_pool(raw))
    if isinstance(outcome, Unreadable):
        assert outcome.key
        assert outcome.problem
    else:
        assert isinstance(outcome, ObservedPool)
        assert hash(outcome.network) == hash(observed_pool(deepcopy(raw)).network)


@given(st.data())
def test_a_pool_with_any_key_left_out_is_never_wrongly_taken_for_empty(data: st.DataObject) -> None:
    raw = deepcopy(POOL)
    for key in data.draw(st.sets(st.sampled_from(sorted(raw.keys() - {"id"})), min_size=1)):
        del raw[key]
    decisive = {key for key in POOL if "Nodes" in key} | {"enableAutoScale", "state", "allocationState"}
    assert observed_pool(raw).is_empty is (decisive <= raw.keys())


@given(JSON)
def test_any_node_is_read_or_refused(node: object) -> None:
    listed = [{"id": "n", "endpointConfiguration": {"inboundEndpoints": [node]}}]
    outcome = attempt(lambda: node_findings(listed, []))
    if isinstance(outcome, Unreadable):
        assert outcome.key.startswith("value[0].endpointConfiguration.inboundEndpoints")


@given(st.lists(st.dictionaries(st.sampled_from([*POOL, "properties", "value"]), JSON)))
def test_any_saved_list_gives_one_entry_for_every_element(document: list[dict[str, Any]]) -> None:
    listing = read_saved_pools(document)
    assert len(listing.pools) + len(listing.unreadable) == len(document)
