from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.kubernetes.apiclient import JSON_PATCH, STRATEGIC, Answer, ApiClient

if TYPE_CHECKING:
    from tests.contract.kubernetes.subject import Subject


@pytest.fixture
async def policy(api: ApiClient, subject: Subject) -> Answer:
    created = await api.post(subject.policies, subject.policy())
    assert created.code == 201
    return created


async def test_changing_the_spec_raises_generation_and_version(
    api: ApiClient, subject: Subject, policy: Answer
) -> None:
    changed = await api.merge(subject.path(policy.body), {"spec": {"target": 7}})
    assert changed.body["spec"]["target"] == 7
    assert changed.body["metadata"]["generation"] == 2
    assert changed.version != policy.version


async def test_changing_labels_raises_the_version_only(api: ApiClient, subject: Subject, policy: Answer) -> None:
    changed = await api.merge(subject.path(policy.body), {"metadata": {"labels": {"team": "render"}}})
    assert changed.body["metadata"]["generation"] == 1
    assert changed.version != policy.version


async def test_a_patch_that_changes_nothing_keeps_the_version(api: ApiClient, subject: Subject, policy: Answer) -> None:
    same = await api.merge(subject.path(policy.body), {"spec": {"pool": "pool-a"}})
    assert (same.code, same.version) == (200, policy.version)


async def test_the_main_endpoint_ignores_the_status(api: ApiClient, subject: Subject, policy: Answer) -> None:
    changed = await api.merge(subject.path(policy.body), {"status": {"state": "Busy"}, "spec": {"target": 5}})
    assert changed.body["spec"]["target"] == 5
    assert "status" not in changed.body


async def test_the_status_endpoint_changes_nothing_but_the_status(
    api: ApiClient, subject: Subject, policy: Answer
) -> None:
    body = {**policy.body, "status": {"state": "Busy"}, "spec": {"pool": "pool-a", "target": 99}}
    changed = await api.put(f"{subject.path(policy.body)}/status", body)
    assert changed.code == 200
    assert changed.body["status"] == {"state": "Busy"}
    assert changed.body["spec"]["target"] == 1
    assert changed.body["metadata"]["generation"] == 1


async def test_an_invalid_status_is_refused(api: ApiClient, subject: Subject, policy: Answer) -> None:
    refused = await api.merge(f"{subject.path(policy.body)}/status", {"status": {"state": "Asleep"}})
    assert (refused.code, refused.reason) == (422, "Invalid")


async def test_replacing_an_older_version_conflicts(api: ApiClient, subject: Subject, policy: Answer) -> None:
    await api.merge(subject.path(policy.body), {"spec": {"target": 2}})
    refused = await api.put(subject.path(policy.body), policy.body)
    assert (refused.code, refused.reason) == (409, "Conflict")


async def test_replacing_without_a_version_is_refused(api: ApiClient, subject: Subject, policy: Answer) -> None:
    body = subject.policy(policy.body["metadata"]["name"])
    refused = await api.put(subject.path(policy.body), body)
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert "metadata.resourceVersion" in refused.message


async def test_replacing_the_present_version_succeeds(api: ApiClient, subject: Subject, policy: Answer) -> None:
    body = {**policy.body, "spec": {"pool": "pool-a", "target": 8}}
    changed = await api.put(subject.path(policy.body), body)
    assert (changed.code, changed.body["spec"]["target"]) == (200, 8)


async def test_a_merge_patch_of_an_older_version_conflicts(api: ApiClient, subject: Subject, policy: Answer) -> None:
    await api.merge(subject.path(policy.body), {"spec": {"target": 2}})
    stale = {"metadata": {"resourceVersion": policy.version}, "spec": {"target": 3}}
    refused = await api.merge(subject.path(policy.body), stale)
    assert (refused.code, refused.reason) == (409, "Conflict")


async def test_a_json_patch_whose_test_fails_is_unprocessable(api: ApiClient, subject: Subject, policy: Answer) -> None:
    operations = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": "1"},
        {"op": "replace", "path": "/spec/target", "value": 4},
    ]
    refused = await api.call("PATCH", subject.path(policy.body), operations, content_type=JSON_PATCH)
    assert refused.code == 422
    assert (await api.get(subject.path(policy.body))).body["spec"]["target"] == 1


async def test_a_json_patch_is_applied(api: ApiClient, subject: Subject, policy: Answer) -> None:
    operations = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": policy.version},
        {"op": "replace", "path": "/spec/target", "value": 4},
        {"op": "add", "path": "/metadata/labels", "value": {"a/b": "c"}},
        {"op": "remove", "path": "/metadata/labels/a~1b"},
        {"op": "add", "path": "/spec/tiers", "value": []},
        {"op": "add", "path": "/spec/tiers/-", "value": {"name": "gold"}},
    ]
    changed = await api.call("PATCH", subject.path(policy.body), operations, content_type=JSON_PATCH)
    assert changed.code == 200
    assert changed.body["spec"]["target"] == 4
    assert changed.body["spec"]["tiers"] == [{"name": "gold", "weight": 10}]


async def test_a_strategic_merge_patch_of_a_custom_resource_is_unsupported(
    api: ApiClient, subject: Subject, policy: Answer
) -> None:
    refused = await api.call("PATCH", subject.path(policy.body), {"spec": {}}, content_type=STRATEGIC)
    assert refused.code == 415
