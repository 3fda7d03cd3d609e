"""Jobs, tasks and the scheduling of nodes."""

from __future__ import annotations

import pytest

from tests.batchemulator.driver import Driver


def job_driver(*commands: str, nodes: int = 1, **pool: object) -> Driver:
    driver = Driver()
    driver.seed({"id": "p", "targetDedicatedNodes": nodes, **pool})
    driver.add_job("j", "p", *commands)
    return driver


def counts(driver: Driver) -> dict[str, int]:
    found: dict[str, int] = driver.get("/jobs/j/taskcounts").document["taskCounts"]
    return {state: count for state, count in found.items() if count}


def test_tasks_run_one_after_another_on_one_slot() -> None:
    driver = job_driver("sleep 10", "sleep 10; exit 2")
    assert counts(driver) == {"active": 1, "running": 1}
    driver.advance(10)
    assert counts(driver) == {"running": 1, "completed": 1, "succeeded": 1}
    driver.advance(10)
    assert counts(driver) == {"completed": 2, "succeeded": 1, "failed": 1}
    task = driver.get("/jobs/j/tasks/t1").document
    assert (task["executionInfo"]["exitCode"], task["executionInfo"]["result"]) == (2, "failure")


def test_tasks_fill_the_slots_of_a_node() -> None:
    driver = job_driver("sleep 10", "sleep 10", "sleep 10", taskSlotsPerNode=2)
    assert counts(driver) == {"active": 1, "running": 2}


def test_a_job_of_higher_priority_goes_first() -> None:
    driver = job_driver("sleep 10", "sleep 10")
    driver.post("/jobs", {"id": "urgent", "priority": 100, "poolInfo": {"poolId": "p"}})
    driver.post("/jobs/urgent/tasks", {"id": "u", "commandLine": "sleep 10"})
    driver.advance(10)
    assert driver.task_log() == ["started t0 #1", "completed t0 #1 exit 0", "started u #1"]


@pytest.mark.parametrize(
    ("option", "log", "state"),
    [
        ("requeue", ["started t0 #1", "requeued t0 #1"], "disabled"),
        ("terminate", ["started t0 #1", "terminated t0 #1"], "disabled"),
        ("wait", ["started t0 #1"], "disabling"),
    ],
)
def test_disabling_a_job_treats_running_tasks_as_asked(option: str, log: list[str], state: str) -> None:
    driver = job_driver("sleep 60", "sleep 60")
    assert driver.post("/jobs/j/disable", {"disableTasks": option}).status == 202
    assert driver.get("/jobs/j").document["state"] == "disabling"
    driver.advance(2)
    assert driver.task_log() == log
    assert driver.get("/jobs/j").document["state"] == state
    driver.advance(60)
    assert driver.get("/jobs/j").document["state"] == "disabled"
    assert driver.post("/jobs/j/enable").status == 202
    assert driver.task_log()[-1].startswith("started ")


def test_terminating_a_job_ends_its_tasks_and_frees_the_node() -> None:
    driver = job_driver("sleep 60", "sleep 60")
    assert driver.post("/jobs/j/terminate").status == 202
    driver.advance(2)
    assert driver.get("/jobs/j").document["state"] == "completed"
    assert counts(driver) == {"completed": 2, "failed": 2}
    assert driver.get("/pools/p/nodes").document["value"][0]["state"] == "idle"
    assert driver.post("/jobs/j/terminate").code == "JobCompleted"
    assert driver.post("/jobs/j/tasks", {"id": "late", "commandLine": "x"}).code == "JobCompleted"


def test_deleting_a_job_makes_it_vanish_with_its_tasks() -> None:
    driver = job_driver("sleep 60")
    assert driver.call("DELETE", "/jobs/j").status == 202
    assert driver.get("/jobs/j").document["state"] == "deleting"
    assert driver.call("DELETE", "/jobs/j").code == "JobBeingDeleted"
    driver.advance(2)
    assert driver.get("/jobs/j").code == "JobNotFound"
    assert driver.get("/jobs/j/tasks").code == "JobNotFound"


def test_jobs_of_a_pool_are_found_by_the_filter_the_sdk_uses() -> None:
    driver = job_driver()
    driver.post("/jobs", {"id": "other", "poolInfo": {"poolId": "q"}})
    assert driver.get("/jobs", "$filter=executionInfo/poolId+eq+'p'+and+state+eq+'active'").ids == ["j"]


