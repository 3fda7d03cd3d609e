"""One operation's view of its request, and the forms its answer can take."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson

from batchemulator.state.pool import PoolState, pool_key
from batchemulator.wire.conditions import check_conditions
from batchemulator.wire.errors import ErrorCode, ServiceError, invalid_body
from batchemulator.wire.messages import Response
from batchemulator.wire.times import format_http_date

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from batchemulator.assumptions import Assumptions
    from batchemulator.state.account import AccountState
    from batchemulator.state.jobs import Job, Task
    from batchemulator.state.nodes import Node
    from batchemulator.state.pool import Pool
    from batchemulator.versions import ApiVersion
    from batchemulator.wire.messages import JsonObject, Request


class Identity(StrEnum):
    """How the caller proved who it is."""

    SHARED_KEY = "shared-key"
    TOKEN = "token"  # noqa: S105 - the kind of a credential, not one


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An authenticated request to one account in a served api-version."""

    request: Request
    account: AccountState
    version: ApiVersion
    identity: Identity
    now: datetime
    parameters: Mapping[str, str]
    """The variable segments of the path, decoded, by name."""
    query: Mapping[str, str]
    stale: bool = False
    """Whether pools are shown as they were before their last write."""

    @property
    def assumptions(self) -> Assumptions:
        """What is assumed about the service."""
        return self.account.assumptions

    def body(self) -> JsonObject:
        """The JSON object the request carries, without its null members: null is how a client says nothing.

        Raises:
            ServiceError: InvalidRequestBody.
        """
        try:
            document = orjson.loads(self.request.body)
        except orjson.JSONDecodeError:
            raise invalid_body("The request body is not valid JSON") from None
        if not isinstance(document, dict):
            raise invalid_body("The request body must be a JSON object")
        said: JsonObject = _without_nulls(document)
        return said

    def pool(self) -> Pool:
        """The pool the path names.

        Raises:
            ServiceError: PoolNotFound.
        """
        pool = self.account.pools.get(self.parameters["pool_id"])
        if pool is None:
            raise ServiceError(code=ErrorCode.POOL_NOT_FOUND)
        return pool

    def shown(self, pool: Pool) -> Pool:
        """The pool as a read of it is answered."""
        return pool.earlier or pool if self.stale else pool

    def pool_to_change(self) -> Pool:
        """The pool the path names, if it is not being deleted and the request's conditions hold.

        Raises:
            ServiceError: PoolNotFound, PoolBeingDeleted or ConditionNotMet.
        """
        pool = self.pool()
        if pool.state is PoolState.DELETING:
            raise ServiceError(code=ErrorCode.POOL_BEING_DELETED)
        self.check_conditions(pool.etag, pool.modified)
        return pool

    def node(self, pool: Pool) -> Node:
        """The node the path names.

        Raises:
            ServiceError: NodeNotFound.
        """
        for node in pool.nodes:
            if node.id == self.parameters["node_id"]:
                return node
        raise ServiceError(code=ErrorCode.NODE_NOT_FOUND)

    def job(self) -> Job:
        """The job the path names.

        Raises:
            ServiceError: JobNotFound.
        """
        job = self.account.jobs.get(pool_key(self.parameters["job_id"]))
        if job is None:
            raise ServiceError(code=ErrorCode.JOB_NOT_FOUND)
        return job

    def task(self, job: Job) -> Task:
        """The task the path names.

        Raises:
            ServiceError: TaskNotFound.
        """
        task = job.tasks.get(pool_key(self.parameters["task_id"]))
        if task is None:
            raise ServiceError(code=ErrorCode.TASK_NOT_FOUND)
        return task

    def check_conditions(self, etag: str, modified: datetime) -> None:
        """Whether If-Match and its kin hold.

        Raises:
            ServiceError: ConditionNotMet.
        """
        check_conditions(self.request, etag=etag, modified=modified, form=self.assumptions.if_match_form)


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def version_headers(etag: str, modified: datetime) -> dict[str, str]:
    """The headers that tell a resource's version; the ETag is bare on the wire (recorded)."""
    return {"etag": etag, "last-modified": format_http_date(modified)}


def service_id(call: Call) -> dict[str, str]:
    """The `DataServiceId` header: the request's own URL without query."""
    return {"dataserviceid": call.request.url()}


def changed(call: Call, status: int, etag: str, modified: datetime) -> Response:
    """The bodyless answer to a write, with the resource's new version."""
    return Response(status=status, headers=service_id(call) | version_headers(etag, modified))


def created(call: Call, resource_id: str, etag: str, modified: datetime) -> Response:
    """The bodyless 201 of a creation."""
    location = f"{call.request.url()}/{resource_id}"
    headers = {"dataserviceid": location, "location": location} | version_headers(etag, modified)
    return Response(status=201, headers=headers)


def document(call: Call, body: JsonObject, headers: Mapping[str, str] | None = None) -> Response:
    """A 200 with a JSON document."""
    return raw_document(call, orjson.dumps(body), headers)


def raw_document(call: Call, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """A 200 with a JSON document that is serialised already."""
    return Response(status=200, headers={"content-type": call.version.content_type, **(headers or {})}, body=body)


def metadata_url(call: Call, fragment: str) -> str:
    """The `odata.metadata` value of a document."""
    return f"{call.request.base_url}/$metadata#{fragment}"
