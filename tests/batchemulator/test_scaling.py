"""Resizing, draining, deleting: what happens when, by a clock that only moves when told."""

from __future__ import annotations

import copy

import pytest

from batchemulator import Assumptions, Timings
from batchemulator.assumptions import EvaluationEtag, WaitingNodes
from tests.batchemulator.driver import Driver

MINUTE = 60.0


def scale(driver: Driver) -> tuple[str, int, int]:
    """(allocation state, current dedicated, target dedicated)."""
    pool = driver.pool("p")
    return pool["allocationState"], pool["currentDedicatedNodes"], pool["targetDedicatedNodes"]


def busy_driver(*commands: str, nodes: int = 1, **changes: object) -> Driver:
    """A pool whose nodes run tasks."""
    driver = Driver(**changes)  # type: ignore[arg-type]
    driver.seed({"id": "p", "targetDedicatedNodes": nodes})
    driver.add_job("j", "p", *commands)
    return driver


def test_a_new_empty_pool_is_resizing_for_a_moment() -> None:
    driver = Driver()
    body = {"id": "p", "vmSize": "A1", "virtualMachineConfiguration": {"nodeAgentSKUId": "x"}}
    assert driver.post("/pools", body).status == 201
    assert scale(driver) == ("resizing", 0, 0)
    etag = driver.pool("p")["eTag"]
    driver.advance(1.4)
    assert scale(driver) == ("steady", 0, 0)
    assert driver.pool("p")["eTag"] == etag


def test_a_resize_up_shows_no_nodes_at_first_then_all_and_boots_them() -> None:
    driver = Driver()
    driver.seed({"id": "p"})
    before = driver.pool("p")["eTag"]
    assert driver.post("/pools/p/resize", {"targetDedicatedNodes": 2}).status == 202
    etag = driver.pool("p")["eTag"]
    assert etag != before
    driver.advance(29)
    assert scale(driver) == ("resizing", 0, 2)
    assert driver.get("/pools/p/nodes").document["value"] == []
    driver.advance(2)
    assert scale(driver) == ("steady", 2, 2)
    states = []
    for seconds in (0, 5, 40):
        driver.advance(seconds)
        states.append({node["state"] for node in driver.get("/pools/p/nodes").document["value"]})
    assert states == [{"creating"}, {"starting"}, {"idle"}]
    assert driver.pool("p")["eTag"] == etag


def test_a_resize_down_takes_the_time_nodes_need_to_leave() -> None:
    driver = Driver()
    driver.seed({"id": "p", "targetDedicatedNodes": 3, "targetLowPriorityNodes": 1})
    driver.post("/pools/p/resize", {"targetDedicatedNodes": 1, "targetLowPriorityNodes": 0})
    assert scale(driver) == ("resizing", 3, 1)
    states = sorted(node["state"] for node in driver.get("/pools/p/nodes").document["value"])
    assert states == ["idle", "leavingpool", "leavingpool", "leavingpool"]
    driver.advance(24.9)
    assert scale(driver) == ("resizing", 3, 1)
    driver.advance(0.2)
    assert scale(driver) == ("steady", 1, 1)


def test_frontend_indexes_of_nodes_that_left_are_used_again() -> None:
    driver = Driver()
    driver.seed({"id": "p", "targetDedicatedNodes": 3})
    gone = next(node for node in driver.state("p").nodes if node.index == 1)
    driver.post("/pools/p/removenodes", {"nodeList": [gone.id]})
    driver.advance(30)
    assert scale(driver) == ("steady", 2, 2)
    driver.post("/pools/p/resize", {"targetDedicatedNodes": 3})
    driver.advance(31)
    assert sorted(node.index for node in driver.state("p").nodes) == [0, 1, 2]
    assert len({node.id for node in driver.state("p").nodes} | {gone.id}) == 4


@pytest.mark.parametrize(
    ("option", "log"),
    [
        ("requeue", ["started t0 #1", "requeued t0 #1"]),
        ("terminate", ["started t0 #1", "terminated t0 #1"]),
    ],
)
def test_draining_at_once_ends_the_run(option: str, log: list[str]) -> None:
    driver = busy_driver("sleep 600")
    driver.post("/pools/p/resize", {"targetDedicatedNodes": 0, "nodeDeallocationOption": option})
    driver.advance(26)
    assert scale(driver) == ("steady", 0, 0)
    assert driver.task_log() == log


