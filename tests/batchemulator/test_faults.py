"""Injected trouble, without a socket: what is answered, and whether the effect happened."""

from __future__ import annotations

import pytest

from batchemulator.faults import Fault, FaultKind
from tests.batchemulator.driver import Driver, nat_pool, network

BODY = {"networkConfiguration": network(nat_pool())}
ANSWERS = {
    FaultKind.THROTTLED: (429, "TooManyRequests"),
    FaultKind.SERVER_BUSY: (503, "ServerBusy"),
    FaultKind.INTERNAL_ERROR: (500, "InternalError"),
    FaultKind.TIMED_OUT_BEFORE: (500, "OperationTimedOut"),
    FaultKind.TIMED_OUT_AFTER: (500, "OperationTimedOut"),
    FaultKind.CONDITION_NOT_MET: (412, "ConditionNotMet"),
    FaultKind.UNAUTHORIZED: (401, "AuthenticationFailed"),
    FaultKind.FORBIDDEN: (403, "InsufficientAccountPermissions"),
}
EFFECTIVE = {FaultKind.TIMED_OUT_AFTER, FaultKind.SILENT_AFTER, FaultKind.DROPPED_AFTER, FaultKind.STALE_READ}


def faulty(*faults: Fault) -> Driver:
    driver = Driver()
    driver.seed({"id": "p"}, {"id": "q"})
    for fault in faults:
        driver.service.faults.add(fault)
    return driver


@pytest.mark.parametrize("kind", FaultKind)
def test_a_fault_hits_once_with_or_without_the_effect(kind: FaultKind) -> None:
    driver = faulty(Fault(kind=kind, operation="update_pool"))
    answer = driver.patch("/pools/p", BODY)
    if kind in ANSWERS:
        assert (answer.status, answer.code) == ANSWERS[kind]
    assert ("networkConfiguration" in driver.pool("p")) is (kind in EFFECTIVE)
    assert driver.patch("/pools/p", BODY).status == 200


def test_a_throttled_answer_says_when_to_come_back_only_if_told() -> None:
    driver = faulty(Fault(kind=FaultKind.THROTTLED, retry_after=7), Fault(kind=FaultKind.THROTTLED))
    assert [driver.get("/pools").headers.get("retry-after") for _ in range(2)] == ["7", None]


def test_a_fault_hits_the_operation_and_pool_it_names() -> None:
    driver = faulty(Fault(kind=FaultKind.SERVER_BUSY, operation="get_pool", pool="Q", count=0))
    statuses = [driver.get(path).status for path in ("/pools", "/pools/p", "/pools/q", "/pools/q/nodes", "/pools/q")]
    assert statuses == [200, 200, 503, 200, 503]
    driver.service.faults.clear()
    assert driver.get("/pools/q").status == 200


def test_a_stale_read_shows_a_pool_as_before_its_last_write_with_its_old_etag() -> None:
    driver = faulty()
    old = driver.pool("p")
    driver.patch("/pools/p", BODY)
    new = driver.pool("p")
    for operation in ("get_pool", "list_pools"):
        driver.service.faults.add(Fault(kind=FaultKind.STALE_READ, operation=operation))
    answer = driver.get("/pools/p")
    assert answer.document == old
    assert answer.headers["etag"] == old["eTag"] != new["eTag"]
    assert driver.get("/pools").document["value"][0]["eTag"] == old["eTag"]
    assert driver.pool("p") == new


def test_a_stale_read_of_a_pool_nobody_wrote_to_shows_it_as_it_is() -> None:
    driver = faulty()
    present = driver.pool("p")
    driver.service.faults.add(Fault(kind=FaultKind.STALE_READ))
    assert driver.pool("p") == present


def test_a_fault_skips_and_counts() -> None:
    driver = faulty(Fault(kind=FaultKind.SERVER_BUSY, skip=1, count=2))
    assert [driver.get("/pools").status for _ in range(4)] == [200, 503, 503, 200]


def test_a_fault_of_another_account_does_not_hit() -> None:
    assert faulty(Fault(kind=FaultKind.SERVER_BUSY, account="other")).get("/pools").status == 200


def test_requests_that_fail_are_logged_with_their_status() -> None:
    driver = faulty(Fault(kind=FaultKind.SERVER_BUSY))
    driver.get("/pools")
    driver.patch("/pools/p", BODY, if_match="*")
    entries = list(driver.service.requests)
    assert [(entry.operation, entry.status, entry.pool_id) for entry in entries] == [
        ("list_pools", 503, None),
        ("update_pool", 200, "p"),
    ]
    assert entries[1].json() == BODY
    assert entries[1].if_match == "*"
    assert driver.service.requests.writes() == entries[1:]
    assert driver.service.requests.of("list_pools", account="devaccount") == entries[:1]


@pytest.mark.parametrize(
    ("method", "path", "query", "status", "code"),
    [
        ("GET", "/nothing", "", 404, "ResourceNotFound"),
        ("PUT", "/pools/p", "", 405, "UnsupportedHttpVerb"),
        ("GET", "/pools", "api-version=2019-08-01.10.0", 400, "InvalidQueryParameterValue"),
    ],
)
def test_requests_nothing_is_known_about(method: str, path: str, query: str, status: int, code: str) -> None:
    answer = faulty().call(method, path, query=query)
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize("body", ["text", [1], 5])
def test_a_body_that_is_no_object_is_a_400(body: object) -> None:
    answer = faulty().patch("/pools/p", body)
    assert (answer.status, answer.code) == (400, "InvalidRequestBody")


def test_client_request_id_comes_back_when_asked_for() -> None:
    answer = faulty().get("/pools", **{"client-request-id": "abc", "return-client-request-id": "true"})
    assert answer.headers["client-request-id"] == "abc"
    assert "client-request-id" not in faulty().get("/pools", **{"client-request-id": "abc"}).headers
