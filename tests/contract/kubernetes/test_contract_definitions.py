from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.kubernetes.apiclient import ApiClient, until
from tests.contract.kubernetes.subject import Subject, definition

if TYPE_CHECKING:
    from tests.contract.kubernetes.subject import Json


def _is_established(body: Json) -> bool:
    conditions = body.get("status", {}).get("conditions") or []
    return any(entry["type"] == "Established" and entry["status"] == "True" for entry in conditions)


async def test_a_posted_definition_is_created_and_becomes_established(api: ApiClient, subject: Subject) -> None:
    extra = definition(subject.group, "ledgers", "Ledger")
    path = f"{subject.definitions}/ledgers.{subject.group}"
    assert (await api.post(subject.definitions, extra)).code == 201

    async def established() -> bool:
        return _is_established((await api.get(path)).body)

    await until(established)
    assert (await api.delete(path)).code == 200


async def test_the_group_and_version_of_a_definition_are_discoverable(api: ApiClient, subject: Subject) -> None:
    groups = (await api.get("/apis")).body["groups"]
    assert subject.group in {group["name"] for group in groups}
    resources = (await api.get(f"/apis/{subject.group}/v1")).body["resources"]
    # Definitions that other checks have deleted may still be told of: a real server takes a moment.
    found = {entry["name"]: entry["kind"] for entry in resources if entry["kind"] == "Policy"}
    assert found == {"policies": "Policy", "policies/status": "Policy"}


async def test_deleting_a_definition_removes_its_objects_and_its_endpoint(api: ApiClient, subject: Subject) -> None:
    extra = definition(subject.group, "drafts", "Draft")
    drafts = f"/apis/{subject.group}/v1/namespaces/{subject.namespace}/drafts"
    await api.post(subject.definitions, extra)

    async def created() -> bool:
        draft = {**subject.policy("d1"), "kind": "Draft"}
        return (await api.post(drafts, draft)).code == 201

    await until(created)
    assert (await api.delete(f"{subject.definitions}/drafts.{subject.group}")).code == 200

    async def endpoint_is_gone() -> bool:
        return (await api.get(drafts)).code == 404

    await until(endpoint_is_gone)

    async def definition_is_gone() -> bool:
        return (await api.get(f"{subject.definitions}/drafts.{subject.group}")).code == 404

    await until(definition_is_gone)
    await api.post(subject.definitions, extra)

    async def served_again() -> list[Json]:
        answer = await api.get(drafts)
        return [answer.body] if answer.code == 200 else []

    assert (await until(served_again))[0]["items"] == []
    await api.delete(f"{subject.definitions}/drafts.{subject.group}")
