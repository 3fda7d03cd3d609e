from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.kubernetes.subject import Subject, fresh_name

if TYPE_CHECKING:
    from tests.contract.kubernetes.apiclient import ApiClient


async def test_applying_an_absent_object_creates_it_with_managed_fields(api: ApiClient, subject: Subject) -> None:
    policy = subject.policy(target=3)
    created = await api.apply(subject.path(policy), policy, "alpha")
    managed = created.body["metadata"]["managedFields"]
    assert created.code == 201
    assert [(entry["manager"], entry["operation"]) for entry in managed] == [("alpha", "Apply")]
    assert managed[0]["fieldsV1"]["f:spec"] == {"f:pool": {}, "f:target": {}}


async def test_applying_anothers_field_conflicts_until_forced(api: ApiClient, subject: Subject) -> None:
    name = fresh_name()
    path = f"{subject.policies}/{name}"
    await api.apply(path, subject.policy(name, target=3), "alpha")
    refused = await api.apply(path, subject.policy(name, target=9), "beta")
    assert (refused.code, refused.reason) == (409, "Conflict")
    assert refused.body["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "alpha"', "field": ".spec.target"}
    ]
    forced = await api.apply(path, subject.policy(name, target=9), "beta", force="true")
    assert (forced.code, forced.body["spec"]["target"]) == (200, 9)


async def test_a_field_that_its_owner_no_longer_applies_is_removed(api: ApiClient, subject: Subject) -> None:
    name = fresh_name()
    path = f"{subject.policies}/{name}"
    tiers = [{"name": "gold", "weight": 1}, {"name": "lead", "weight": 2}]
    await api.apply(path, subject.policy(name, minNodes=1, tiers=tiers), "alpha")
    changed = await api.apply(path, subject.policy(name, tiers=tiers[:1]), "alpha")
    assert changed.code == 200
    assert "minNodes" not in changed.body["spec"]
    assert changed.body["spec"]["tiers"] == tiers[:1]
