"""`$filter`, `$select` and paging."""

from __future__ import annotations

import pytest

from batchemulator.wire.odata_filter import FilterError, parse_filter
from tests.batchemulator.driver import BASE_URL, Driver

ITEM: dict[str, object] = {
    "id": "render-1",
    "state": "active",
    "currentDedicatedNodes": 3,
    "enableAutoScale": False,
    "creationTime": "2026-02-03T00:00:21.5Z",
    "executionInfo": {"poolId": "p's"},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("id eq 'render-1'", True, id="equal text"),
        pytest.param("id ne 'render-1'", False, id="unequal text"),
        pytest.param("executionInfo/poolId eq 'p''s' and state eq 'active'", True, id="a path, a doubled quote, and"),
        pytest.param("state eq 'deleting' or currentDedicatedNodes gt 2", True, id="or with a number"),
        pytest.param("not (state eq 'active')", False, id="not with parentheses"),
        pytest.param("not state eq 'deleting' and enableAutoScale eq false", True, id="not binds closer than and"),
        pytest.param("state eq 'x' and state eq 'y' or id eq 'render-1'", True, id="and binds closer than or"),
        pytest.param("startswith(id,'REN')", True, id="startswith whatever the case"),
        pytest.param("startswith(missing, 'a')", False, id="startswith of what is missing"),
        pytest.param("creationTime lt datetime'2026-02-03T00:00:22Z'", True, id="an earlier instant"),
        pytest.param("creationTime ge DateTime'2026-02-03T00:00:22Z'", False, id="a later instant"),
        pytest.param("currentDedicatedNodes le 3", True, id="less or equal"),
        pytest.param("missing eq null", True, id="a missing property is null"),
        pytest.param("missing gt 3", False, id="a missing property compares with nothing"),
    ],
)
def test_filter_means_what_it_says(text: str, *, expected: bool) -> None:
    assert parse_filter(text)(ITEM) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "id",
        "id eq",
        "id like 'x'",
        "(id eq 'x'",
        "id eq 'x' extra",
        "id eq x",
        "# eq 1",
        "creationTime gt datetime'soon'",
        pytest.param("(" * 5000, id="nested too deeply"),
    ],
)
def test_a_filter_outside_the_subset_is_an_error(text: str) -> None:
    with pytest.raises(FilterError):
        parse_filter(text)


def test_a_bad_filter_is_a_400_that_names_it() -> None:
    answer = Driver().get("/pools", "$filter=id+like+'x'")
    assert (answer.status, answer.code) == (400, "InvalidQueryParameterValue")
    assert answer.values["QueryParameterName"] == "$filter"


def test_pages_join_to_the_whole_list_in_the_order_of_ids() -> None:
    driver = Driver()
    driver.seed(*({"id": name} for name in ("b", "A", "d", "c", "E")))
    pages: list[list[str]] = []
    query = "maxresults=2&$select=id"
    while query:
        answer = driver.get("/pools", query)
        pages.append(answer.ids)
        link = answer.document.get("odata.nextLink", "")
        assert not link or link.startswith(f"{BASE_URL}/pools?")
        query = link.partition("?")[2]
    assert pages == [["A", "b"], ["c", "d"], ["E"]]


def test_next_link_repeats_the_query_and_one_token() -> None:
    driver = Driver()
    driver.seed(*({"id": f"p{number}"} for number in range(3)))
    first = driver.get("/pools", "maxresults=1").document["odata.nextLink"]
    second = driver.get("/pools", first.partition("?")[2]).document["odata.nextLink"]
    for link in (first, second):
        assert link.count("$skiptoken=") == 1
        assert "maxresults=1" in link
        assert "api-version=2025-06-01" in link


def test_a_pool_made_between_two_pages_does_not_disturb_them() -> None:
    driver = Driver()
    driver.seed({"id": "a"}, {"id": "c"})
    link = driver.get("/pools", "maxresults=1").document["odata.nextLink"]
    driver.seed({"id": "b"})
    assert driver.get("/pools", link.partition("?")[2].replace("maxresults=1&", "")).ids == ["b", "c"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0", "MaxResults cannot be less than 1"),
        ("1001", "MaxResults cannot be greater than 1000"),
        ("many", "MaxResults must be an integer"),
    ],
)
def test_maxresults_out_of_range_is_a_400(text: str, reason: str) -> None:
    answer = Driver().get("/pools", f"maxresults={text}")
    assert (answer.status, answer.values["Reason"]) == (400, reason)


def test_a_foreign_skiptoken_is_a_400() -> None:
    assert Driver().get("/pools", "$skiptoken=%C3%A4").status == 400


def test_select_leaves_the_named_keys_whatever_else_is_asked() -> None:
    driver = Driver()
    driver.seed({"id": "a"})
    selected = driver.get("/pools/a", "$select=id,networkConfiguration/subnetId,nothing&$expand=stats&odd=1").document
    assert set(selected) == {"odata.metadata", "id"}
    assert driver.get("/pools/a", "$select=nothing").document.keys() == {"odata.metadata"}