def test_draining_with_taskcompletion_lets_the_task_end_and_starts_no_other() -> None:
    driver = busy_driver("sleep 100; exit 3", "sleep 100")
    driver.post("/pools/p/resize", {"targetDedicatedNodes": 0, "nodeDeallocationOption": "taskcompletion"})
    driver.advance(99)
    assert scale(driver) == ("resizing", 1, 0)
    driver.advance(2)
    assert driver.get("/pools/p/nodes").document["value"][0]["state"] == "leavingpool"
    driver.advance(25)
    assert scale(driver) == ("steady", 0, 0)
    assert driver.task_log() == ["started t0 #1", "completed t0 #1 exit 3"]
    assert driver.get("/jobs/j/tasks/t1").document["state"] == "active"


def test_draining_with_retaineddata_waits_for_the_retention_too() -> None:
    driver = Driver()
    driver.seed({"id": "p", "targetDedicatedNodes": 1})
    driver.add_job("j", "p")
    task = {"id": "t", "commandLine": "sleep 10", "constraints": {"retentionTime": "PT3M"}}
    assert driver.post("/jobs/j/tasks", task).status == 201
    driver.post("/pools/p/resize", {"targetDedicatedNodes": 0, "nodeDeallocationOption": "retaineddata"})
    driver.advance(10 + 179)
    assert scale(driver) == ("resizing", 1, 0)
    driver.advance(1 + 26)
    assert scale(driver) == ("steady", 0, 0)


def test_a_requeued_task_runs_again_elsewhere() -> None:
    driver = busy_driver("sleep 300", nodes=2)
    node_id = driver.get("/jobs/j/tasks/t0").document["nodeInfo"]["nodeId"]
    driver.post("/pools/p/removenodes", {"nodeList": [node_id], "nodeDeallocationOption": "requeue"})
    driver.advance(300)
    assert driver.task_log() == [
        "started t0 #1",
        "requeued t0 #1",
        "started t0 #2",
        "completed t0 #2 exit 0",
    ]
    assert driver.get("/jobs/j/tasks/t0").document["executionInfo"]["requeueCount"] == 1


def test_resize_timeout_ends_a_drain_steady_with_nodes_left_that_go_back_to_work() -> None:
    driver = busy_driver("sleep 400", "sleep 10")
    body = {"targetDedicatedNodes": 0, "nodeDeallocationOption": "taskcompletion", "resizeTimeout": "PT5M"}
    driver.post("/pools/p/resize", body)
    driver.advance(5 * MINUTE)
    assert scale(driver) == ("steady", 1, 0)
    assert driver.pool("p")["resizeErrors"][0]["code"] == "AllocationTimedOut"
    driver.advance(2 * MINUTE)
    assert scale(driver) == ("steady", 1, 0)
    assert "completed t1 #1 exit 0" in driver.task_log()


def test_resize_timeout_may_leave_waiting_nodes_to_go_later() -> None:
    assumptions = Assumptions(nodes_waiting_at_resize_timeout=WaitingNodes.LEAVE_LATER)
    driver = busy_driver("sleep 400", "sleep 10", assumptions=assumptions)
    body = {"targetDedicatedNodes": 0, "nodeDeallocationOption": "taskcompletion", "resizeTimeout": "PT5M"}
    driver.post("/pools/p/resize", body)
    driver.advance(5 * MINUTE)
    assert scale(driver) == ("steady", 1, 0)
    driver.advance(100 + 26)
    assert scale(driver) == ("steady", 0, 0)
    assert driver.task_log() == ["started t0 #1", "completed t0 #1 exit 0"]


def test_resize_timeout_ends_an_allocation_that_takes_too_long() -> None:
    driver = Driver(timings=Timings(allocation=1000))
    driver.seed({"id": "p"})
    driver.post("/pools/p/resize", {"targetDedicatedNodes": 2, "resizeTimeout": "PT5M"})
    driver.advance(301)
    assert scale(driver) == ("steady", 0, 2)
    assert driver.pool("p")["resizeErrors"] == [
        {
            "code": "AllocationTimedOut",
            "message": "Desired number of dedicated nodes could not be allocated as the resize timeout was reached",
        },
    ]
    driver.advance(1000)
    assert scale(driver) == ("steady", 0, 2)


def test_a_pool_gets_no_more_nodes_than_the_quota_allows() -> None:
    driver = Driver()
    driver.seed({"id": "p"})
    driver.post("/pools/p/resize", {"targetDedicatedNodes": 70_000})
    driver.advance(31)
    assert scale(driver) == ("steady", 1000, 70_000)
    assert driver.pool("p")["resizeErrors"][0]["code"] == "AccountCoreQuotaReached"


