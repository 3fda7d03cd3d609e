"""Reading, creating and deleting pools."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from batchemulator.operations.call import Call, created, metadata_url, raw_document, version_headers
from batchemulator.operations.lists import list_answer
from batchemulator.operations.pool_bodies import check_settings, read_scale, settings_of
from batchemulator.state.allocation import begin_resize
from batchemulator.state.autoscale import dry_run
from batchemulator.state.autoscale import enable as enable_autoscale
from batchemulator.state.deletion import begin_deletion
from batchemulator.state.normalisation import normalise_settings, with_defaults
from batchemulator.state.pool import Pool, Targets, pool_key
from batchemulator.state.pool_document import render_pool, serialise_pool
from batchemulator.wire.errors import ErrorCode, ServiceError
from batchemulator.wire.messages import Response
from batchemulator.wire.odata_query import Page, filter_of, select_of

if TYPE_CHECKING:
    from collections.abc import Iterator


def list_pools(call: Call) -> Response:
    """GET /pools: every pool of the account, deleting ones too, in the order of ids."""
    page = Page.of(call.query)
    matches = filter_of(call.query)
    select = select_of(call.query)
    base_url = call.request.base_url

    def items() -> Iterator[tuple[str, bytes]]:
        for pool in map(call.shown, call.account.pools.after(page.after)):
            if matches is None or matches(render_pool(pool, call.version, base_url)):
                yield pool_key(pool.id), serialise_pool(pool, call.version, base_url, select)

    return list_answer(call, "pools", items(), page.size)


def get_pool(call: Call) -> Response:
    """GET /pools/{id}."""
    pool = call.shown(call.pool())
    call.check_conditions(pool.etag, pool.modified)
    select = select_of(call.query)
    shown = serialise_pool(pool, call.version, call.request.base_url, select)
    head = b'{"odata.metadata":' + orjson.dumps(metadata_url(call, "pools/@Element"))
    body = head + (b"}" if shown == b"{}" else b"," + shown[1:])
    return raw_document(call, body, version_headers(pool.etag, pool.modified))


def pool_exists(call: Call) -> Response:
    """HEAD /pools/{id}."""
    pool = call.pool()
    call.check_conditions(pool.etag, pool.modified)
    return Response(status=200, headers=version_headers(pool.etag, pool.modified))


def create_pool(call: Call) -> Response:
    """POST /pools: the body is judged before the id is looked for."""
    body = call.body()
    check_settings(call, body)
    scale = read_scale(body)
    account, now = call.account, call.now
    if account.pools.get(body["id"]) is not None:
        raise ServiceError(code=ErrorCode.POOL_EXISTS)
    pool = Pool(
        id=body["id"],
        serial=account.next_serial(),
        created=now,
        modified=now,
        etag=account.next_etag(now),
        settings=with_defaults(normalise_settings(settings_of(body), account.assumptions)),
        state_changed=now,
        allocation_changed=now,
        resize_timeout=scale.resize_timeout,
    )
    targets = scale.targets
    if scale.formula is not None:
        enable_autoscale(account, pool, scale.formula, scale.interval, now)
        targets = _first_run(call, pool)
    account.pools.put(pool)
    begin_resize(account, pool, targets, now)
    return created(call, pool.id, pool.etag, pool.modified)


def _first_run(call: Call, pool: Pool) -> Targets:
    """The formula of a new pool is evaluated at once (recorded: autoScaleRun at creationTime)."""
    if pool.autoscale is None:
        return pool.targets
    run, outcome = dry_run(call.account, pool, pool.autoscale.formula, call.now)
    pool.autoscale = replace(pool.autoscale, run=run)
    return pool.targets if outcome is None else outcome[0]


def delete_pool(call: Call) -> Response:
    """DELETE /pools/{id}: 202 without ETag; the pool stays a while in state deleting."""
    pool = call.pool_to_change()
    begin_deletion(call.account, pool, call.now)
    return Response(status=202)
