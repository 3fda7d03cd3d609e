"""Jobs, as far as draining a pool needs them."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from batchemulator.operations.call import Call, changed, created, document, metadata_url, version_headers
from batchemulator.operations.lists import list_documents
from batchemulator.operations.shapes import JOB_SHAPE, check_shape
from batchemulator.state.job_transitions import disable_job as begin_disabling
from batchemulator.state.job_transitions import enable_job as begin_enabling
from batchemulator.state.job_transitions import end_job
from batchemulator.state.jobs import DisableTasks, Job, JobState, TaskState, render_job
from batchemulator.state.pool import pool_key
from batchemulator.wire.errors import ErrorCode, ServiceError, invalid_property, missing_property
from batchemulator.wire.messages import Response
from batchemulator.wire.odata_query import select_of

if TYPE_CHECKING:
    from batchemulator.wire.messages import JsonObject

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def list_jobs(call: Call) -> Response:
    """GET /jobs."""
    base_url = call.request.base_url
    entries = [(key, partial(render_job, job, base_url)) for key, job in call.account.jobs.items()]
    return list_documents(call, "jobs", entries)


def get_job(call: Call) -> Response:
    """GET /jobs/{id}."""
    job = call.job()
    call.check_conditions(job.etag, job.modified)
    shown = render_job(job, call.request.base_url)
    select = select_of(call.query)
    if select is not None:
        shown = {key: value for key, value in shown.items() if key in select}
    headers = version_headers(job.etag, job.modified)
    return document(call, {"odata.metadata": metadata_url(call, "jobs/@Element"), **shown}, headers)


def create_job(call: Call) -> Response:
    """POST /jobs."""
    body = call.body()
    check_shape("body", body, JOB_SHAPE)
    for required in ("id", "poolInfo"):
        if body.get(required) is None:
            raise missing_property(required)
    if not _ID.fullmatch(str(body["id"])):
        raise invalid_property("id", body["id"], "The id must be 1 to 64 letters, digits, '-' or '_'")
    if body["poolInfo"].get("poolId") is None:
        raise missing_property("poolId")
    account, now, key = call.account, call.now, pool_key(body["id"])
    if key in account.jobs:
        raise ServiceError(code=ErrorCode.JOB_EXISTS)
    job = Job(
        id=body["id"],
        serial=account.next_serial(),
        created=now,
        modified=now,
        etag=account.next_etag(now),
        settings={name: value for name, value in body.items() if name != "id"},
        state_changed=now,
    )
    account.jobs[key] = job
    return created(call, job.id, job.etag, job.modified)


def update_job(call: Call) -> Response:
    """PATCH /jobs/{id}: the properties named replace what was there."""
    body = call.body()
    check_shape("body", body, JOB_SHAPE)
    job = _job_to_change(call)
    job.settings |= {name: value for name, value in body.items() if value is not None}
    return _touched(call, job, 200)


def replace_job(call: Call) -> Response:
    """PUT /jobs/{id}: every property that can change is replaced; the pool is required."""
    body = call.body()
    check_shape("body", body, JOB_SHAPE)
    if body.get("poolInfo") is None:
        raise missing_property("poolInfo")
    job = _job_to_change(call)
    job.settings = {name: value for name, value in body.items() if value is not None}
    return _touched(call, job, 200)


def disable_job(call: Call) -> Response:
    """POST /jobs/{id}/disable: 202; running tasks are requeued, terminated or waited for."""
    body = call.body()
    text = body.get("disableTasks")
    if text is None:
        raise missing_property("disableTasks")
    if str(text).lower() not in set(DisableTasks):
        raise invalid_property("disableTasks", text, f"The value must be one of {', '.join(DisableTasks)}")
    job = _job_to_change(call)
    if job.state is not JobState.ACTIVE:
        raise ServiceError(code=ErrorCode.JOB_NOT_ACTIVE)
    begin_disabling(call.account, job, DisableTasks(str(text).lower()), call.now)
    return _touched(call, job)


def enable_job(call: Call) -> Response:
    """POST /jobs/{id}/enable: 202."""
    job = _job_to_change(call)
    if job.state in {JobState.TERMINATING, JobState.COMPLETED}:
        raise ServiceError(code=ErrorCode.JOB_COMPLETED)
    begin_enabling(call.account, job, call.now)
    return _touched(call, job)


def terminate_job(call: Call) -> Response:
    """POST /jobs/{id}/terminate: 202; every task ends."""
    job = _job_to_change(call)
    if job.state is JobState.COMPLETED:
        raise ServiceError(code=ErrorCode.JOB_COMPLETED)
    end_job(call.account, job, JobState.TERMINATING, call.now)
    return _touched(call, job)


def delete_job(call: Call) -> Response:
    """DELETE /jobs/{id}: 202; gone a moment later."""
    end_job(call.account, _job_to_change(call), JobState.DELETING, call.now)
    return Response(status=202)


def get_job_task_counts(call: Call) -> Response:
    """GET /jobs/{id}/taskcounts."""
    job = call.job()
    shown: JsonObject = {
        "odata.metadata": metadata_url(call, "taskcounts/@Element"),
        "taskCounts": _counts(job, weighted=False),
        "taskSlotCounts": _counts(job, weighted=True),
    }
    return document(call, shown)


def _counts(job: Job, *, weighted: bool) -> dict[str, int]:
    counts = dict.fromkeys(("active", "running", "completed", "succeeded", "failed"), 0)
    for task in job.tasks.values():
        weight = task.slots if weighted else 1
        counts[task.state.value] += weight
        if task.state is TaskState.COMPLETED:
            counts["succeeded" if task.exit_code == 0 else "failed"] += weight
    return counts


def _job_to_change(call: Call) -> Job:
    job = call.job()
    if job.state is JobState.DELETING:
        raise ServiceError(code=ErrorCode.JOB_BEING_DELETED)
    call.check_conditions(job.etag, job.modified)
    return job


def _touched(call: Call, job: Job, status: int = 202) -> Response:
    job.etag = call.account.next_etag(call.now)
    job.modified = call.now
    return changed(call, status, job.etag, job.modified)
