from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.kubernetes.subject import Json, Subject, fresh_name

if TYPE_CHECKING:
    from tests.contract.kubernetes.apiclient import ApiClient


@pytest.fixture
async def mark(api: ApiClient, subject: Subject) -> str:
    """A label value of four policies, numbered and coloured."""
    value = fresh_name()
    for number, colour in enumerate(["red", "green", "blue"]):
        await api.post(subject.policies, subject.policy(f"{value}-{number}", labels={"mark": value, "colour": colour}))
    await api.post(subject.policies, subject.policy(f"{value}-3", labels={"mark": value}))
    return value


def _numbers(body: Json) -> list[str]:
    return [item["metadata"]["name"].rpartition("-")[2] for item in body["items"]]


async def test_a_list_has_its_kind_a_version_and_typed_items(api: ApiClient, subject: Subject, mark: str) -> None:
    listed = (await api.get(subject.policies, labelSelector=f"mark={mark}")).body
    assert (listed["kind"], listed["apiVersion"]) == ("PolicyList", f"{subject.group}/v1")
    assert listed["metadata"]["resourceVersion"].isdecimal()
    assert {(item["kind"], item["apiVersion"]) for item in listed["items"]} == {("Policy", f"{subject.group}/v1")}


async def test_a_list_is_read_in_pages(api: ApiClient, subject: Subject, mark: str) -> None:
    first = (await api.get(subject.policies, labelSelector=f"mark={mark}", limit="3")).body
    token = first["metadata"]["continue"]
    second = (await api.get(subject.policies, labelSelector=f"mark={mark}", limit="3", **{"continue": token})).body
    assert (_numbers(first), _numbers(second)) == (["0", "1", "2"], ["3"])
    assert not second["metadata"].get("continue")


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        pytest.param("colour=red", ["0"], id="equal"),
        pytest.param("colour!=red", ["1", "2", "3"], id="not equal, absent included"),
        pytest.param("colour in (red, blue)", ["0", "2"], id="one of several"),
        pytest.param("colour notin (red, blue)", ["1", "3"], id="none of several, absent included"),
        pytest.param("colour", ["0", "1", "2"], id="present"),
        pytest.param("!colour", ["3"], id="absent"),
    ],
)
async def test_labels_select(api: ApiClient, subject: Subject, mark: str, selector: str, expected: list[str]) -> None:
    listed = await api.get(subject.policies, labelSelector=f"mark={mark},{selector}")
    assert _numbers(listed.body) == expected


async def test_the_name_selects_as_a_field(api: ApiClient, subject: Subject, mark: str) -> None:
    listed = await api.get(subject.policies, fieldSelector=f"metadata.name={mark}-1")
    assert _numbers(listed.body) == ["1"]


async def test_selecting_by_an_unsupported_field_is_refused(api: ApiClient, subject: Subject) -> None:
    assert (await api.get(subject.policies, fieldSelector="spec.target=1")).code == 400


async def test_an_integer_parameter_that_is_none_is_refused(api: ApiClient, subject: Subject) -> None:
    refused = await api.get(subject.policies, watch="1", timeoutSeconds="60.0")
    assert refused.code == 400
    assert "strconv.ParseInt" in refused.message
