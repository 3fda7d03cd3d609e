from __future__ import annotations

import pytest

from tests.contract.kubernetes.apiclient import ApiClient, until
from tests.contract.kubernetes.capabilities import Capability
from tests.contract.kubernetes.subject import Json, Subject, fresh_name

pytestmark = pytest.mark.needs(Capability.CORE_KINDS)
RBAC = "/apis/rbac.authorization.k8s.io/v1"


async def test_events_are_posted_with_generated_names(api: ApiClient, subject: Subject) -> None:
    event = {  # without its type, as kopf sends it
        "metadata": {"generateName": "contract-", "namespace": subject.namespace},
        "involvedObject": {"kind": "Policy", "name": (name := fresh_name()), "namespace": subject.namespace},
        "reason": "Checked",
        "message": "all is well",
        "type": "Normal",
    }
    events = f"/api/v1/namespaces/{subject.namespace}/events"
    assert (await api.post(events, event)).code == 201
    listed = (await api.get(events, fieldSelector=f"involvedObject.name={name}")).body["items"]
    assert [(item["reason"], item["message"]) for item in listed] == [("Checked", "all is well")]
    newer = f"/apis/events.k8s.io/v1/namespaces/{subject.namespace}/events/{listed[0]['metadata']['name']}"
    assert (await api.get(newer)).body["note"] == "all is well"


async def test_namespaces_are_created_listed_and_deleted_with_their_content(api: ApiClient, subject: Subject) -> None:
    name = f"ns-{fresh_name()}"
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    assert (await api.post("/api/v1/namespaces", namespace)).code == 201
    listed = (await api.get("/api/v1/namespaces")).body["items"]
    assert name in {item["metadata"]["name"] for item in listed}
    policies = subject.policies.replace(subject.namespace, name)
    assert (await api.post(policies, subject.policy())).code == 201
    assert (await api.delete(f"/api/v1/namespaces/{name}")).code == 200

    async def is_gone() -> bool:
        return (await api.get(f"/api/v1/namespaces/{name}")).code == 404

    await until(is_gone, seconds=60)
    assert (await api.get(policies)).body["items"] == []


async def test_a_bad_token_is_unauthorized(api: ApiClient) -> None:
    refused = await api.with_token("no-such-token").get("/api/v1/namespaces")
    assert (refused.code, refused.reason) == (401, "Unauthorized")


async def _account(api: ApiClient, subject: Subject) -> tuple[str, ApiClient]:
    name = fresh_name()
    accounts = f"/api/v1/namespaces/{subject.namespace}/serviceaccounts"
    await api.post(accounts, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}})
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    token = (await api.post(f"{accounts}/{name}/token", request)).body["status"]["token"]
    return name, api.with_token(token)


async def _grant(api: ApiClient, subject: Subject, account: str) -> None:
    rules = [{"apiGroups": [subject.group], "resources": ["policies"], "verbs": ["list"]}]
    role: Json = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": account}}
    binding = {
        **role,
        "kind": "RoleBinding",
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": account},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": subject.namespace}],
    }
    within = f"{RBAC}/namespaces/{subject.namespace}"
    assert (await api.post(f"{within}/roles", {**role, "rules": rules})).code == 201
    assert (await api.post(f"{within}/rolebindings", binding)).code == 201


@pytest.mark.needs(Capability.ROLES)
async def test_who_has_no_role_is_forbidden_until_one_is_bound(api: ApiClient, subject: Subject) -> None:
    name, other = await _account(api, subject)
    refused = await other.get(subject.policies)
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert f'User "system:serviceaccount:{subject.namespace}:{name}" cannot list resource "policies"' in refused.message
    await _grant(api, subject, name)

    async def may_list() -> bool:
        return (await other.get(subject.policies)).code == 200

    await until(may_list)
    assert (await other.post(subject.policies, subject.policy())).code == 403


@pytest.mark.needs(Capability.ROLES)
async def test_a_caller_can_ask_what_it_may_do(api: ApiClient, subject: Subject) -> None:
    name, other = await _account(api, subject)
    await _grant(api, subject, name)

    async def may(verb: str) -> bool:
        attributes = {"group": subject.group, "resource": "policies", "verb": verb, "namespace": subject.namespace}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = await other.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        return bool(answer.body["status"]["allowed"])

    await until(lambda: may("list"))
    assert not await may("delete")
