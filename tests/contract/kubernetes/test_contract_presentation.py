from __future__ import annotations

import pytest

from tests.contract.kubernetes.apiclient import ApiClient, until
from tests.contract.kubernetes.capabilities import Capability
from tests.contract.kubernetes.subject import Json, Subject, fresh_name

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
PARTIAL = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"


async def test_a_table_has_the_columns_of_the_definition(api: ApiClient, subject: Subject) -> None:
    policy = subject.policy()
    await api.post(subject.policies, policy)
    condition = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    await api.merge(f"{subject.path(policy)}/status", condition)
    name = policy["metadata"]["name"]
    table = (await api.get(subject.policies, accept=TABLE, fieldSelector=f"metadata.name={name}")).body
    assert table["kind"] == "Table"
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Pool", "Ready", "Age"]
    assert table["rows"][0]["cells"][:3] == [name, "pool-a", "True"]
    assert table["rows"][0]["object"]["metadata"]["name"] == name


async def test_a_list_of_metadata_only_has_no_specs(api: ApiClient, subject: Subject) -> None:
    mark = fresh_name()
    await api.post(subject.policies, subject.policy(labels={"mark": mark}))
    listed = (await api.get(subject.policies, accept=PARTIAL, labelSelector=f"mark={mark}")).body
    assert listed["kind"] == "PartialObjectMetadataList"
    assert [item["metadata"]["labels"] for item in listed["items"]] == [{"mark": mark}]
    assert "spec" not in listed["items"][0]


def _described(schemas: Json, group: str) -> bool:
    for schema in schemas.values():
        kinds = schema.get("x-kubernetes-group-version-kind", [])
        if {"group": group, "version": "v1", "kind": "Policy"} in kinds and "spec" in schema.get("properties", {}):
            return bool(schema["properties"]["spec"]["properties"]["pool"]["description"] == "The pool.")
    return False


@pytest.mark.needs(Capability.OPENAPI_V2)
async def test_the_openapi_v2_document_has_the_schema(api: ApiClient, subject: Subject) -> None:
    async def has_schema() -> bool:
        return _described((await api.get("/openapi/v2")).body["definitions"], subject.group)

    await until(has_schema, seconds=60)


@pytest.mark.needs(Capability.OPENAPI_V3)
async def test_the_openapi_v3_document_of_the_group_has_the_schema(api: ApiClient, subject: Subject) -> None:
    place = f"apis/{subject.group}/v1"

    async def has_schema() -> bool:
        index = (await api.get("/openapi/v3")).body["paths"]
        if place not in index:
            return False
        document = (await api.get(f"/openapi/v3/{place}")).body
        return _described(document["components"]["schemas"], subject.group)

    await until(has_schema, seconds=60)
