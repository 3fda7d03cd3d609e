from __future__ import annotations

import pytest

from tests.contract.kubernetes.apiclient import Answer, ApiClient, until
from tests.contract.kubernetes.subject import Subject, fresh_name

FINALIZER = "contract.example.com/hold"


@pytest.fixture
async def held(api: ApiClient, subject: Subject) -> Answer:
    """A policy with a finalizer, deleted and so marked."""
    policy = subject.policy()
    policy["metadata"]["finalizers"] = [FINALIZER]
    await api.post(subject.policies, policy)
    return await api.delete(subject.path(policy))


async def test_deleting_an_object_with_a_finalizer_only_marks_it(
    api: ApiClient, subject: Subject, held: Answer
) -> None:
    metadata = (await api.get(subject.path(held.body))).body["metadata"]
    assert metadata["deletionTimestamp"]
    assert metadata["generation"] == 2
    await api.merge(subject.path(held.body), {"metadata": {"finalizers": None}})


async def test_a_finalizer_cannot_be_added_to_a_marked_object(api: ApiClient, subject: Subject, held: Answer) -> None:
    more = {"metadata": {"finalizers": [FINALIZER, "contract.example.com/late"]}}
    refused = await api.merge(subject.path(held.body), more)
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert "no new finalizers can be added if the object is being deleted" in refused.message
    await api.merge(subject.path(held.body), {"metadata": {"finalizers": None}})


async def test_removing_the_last_finalizer_deletes_the_object(api: ApiClient, subject: Subject, held: Answer) -> None:
    released = await api.merge(subject.path(held.body), {"metadata": {"finalizers": None}})
    assert released.code == 200
    assert (await api.get(subject.path(held.body))).code == 404
    events = await api.watch(
        subject.policies,
        bool,
        resourceVersion=held.version,
        fieldSelector=f"metadata.name={held.body['metadata']['name']}",
    )
    assert events[0]["type"] == "DELETED"


async def test_a_uid_precondition_that_does_not_hold_conflicts(api: ApiClient, subject: Subject) -> None:
    policy = subject.policy()
    await api.post(subject.policies, policy)
    refused = await api.delete(subject.path(policy), {"preconditions": {"uid": "another"}})
    assert (refused.code, refused.reason) == (409, "Conflict")
    assert (await api.get(subject.path(policy))).code == 200


async def test_a_deletion_answers_with_success(api: ApiClient, subject: Subject) -> None:
    policy = subject.policy()
    await api.post(subject.policies, policy)
    deleted = await api.delete(subject.path(policy))
    assert (deleted.code, deleted.body["kind"], deleted.body["status"]) == (200, "Status", "Success")


async def test_a_missing_object_cannot_be_deleted(api: ApiClient, subject: Subject) -> None:
    refused = await api.delete(f"{subject.policies}/{fresh_name()}")
    assert (refused.code, refused.reason) == (404, "NotFound")


async def test_a_collection_is_deleted_by_its_labels(api: ApiClient, subject: Subject) -> None:
    mark = fresh_name()
    kept = subject.policy()
    await api.post(subject.policies, kept)
    for _ in range(3):
        await api.post(subject.policies, subject.policy(labels={"mark": mark}))
    assert (await api.delete(subject.policies, labelSelector=f"mark={mark}")).code == 200

    async def are_gone() -> bool:
        return not (await api.get(subject.policies, labelSelector=f"mark={mark}")).body["items"]

    await until(are_gone)
    assert (await api.get(subject.path(kept))).code == 200
