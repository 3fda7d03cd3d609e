"""Tasks: creating, listing, ending them."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from batchemulator.operations.call import Call, created, document, metadata_url, service_id, version_headers
from batchemulator.operations.lists import list_documents
from batchemulator.operations.shapes import TASK_SHAPE, check_shape
from batchemulator.state.job_transitions import end_task
from batchemulator.state.jobs import Job, JobState, Task, TaskState, render_task
from batchemulator.state.pool import pool_key
from batchemulator.state.scheduling import dispatch
from batchemulator.wire.errors import ErrorCode, ServiceError, invalid_property, missing_property
from batchemulator.wire.messages import Response
from batchemulator.wire.odata_query import select_of
from batchemulator.wire.times import format_instant, parse_duration

if TYPE_CHECKING:
    from batchemulator.wire.messages import JsonObject

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MAX_COLLECTION = 100


def list_tasks(call: Call) -> Response:
    """GET /jobs/{id}/tasks."""
    job = call.job()
    base_url = call.request.base_url
    entries = [(key, partial(render_task, job, task, base_url)) for key, task in job.tasks.items()]
    return list_documents(call, "tasks", entries)


def get_task(call: Call) -> Response:
    """GET /jobs/{id}/tasks/{task}."""
    job = call.job()
    task = call.task(job)
    call.check_conditions(task.etag, task.modified)
    shown = render_task(job, task, call.request.base_url)
    select = select_of(call.query)
    if select is not None:
        shown = {key: value for key, value in shown.items() if key in select}
    headers = version_headers(task.etag, task.modified)
    return document(call, {"odata.metadata": metadata_url(call, "tasks/@Element"), **shown}, headers)


def create_task(call: Call) -> Response:
    """POST /jobs/{id}/tasks."""
    body = call.body()
    _check_task(body)
    job = _job_taking_tasks(call)
    task = _add(call, job, body)
    _dispatch(call, job)
    return created(call, task.id, task.etag, task.modified)


def create_task_collection(call: Call) -> Response:
    """POST /jobs/{id}/addtaskcollection: 200 with one verdict per task."""
    tasks = call.body().get("value")
    if not isinstance(tasks, list):
        raise missing_property("value")
    if len(tasks) > _MAX_COLLECTION:
        raise invalid_property("value", len(tasks), f"At most {_MAX_COLLECTION} tasks can be added at a time")
    for body in tasks:
        _check_task(body)
    job = _job_taking_tasks(call)
    results = [_added(call, job, body) for body in tasks]
    _dispatch(call, job)
    return document(call, {"odata.metadata": metadata_url(call, "taskaddresult"), "value": results})


def _added(call: Call, job: Job, body: JsonObject) -> JsonObject:
    try:
        task = _add(call, job, body)
    except ServiceError as error:
        verdict = error.body(base_url=call.request.base_url, request_id="none", now=call.now)
        verdict.pop("odata.metadata")
        return {"taskId": body["id"], "status": "clienterror", "error": verdict}
    return {
        "taskId": task.id,
        "status": "success",
        "eTag": task.etag,
        "lastModified": format_instant(task.modified),
        "location": f"{call.request.base_url}/jobs/{job.id}/tasks/{task.id}",
    }


def _check_task(body: JsonObject) -> None:
    check_shape("task", body, TASK_SHAPE)
    for required in ("id", "commandLine"):
        if body.get(required) is None:
            raise missing_property(required)
    if not _ID.fullmatch(str(body["id"])):
        raise invalid_property("id", body["id"], "The id must be 1 to 64 letters, digits, '-' or '_'")
    retention = (body.get("constraints") or {}).get("retentionTime")
    if retention is not None:
        try:
            parse_duration(str(retention))
        except ValueError:
            raise invalid_property("retentionTime", retention, "The value must be an ISO 8601 duration") from None


def _job_taking_tasks(call: Call) -> Job:
    job = call.job()
    if job.state in {JobState.TERMINATING, JobState.COMPLETED}:
        raise ServiceError(code=ErrorCode.JOB_COMPLETED)
    if job.state is JobState.DELETING:
        raise ServiceError(code=ErrorCode.JOB_BEING_DELETED)
    return job


def _add(call: Call, job: Job, body: JsonObject) -> Task:
    key = pool_key(body["id"])
    if key in job.tasks:
        raise ServiceError(code=ErrorCode.TASK_EXISTS)
    task = Task(
        id=body["id"],
        serial=call.account.next_serial(),
        created=call.now,
        modified=call.now,
        etag=call.account.next_etag(call.now),
        settings={name: value for name, value in body.items() if name != "id" and value is not None},
        state_changed=call.now,
    )
    job.tasks[key] = task
    return task


def terminate_task(call: Call) -> Response:
    """POST /jobs/{id}/tasks/{task}/terminate: 204."""
    job, task = _task_to_change(call)
    if task.state is TaskState.COMPLETED:
        raise ServiceError(code=ErrorCode.TASK_COMPLETED)
    end_task(call.account, job, pool_key(task.id), call.now)
    return Response(status=204, headers=service_id(call) | version_headers(task.etag, task.modified))


def delete_task(call: Call) -> Response:
    """DELETE /jobs/{id}/tasks/{task}: 200; a running task is ended first."""
    job, task = _task_to_change(call)
    if task.state is not TaskState.COMPLETED:
        end_task(call.account, job, pool_key(task.id), call.now)
    del job.tasks[pool_key(task.id)]
    return Response(status=200)


def _task_to_change(call: Call) -> tuple[Job, Task]:
    job = call.job()
    task = call.task(job)
    call.check_conditions(task.etag, task.modified)
    return job, task


def _dispatch(call: Call, job: Job) -> None:
    pool = call.account.pools.get(job.pool_id)
    if pool is not None:
        dispatch(call.account, pool, call.now)
