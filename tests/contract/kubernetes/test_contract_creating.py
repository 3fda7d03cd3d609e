from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.kubernetes.capabilities import Capability
from tests.contract.kubernetes.subject import Subject, fresh_name

if TYPE_CHECKING:
    from tests.contract.kubernetes.apiclient import Answer, ApiClient


def _caused_fields(answer: Answer) -> set[str]:
    return {cause["field"] for cause in answer.body["details"]["causes"]}


async def test_a_created_object_gets_its_system_metadata(api: ApiClient, subject: Subject) -> None:
    created = await api.post(subject.policies, subject.policy())
    metadata = created.body["metadata"]
    assert created.code == 201
    assert {"uid", "creationTimestamp", "resourceVersion"} <= metadata.keys()
    assert metadata["generation"] == 1
    assert metadata["namespace"] == subject.namespace


async def test_absent_fields_get_their_defaults(api: ApiClient, subject: Subject) -> None:
    spec = (await api.post(subject.policies, subject.policy(tiers=[{"name": "gold"}]))).body["spec"]
    assert (spec["mode"], spec["target"], spec["tiers"]) == ("Audit", 1, [{"name": "gold", "weight": 10}])


async def test_unknown_fields_are_pruned(api: ApiClient, subject: Subject) -> None:
    created = await api.post(subject.policies, subject.policy(junk=1), fieldValidation="Ignore")
    assert created.code == 201
    assert "junk" not in created.body["spec"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("pool", "Not A Pool", id="a pattern that is not matched"),
        pytest.param("mode", "Whatever", id="a value outside the enumeration"),
        pytest.param("target", -1, id="a number below the minimum"),
        pytest.param("target", "three", id="a string for a number"),
    ],
)
async def test_an_invalid_value_is_refused_naming_its_field(
    api: ApiClient, subject: Subject, field: str, value: object
) -> None:
    refused = await api.post(subject.policies, subject.policy() | {"spec": {"pool": "pool-a", field: value}})
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert f"spec.{field}" in _caused_fields(refused)
    assert f"spec.{field}" in refused.message


async def test_all_errors_of_an_object_are_told_at_once(api: ApiClient, subject: Subject) -> None:
    refused = await api.post(subject.policies, subject.policy(pool="Not A Pool", target=101))
    assert {"spec.pool", "spec.target"} <= _caused_fields(refused)


async def test_a_missing_required_field_is_refused(api: ApiClient, subject: Subject) -> None:
    refused = await api.post(subject.policies, {**subject.policy(), "spec": {}})
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert "spec.pool: Required value" in refused.message


@pytest.mark.needs(Capability.CEL)
async def test_a_broken_rule_is_refused_with_its_message(api: ApiClient, subject: Subject) -> None:
    refused = await api.post(subject.policies, subject.policy(minNodes=5, maxNodes=2))
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert "minNodes must not exceed maxNodes" in refused.message


@pytest.mark.needs(Capability.CEL)
async def test_a_transition_rule_refuses_a_change_and_not_a_creation(api: ApiClient, subject: Subject) -> None:
    policy = subject.policy()
    assert (await api.post(subject.policies, policy)).code == 201
    refused = await api.merge(subject.path(policy), {"spec": {"pool": "pool-b"}})
    assert refused.code == 422
    assert "pool is immutable" in refused.message


async def test_a_name_cannot_be_taken_twice(api: ApiClient, subject: Subject) -> None:
    policy = subject.policy()
    await api.post(subject.policies, policy)
    refused = await api.post(subject.policies, policy)
    assert (refused.code, refused.reason) == (409, "AlreadyExists")


async def test_an_invalid_name_is_refused(api: ApiClient, subject: Subject) -> None:
    refused = await api.post(subject.policies, subject.policy("Not_A_Name"))
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert "metadata.name" in _caused_fields(refused)


async def test_a_name_is_generated_from_a_prefix(api: ApiClient, subject: Subject) -> None:
    policy = {**subject.policy(), "metadata": {"generateName": "made-"}}
    names = {(await api.post(subject.policies, policy)).body["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("made-") and len(name) == len("made-") + 5 for name in names)


@pytest.mark.needs(Capability.NAMESPACE_CHECK)
async def test_a_missing_namespace_is_not_found(api: ApiClient, subject: Subject) -> None:
    elsewhere = subject.policies.replace(subject.namespace, "no-such-namespace")
    refused = await api.post(elsewhere, subject.policy())
    assert (refused.code, refused.reason) == (404, "NotFound")


async def test_a_namespace_other_than_the_paths_is_refused(api: ApiClient, subject: Subject) -> None:
    policy = subject.policy()
    policy["metadata"]["namespace"] = "elsewhere"
    assert (await api.post(subject.policies, policy)).code == 400


async def test_a_dry_run_stores_nothing(api: ApiClient, subject: Subject) -> None:
    policy = subject.policy()
    answer = await api.post(subject.policies, policy, dryRun="All")
    assert (answer.code, answer.body["spec"]["mode"]) == (201, "Audit")
    assert (await api.get(subject.path(policy))).code == 404


@pytest.mark.needs(Capability.STRICT_FIELDS)
async def test_strict_field_validation_refuses_unknown_fields(api: ApiClient, subject: Subject) -> None:
    refused = await api.post(subject.policies, subject.policy(junk=1), fieldValidation="Strict")
    assert (refused.code, refused.reason) == (400, "BadRequest")
    assert 'unknown field "spec.junk"' in refused.message


@pytest.mark.needs(Capability.STRICT_FIELDS)
async def test_field_validation_by_warning_tells_unknown_fields(api: ApiClient, subject: Subject) -> None:
    answer = await api.post(subject.policies, subject.policy(junk=1), fieldValidation="Warn")
    assert answer.code == 201
    assert answer.headers["Warning"] == '299 - "unknown field \\"spec.junk\\""'


async def test_a_yaml_body_is_accepted(api: ApiClient, subject: Subject) -> None:
    name = fresh_name()
    text = f"apiVersion: {subject.group}/v1\nkind: Policy\nmetadata: {{name: {name}}}\nspec: {{pool: pool-a}}\n"
    created = await api.call("POST", subject.policies, text.encode(), content_type="application/yaml")
    assert (created.code, created.body["metadata"]["name"]) == (201, name)
