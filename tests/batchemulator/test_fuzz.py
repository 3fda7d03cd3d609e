"""Whatever a client sends, the emulator answers as a service does, and what it shows is normal."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchemulator import Assumptions
from batchemulator.assumptions import EmptyList, PatchDepth
from batchemulator.state.normalisation import normalise_settings
from tests.batchemulator.driver import Driver, nat_pool, network, rule

MACHINE = {
    "imageReference": {"publisher": "p", "offer": "o", "sku": "s"},
    "nodeAgentSKUId": "batch.node.ubuntu 22.04",
    "nodePlacementConfiguration": {"policy": "zonal"},
}
PATCH: dict[str, Any] = {
    "displayName": "d",
    "vmSize": "A1",
    "taskSlotsPerNode": 2,
    "taskSchedulingPolicy": {"nodeFillType": "pack"},
    "startTask": {"commandLine": "x", "userIdentity": {"autoUser": {"scope": "pool"}}},
    "metadata": [{"name": "a", "value": "b"}],
    "userAccounts": [{"name": "u", "password": "p", "linuxUserConfiguration": {"uid": 1}}],
    "mountConfiguration": [{"nfsMountConfiguration": {"source": "s"}}],
    "virtualMachineConfiguration": MACHINE,
    "networkConfiguration": network(
        nat_pool(networkSecurityGroupRules=[rule(sourcePortRanges=["1-10"]), rule(300)]),
        publicIPAddressConfiguration={"provision": "batchmanaged", "ipFamilies": ["IPv4"], "ipAddressIds": []},
        subnetId="/s",
    ),
}
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", "/pools/p"): PATCH,
    ("POST", "/pools"): {"id": "new", **PATCH, "targetDedicatedNodes": 1, "resizeTimeout": "PT10M"},
    ("POST", "/pools/p/updateproperties"): {"metadata": [], "applicationPackageReferences": []},
    ("POST", "/pools/p/resize"): {
        "targetDedicatedNodes": 1,
        "resizeTimeout": "PT6M",
        "nodeDeallocationOption": "requeue",
    },
    ("POST", "/pools/p/removenodes"): {"nodeList": ["a"], "resizeTimeout": "PT6M"},
    ("POST", "/pools/p/enableautoscale"): {"autoScaleFormula": "x=1", "autoScaleEvaluationInterval": "PT6M"},
    ("POST", "/pools/auto/evaluateautoscale"): {"autoScaleFormula": "x=1"},
    ("POST", "/jobs"): {"id": "j", "priority": 1, "poolInfo": {"poolId": "p"}},
    ("PATCH", "/jobs/there"): {"priority": 1, "poolInfo": {"poolId": "p"}},
    ("PUT", "/jobs/there"): {"priority": 1, "poolInfo": {"poolId": "p"}},
    ("POST", "/jobs/there/tasks"): {
        "id": "t",
        "commandLine": "sleep 1",
        "requiredSlots": 1,
        "constraints": {"retentionTime": "PT1H"},
    },
    ("POST", "/jobs/there/addtaskcollection"): {"value": [{"id": "t", "commandLine": "x"}]},
    ("POST", "/jobs/there/disable"): {"disableTasks": "wait"},
}
STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([-1, 0, 1, 30, 70_000]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=4),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just([1, "x", {}]),
    st.just({"a": None}),
)


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything inside a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in inner for found in ((*path, key), *places(item, (*path, key)))]


@pytest.mark.parametrize(("method", "path"), BODIES, ids=str)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_body_with_something_strange_in_it_gets_an_answer_and_breaks_nothing(
    method: str,
    path: str,
    data: st.DataObject,
) -> None:
    body = copy.deepcopy(BODIES[method, path])
    place = data.draw(st.sampled_from(places(body)))
    target: Any = body
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = data.draw(STRANGE)
    driver = Driver()
    driver.seed({"id": "p"}, {"id": "auto", "enableAutoScale": True, "autoScaleFormula": "x=1"})
    driver.add_job("there", "p")
    answer = driver.call(method, path, body)
    assert answer.status in {200, 201, 202, 204, 400, 404, 409}
    driver.advance(100)
    for check in ("/pools", "/pools/p/nodes", "/jobs", "/jobs/there/tasks", "/nodecounts"):
        assert driver.get(check).status == 200


@settings(deadline=None)
@given(
    data=st.data(),
    depth=st.sampled_from(PatchDepth),
    empty_list=st.sampled_from(EmptyList),
)
def test_the_stored_form_stays_normal_after_any_patches(
    data: st.DataObject,
    depth: PatchDepth,
    empty_list: EmptyList,
) -> None:
    driver = Driver(assumptions=Assumptions(patch_depth=depth, empty_list=empty_list))
    driver.seed({"id": "p"})
    for _ in range(3):
        keys = data.draw(st.sets(st.sampled_from(sorted(PATCH))))
        assert driver.patch("/pools/p", {key: PATCH[key] for key in keys}).status == 200
        stored = driver.state("p").settings
        assert normalise_settings(stored, driver.assumptions) == stored