def test_ending_or_deleting_a_task_lets_the_next_one_run() -> None:
    driver = job_driver("sleep 60", "sleep 60", "sleep 60")
    assert driver.post("/jobs/j/tasks/t0/terminate").status == 204
    assert driver.post("/jobs/j/tasks/t0/terminate").code == "TaskCompleted"
    assert driver.call("DELETE", "/jobs/j/tasks/t1").status == 200
    assert driver.task_log() == [
        "started t0 #1",
        "terminated t0 #1",
        "started t1 #1",
        "terminated t1 #1",
        "started t2 #1",
    ]
    assert driver.get("/jobs/j/tasks").ids == ["t0", "t2"]


def test_a_collection_gets_one_verdict_per_task() -> None:
    driver = job_driver("sleep 1")
    tasks = [{"id": "t0", "commandLine": "x"}, {"id": "new", "commandLine": "x"}]
    verdicts = driver.post("/jobs/j/addtaskcollection", {"value": tasks}).document["value"]
    assert [(verdict["taskId"], verdict["status"]) for verdict in verdicts] == [
        ("t0", "clienterror"),
        ("new", "success"),
    ]
    assert verdicts[0]["error"]["code"] == "TaskExists"


@pytest.mark.parametrize(
    ("option", "log"),
    [
        ("requeue", ["started t0 #1", "requeued t0 #1"]),
        ("terminate", ["started t0 #1", "terminated t0 #1"]),
        ("taskcompletion", ["started t0 #1", "completed t0 #1 exit 0"]),
    ],
)
def test_a_node_without_scheduling_takes_no_task(option: str, log: list[str]) -> None:
    driver = job_driver("sleep 20", "sleep 20")
    node = driver.state("p").nodes[0].id
    path = f"/pools/p/nodes/{node}"
    assert driver.post(f"{path}/disablescheduling", {"nodeDisableSchedulingOption": option}).status == 200
    driver.advance(60)
    assert driver.task_log() == log
    assert driver.get(path).document["schedulingState"] == "disabled"
    assert driver.post(f"{path}/enablescheduling").status == 200
    assert driver.task_log()[-1].startswith("started ")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        pytest.param("POST", "/jobs", {"id": "x"}, 400, "MissingRequiredProperty", id="a job without pool"),
        pytest.param("POST", "/jobs", {"id": "J", "poolInfo": {"poolId": "p"}}, 409, "JobExists", id="a job twice"),
        pytest.param("POST", "/jobs/j/disable", {}, 400, "MissingRequiredProperty", id="disable without option"),
        pytest.param(
            "POST", "/jobs/j/disable", {"disableTasks": "now"}, 400, "InvalidPropertyValue", id="a wrong option"
        ),
        pytest.param("POST", "/jobs/j/tasks", {"id": "t"}, 400, "MissingRequiredProperty", id="a task without command"),
        pytest.param("POST", "/jobs/none/tasks", {"id": "t", "commandLine": "x"}, 404, "JobNotFound", id="no such job"),
        pytest.param("GET", "/jobs/j/tasks/none", None, 404, "TaskNotFound", id="no such task"),
        pytest.param("PUT", "/jobs/j", {}, 400, "MissingRequiredProperty", id="a replacement without pool"),
    ],
)
def test_requests_about_jobs_that_are_refused(method: str, path: str, body: object, status: int, code: str) -> None:
    refused = job_driver().call(method, path, body)
    assert (refused.status, refused.code) == (status, code)


def test_updating_a_job_keeps_what_is_not_named_and_replacing_does_not() -> None:
    driver = Driver()
    driver.post("/jobs", {"id": "j", "displayName": "J", "poolInfo": {"poolId": "p"}})
    assert driver.call("PATCH", "/jobs/j", {"priority": 5}).status == 200
    patched = driver.get("/jobs/j").document
    assert (patched["priority"], patched["displayName"]) == (5, "J")
    assert driver.call("PUT", "/jobs/j", {"poolInfo": {"poolId": "q"}}).status == 200
    replaced = driver.get("/jobs/j").document
    assert (replaced["priority"], "displayName" in replaced, replaced["poolInfo"]["poolId"]) == (0, False, "q")