def test_stopresize_passes_through_stopping_and_keeps_the_etag() -> None:
    driver = Driver()
    driver.seed({"id": "p"})
    driver.post("/pools/p/resize", {"targetDedicatedNodes": 2})
    etag = driver.pool("p")["eTag"]
    stopped = driver.post("/pools/p/stopresize")
    assert (stopped.status, stopped.headers["etag"]) == (202, etag)
    assert scale(driver) == ("stopping", 0, 2)
    driver.advance(2)
    assert scale(driver) == ("steady", 0, 2)
    assert driver.pool("p")["resizeErrors"][0]["code"] == "ResizeStopped"
    driver.advance(100)
    assert scale(driver) == ("steady", 0, 2)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/pools/p/resize", {"targetDedicatedNodes": 1}),
        ("/pools/p/removenodes", {"nodeList": ["x"]}),
        ("/pools/p/enableautoscale", {"autoScaleFormula": "$TargetDedicatedNodes=1"}),
    ],
)
def test_scaling_a_pool_that_is_being_resized_is_a_409(path: str, body: dict[str, object]) -> None:
    driver = Driver()
    driver.seed({"id": "p"})
    driver.post("/pools/p/resize", {"targetDedicatedNodes": 2})
    refused = driver.post(path, body)
    assert (refused.status, refused.code) == (409, "PoolBeingResized")


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        pytest.param("resize", {}, 400, "MissingRequiredProperty", id="no target"),
        pytest.param("resize", {"targetDedicatedNodes": -1}, 400, "InvalidPropertyValue", id="a negative target"),
        pytest.param(
            "resize",
            {"targetDedicatedNodes": 1, "resizeTimeout": "PT4M"},
            400,
            "InvalidPropertyValue",
            id="a timeout under five minutes",
        ),
        pytest.param(
            "resize",
            {"targetDedicatedNodes": 1, "nodeDeallocationOption": "now"},
            400,
            "InvalidPropertyValue",
            id="an unknown option",
        ),
        pytest.param("removenodes", {"nodeList": ["x"]}, 404, "NodeNotFound", id="a node that is not there"),
        pytest.param("removenodes", {"nodeList": []}, 400, "MissingRequiredProperty", id="no node"),
        pytest.param("enableautoscale", {}, 400, "MissingRequiredProperty", id="no formula"),
        pytest.param(
            "enableautoscale",
            {"autoScaleFormula": "$Bogus"},
            400,
            "InvalidPropertyValue",
            id="a formula that cannot be evaluated",
        ),
        pytest.param(
            "enableautoscale",
            {"autoScaleFormula": "$TargetDedicatedNodes=1", "autoScaleEvaluationInterval": "PT1M"},
            400,
            "InvalidPropertyValue",
            id="an interval under five minutes",
        ),
        pytest.param(
            "evaluateautoscale",
            {"autoScaleFormula": "$TargetDedicatedNodes=1"},
            409,
            "OperationInvalidForCurrentState",
            id="an evaluation without autoscale",
        ),
        pytest.param("stopresize", None, 409, "OperationInvalidForCurrentState", id="a stop without a resize"),
    ],
)
def test_scaling_that_is_refused(path: str, body: object, status: int, code: str) -> None:
    driver = Driver()
    driver.seed({"id": "p"})
    refused = driver.post(f"/pools/p/{path}", body)
    assert (refused.status, refused.code) == (status, code)


def test_autoscale_is_evaluated_soon_and_then_at_every_interval() -> None:
    driver = Driver()
    driver.seed({"id": "p"})
    body = {
        "autoScaleFormula": "$TargetDedicatedNodes = $PendingTasks > 0 ? 2 : 0",
        "autoScaleEvaluationInterval": "PT5M",
    }
    assert driver.post("/pools/p/enableautoscale", body).status == 200
    etag = driver.pool("p")["eTag"]
    assert "autoScaleRun" not in driver.pool("p")
    driver.advance(6)
    assert driver.pool("p")["autoScaleRun"]["results"].startswith("$TargetDedicatedNodes=0;")
    driver.add_job("j", "p", "sleep 30")
    driver.advance(5 * MINUTE)
    assert scale(driver)[2] == 2
    driver.advance(5 * MINUTE)
    assert scale(driver) == ("resizing", 2, 0)
    driver.advance(MINUTE)
    assert scale(driver) == ("steady", 0, 0)
    assert driver.pool("p")["eTag"] == etag
    assert driver.task_log() == ["started t0 #1", "completed t0 #1 exit 0"]


