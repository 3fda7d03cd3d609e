"""The control endpoint, `/emulator/...`: faults, outside edits, time, assumptions and logs; loopback, no credentials.

It is not part of Azure Batch; docs/assumptions.md lists its paths.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import orjson

from batchemulator.faults import Fault, FaultKind
from batchemulator.outside_edits import edit_pool
from batchemulator.seeds import seed_pool
from batchemulator.state.pool_document import render_pool
from batchemulator.versions import ApiVersion
from batchemulator.wire.messages import JsonObject, Request, Response
from batchemulator.wire.times import format_instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from batchemulator.service import BatchEmulator

PREFIX = "/emulator/"
_FAULT_FIELDS = frozenset(field.name for field in fields(Fault))


class ControlError(Exception):
    """A control request that cannot be done; `status` is the HTTP status of the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def control(emulator: BatchEmulator, request: Request) -> Response:
    """Answer one control request."""
    try:
        answer = _dispatch(emulator, request)
    except ControlError as error:
        return _json(error.status, {"error": str(error)})
    except (ValueError, TypeError) as error:
        return _json(400, {"error": str(error)})
    return _json(200, answer)


def _json(status: int, body: object) -> Response:
    return Response(status=status, headers={"content-type": "application/json"}, body=orjson.dumps(body))


def _dispatch(emulator: BatchEmulator, request: Request) -> object:
    segments = tuple(request.path.removeprefix(PREFIX).strip("/").split("/"))
    emulator.pass_time()
    match segments:
        case ("accounts", account, "pools"):
            return _pools(emulator, request, account)
        case ("accounts", account, "pools", pool_id):
            return _pool(emulator, request, account, pool_id)
        case (name,) if (request.method, name) in _SIMPLE:
            return _SIMPLE[request.method, name](emulator, request)
        case _:
            raise ControlError(404, f"no control operation {request.method} {request.path}")


def _body(request: Request) -> JsonObject:
    parsed = orjson.loads(request.body or b"{}")
    if not isinstance(parsed, dict):
        raise ControlError(400, "the body must be a JSON object")
    return parsed


def _pools(emulator: BatchEmulator, request: Request, account: str) -> object:
    state = emulator.accounts.get(account)
    if state is None:
        raise ControlError(404, f"no account {account}")
    if request.method == "GET":
        return [render_pool(pool, ApiVersion.V2025_06, request.base_url) for pool in state.pools]
    if request.method == "POST":
        pool = seed_pool(state, _body(request), emulator.clock.now())
        return {"id": pool.id, "eTag": pool.etag}
    raise ControlError(405, f"{request.method} is not possible here")


def _pool(emulator: BatchEmulator, request: Request, account: str, pool_id: str) -> object:
    state = emulator.accounts.get(account)
    pool = state.pools.get(pool_id) if state is not None else None
    if state is None or pool is None:
        raise ControlError(404, f"no pool {pool_id} in account {account}")
    if request.method == "PATCH":
        edit_pool(state, pool, _body(request), emulator.clock.now())
        return {"id": pool.id, "eTag": pool.etag}
    if request.method == "DELETE":
        state.pools.remove(pool_id)
        return {"id": pool.id}
    raise ControlError(405, f"{request.method} is not possible here")


def _list_faults(emulator: BatchEmulator, _request: Request) -> object:
    return [{name: getattr(fault, name) for name in sorted(_FAULT_FIELDS)} for fault in emulator.faults.pending]


def _add_fault(emulator: BatchEmulator, request: Request) -> object:
    body = _body(request)
    unknown = body.keys() - _FAULT_FIELDS
    if unknown or "kind" not in body:
        raise ControlError(
            400, f"a fault has a kind ({', '.join(FaultKind)}) and some of {', '.join(sorted(_FAULT_FIELDS))}"
        )
    emulator.faults.add(Fault(**{**body, "kind": FaultKind(body["kind"])}))
    return _list_faults(emulator, request)


def _clear_faults(emulator: BatchEmulator, request: Request) -> object:
    emulator.faults.clear()
    return _list_faults(emulator, request)


def _show_clock(emulator: BatchEmulator, _request: Request) -> object:
    return {"now": format_instant(emulator.clock.now())}


def _advance_clock(emulator: BatchEmulator, request: Request) -> object:
    emulator.clock.advance(float(_body(request).get("advance", 0)))
    emulator.pass_time()
    return _show_clock(emulator, request)


def _show_assumptions(emulator: BatchEmulator, _request: Request) -> object:
    return emulator.assumptions.as_settings()


def _set_assumptions(emulator: BatchEmulator, request: Request) -> object:
    for name, value in _body(request).items():
        emulator.environment.assumptions = emulator.assumptions.with_setting(f"{name}={value}")
    return _show_assumptions(emulator, request)


def _show_requests(emulator: BatchEmulator, _request: Request) -> object:
    return [entry.as_json() for entry in emulator.requests]


def _reset_requests(emulator: BatchEmulator, request: Request) -> object:
    emulator.requests.reset()
    return _show_requests(emulator, request)


def _show_task_log(emulator: BatchEmulator, _request: Request) -> object:
    return {name: [entry.as_json() for entry in state.task_log] for name, state in emulator.accounts.items()}


def _reset_task_log(emulator: BatchEmulator, request: Request) -> object:
    for state in emulator.accounts.values():
        state.task_log.clear()
    return _show_task_log(emulator, request)


_SIMPLE: dict[tuple[str, str], Callable[[BatchEmulator, Request], object]] = {
    ("GET", "faults"): _list_faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "clock"): _show_clock,
    ("POST", "clock"): _advance_clock,
    ("GET", "assumptions"): _show_assumptions,
    ("PATCH", "assumptions"): _set_assumptions,
    ("GET", "requests"): _show_requests,
    ("DELETE", "requests"): _reset_requests,
    ("GET", "tasklog"): _show_task_log,
    ("DELETE", "tasklog"): _reset_task_log,
}
