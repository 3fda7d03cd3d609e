from __future__ import annotations

import json
import urllib.error
import urllib.parse
from http.client import HTTPConnection, RemoteDisconnected

import pytest

from tests.kubeemulator.conftest import POLICIES
from tests.kubeemulator.definitions import Json, policy
from tests.kubeemulator.driver import Http, wait_for

LOST = (RemoteDisconnected, urllib.error.URLError, ConnectionError)


def test_the_log_tells_what_was_asked_by_whom_with_what_result(http: Http) -> None:
    http("DELETE", "/emulator/requests")
    http("POST", POLICIES, policy({"pool": "a"}))
    http("GET", f"{POLICIES}/none?x=y")
    assert http.requests() == [
        {"method": "POST", "path": POLICIES, "user_agent": "driver/1", "user": "kubernetes-admin", "status": 201},
        {
            "method": "GET",
            "path": f"{POLICIES}/none?x=y",
            "user_agent": "driver/1",
            "user": "kubernetes-admin",
            "status": 404,
        },
    ]
    http("DELETE", "/emulator/requests")
    assert http.requests() == []


def test_a_fault_hits_as_often_as_asked_and_only_what_matches(http: Http) -> None:
    http("POST", "/emulator/faults", {"method": "POST", "path": "policies", "status": 422, "count": 2})
    codes = [http("POST", POLICIES, policy({"pool": "a"}, f"p{number}")).get("code") for number in range(3)]
    assert codes == [422, 422, None]
    assert [item["metadata"]["name"] for item in http("GET", POLICIES)["items"]] == ["p2"]


def test_a_fault_after_the_effect_loses_the_answer_only(http: Http) -> None:
    http("POST", "/emulator/faults", {"method": "POST", "drop": True, "after_effect": True})
    with pytest.raises(LOST):
        http("POST", POLICIES, policy({"pool": "a"}))
    assert http("GET", f"{POLICIES}/p1")["spec"]["pool"] == "a"
    assert [entry["status"] for entry in http.requests() if entry["method"] == "POST"] == [0]


def test_an_unknown_fault_is_refused(http: Http) -> None:
    assert http("POST", "/emulator/faults", {"weather": "bad"})["code"] == 400


def test_forgotten_history_ends_open_watches_with_gone(http: Http) -> None:
    version = http("GET", POLICIES)["metadata"]["resourceVersion"]
    address = urllib.parse.urlsplit(http.emulator.url)
    assert address.hostname is not None
    connection = HTTPConnection(address.hostname, address.port, timeout=10)
    connection.request("GET", f"{POLICIES}?watch=1&resourceVersion={version}&timeoutSeconds=30")
    response = connection.getresponse()
    http("POST", "/emulator/compact")
    event = json.loads(response.readline())
    connection.close()
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)


def test_a_short_history_ends_in_gone(http: Http) -> None:
    http("POST", POLICIES, policy({"pool": "a"}))
    version = http("GET", POLICIES)["metadata"]["resourceVersion"]
    for target in range(100):
        http.merge(f"{POLICIES}/p1", {"spec": {"target": target}})
    told = http("GET", f"{POLICIES}?watch=1&resourceVersion={version}&timeoutSeconds=1")
    assert (told["type"], told["object"]["code"], told["object"]["reason"]) == ("ERROR", 410, "Expired")


def test_a_watch_from_a_version_of_the_future_is_gone_so_that_clients_of_a_restarted_server_list_again(
    http: Http,
) -> None:
    assert http("GET", f"{POLICIES}?watch=1&resourceVersion=99999999")["object"]["code"] == 410


def test_an_oversized_body_is_refused(http: Http) -> None:
    huge = policy({"pool": "a"})
    huge["metadata"]["annotations"] = {"a": "x" * (3 * 1024 * 1024)}
    assert http("POST", POLICIES, huge)["code"] == 413


def _dependent(http: Http) -> Json:
    """A policy owned by another that exists."""
    uid = http("POST", POLICIES, policy({"pool": "a"}, "owner"))["metadata"]["uid"]
    reference = {"apiVersion": "demo.example.com/v1", "kind": "Policy", "name": "owner", "uid": uid}
    dependent = policy({"pool": "a"}, "dependent")
    dependent["metadata"]["ownerReferences"] = [reference]
    return dependent


def test_an_owners_dependents_go_with_it(http: Http) -> None:
    dependent = _dependent(http)
    http("POST", POLICIES, dependent)
    http("DELETE", f"{POLICIES}/owner")
    assert http("GET", POLICIES)["items"] == []


def test_an_orphaning_deletion_keeps_dependents_without_their_owner(http: Http) -> None:
    dependent = _dependent(http)
    http("POST", POLICIES, dependent)
    http("DELETE", f"{POLICIES}/owner?propagationPolicy=Orphan")
    (left,) = http("GET", POLICIES)["items"]
    assert left["metadata"]["name"] == "dependent"
    assert "ownerReferences" not in left["metadata"]


def test_a_foreground_deletion_waits_for_held_dependents(http: Http) -> None:
    dependent = _dependent(http)
    dependent["metadata"]["finalizers"] = ["demo.example.com/hold"]
    http("POST", POLICIES, dependent)
    http("DELETE", f"{POLICIES}/owner?propagationPolicy=Foreground")
    assert http("GET", f"{POLICIES}/owner")["metadata"]["finalizers"] == ["foregroundDeletion"]
    http.merge(f"{POLICIES}/dependent", {"metadata": {"finalizers": None}})
    wait_for(lambda: not http("GET", POLICIES)["items"], what="both are gone")