def test_an_evaluation_may_move_the_etag() -> None:
    driver = Driver(assumptions=Assumptions(evaluation_etag=EvaluationEtag.MOVED))
    driver.seed({"id": "p"})
    driver.post("/pools/p/enableautoscale", {"autoScaleFormula": "$TargetDedicatedNodes = 1"})
    etag = driver.pool("p")["eTag"]
    driver.advance(6)
    assert driver.pool("p")["eTag"] != etag


def test_disabled_autoscale_leaves_the_targets_and_enables_again_after_thirty_seconds_only() -> None:
    driver = Driver()
    driver.seed({"id": "p"})
    body = {"autoScaleFormula": "$TargetDedicatedNodes = 1"}
    driver.post("/pools/p/enableautoscale", body)
    driver.advance(6)
    assert driver.post("/pools/p/disableautoscale").status == 200
    driver.advance(20)
    early = driver.post("/pools/p/enableautoscale", body)
    assert (early.status, early.code) == (503, "TooManyEnableAutoScaleRequests")
    driver.advance(20)
    assert scale(driver) == ("steady", 1, 1)
    assert driver.post("/pools/p/enableautoscale", body).status == 200


def test_deleting_a_pool_lists_it_as_deleting_until_it_is_gone() -> None:
    driver = busy_driver("sleep 600")
    before = driver.pool("p")["eTag"]
    deleted = driver.call("DELETE", "/pools/p")
    assert (deleted.status, "etag" in deleted.headers) == (202, False)
    shown = driver.pool("p")
    assert (shown["state"], shown["allocationState"], shown["targetDedicatedNodes"]) == ("deleting", "resizing", 0)
    assert shown["eTag"] != before
    for method, path, body in (
        ("DELETE", "/pools/p", None),
        ("PATCH", "/pools/p", {"metadata": []}),
        ("POST", "/pools/p/resize", {"targetDedicatedNodes": 1}),
    ):
        refused = driver.call(method, path, body)
        assert (refused.status, refused.code) == (409, "PoolBeingDeleted")
    driver.advance(80)
    assert driver.get("/pools").document["value"][0]["state"] == "deleting"
    driver.advance(11)
    assert driver.get("/pools/p").code == "PoolNotFound"
    assert driver.get("/pools").document["value"] == []
    assert driver.task_log() == ["started t0 #1", "requeued t0 #1"]


def test_a_pool_made_anew_is_not_touched_by_what_was_planned_for_the_old_one() -> None:
    driver = Driver()
    driver.seed({"id": "p"})
    driver.post("/pools/p/resize", {"targetDedicatedNodes": 2})
    driver.seed({"id": "p"})
    driver.advance(1000)
    assert scale(driver) == ("steady", 0, 0)


def test_etags_only_ever_grow_even_within_one_instant() -> None:
    driver = Driver()
    driver.seed({"id": "p"})
    etags = [driver.pool("p")["eTag"]]
    for number in range(3):
        driver.patch("/pools/p", {"metadata": [{"name": "n", "value": str(number)}]})
        etags.append(driver.pool("p")["eTag"])
    assert etags == sorted(set(etags))


def test_the_same_history_gives_the_same_state() -> None:
    def history() -> list[object]:
        driver = busy_driver("sleep 20", "sleep 5; exit 1", nodes=2)
        driver.post("/pools/p/resize", {"targetDedicatedNodes": 1, "nodeDeallocationOption": "taskcompletion"})
        seen: list[object] = []
        for _ in range(10):
            driver.advance(7)
            seen += [driver.pool("p"), driver.get("/pools/p/nodes").document, driver.task_log()]
        return seen

    assert history() == history()


def test_a_copy_of_the_service_has_a_future_of_its_own() -> None:
    driver = busy_driver("sleep 20")
    driver.post("/pools/p/resize", {"targetDedicatedNodes": 0, "nodeDeallocationOption": "taskcompletion"})
    copied = copy.deepcopy(driver)
    copied.advance(100)
    assert scale(copied) == ("steady", 0, 0)
    assert scale(driver) == ("resizing", 1, 0)
    driver.advance(100)
    assert driver.pool("p") == copied.pool("p")
