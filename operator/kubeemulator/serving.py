"""Requests in, answers out: faults, log and watches around the API, and the emulator's own controls."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from kubeemulator.api import Api, answer
from kubeemulator.bodies import decoded_object
from kubeemulator.control import Controls, Fault, LoggedRequest
from kubeemulator.errors import ApiError, no_such_path
from kubeemulator.options import list_options
from kubeemulator.rendering import wanted_form
from kubeemulator.routing import Target, target_of
from kubeemulator.watching import DEFAULT_SECONDS, View, Watch

_TRUE: Final = frozenset({"1", "true", "True"})


class Frontend:
    """Serves one API over HTTP."""

    def __init__(self, api: Api, controls: Controls, *, bookmark_seconds: float) -> None:
        self._api = api
        self._controls = controls
        self._bookmark_seconds = bookmark_seconds

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, and note it in the log."""
        if request.path.startswith("/emulator/"):
            return await self._control(request)
        fault = self._controls.next_fault(request.method, request.path_qs)
        try:
            if fault is not None:
                await asyncio.sleep(fault.delay_seconds)
            if fault is not None and not fault.after_effect and (fault.drop or fault.status):
                response: web.StreamResponse = self._harmed(request, fault)
            else:
                response = await self._answered(request)
                if fault is not None and (fault.drop or fault.status):
                    response = self._harmed(request, fault)
        except ApiError as error:
            response = answer(error.as_status(), error.code)
        except web.HTTPRequestEntityTooLarge as error:
            too_large = ApiError(413, "RequestEntityTooLarge", f"Request entity too large: {error.text}")
            response = answer(too_large.as_status(), too_large.code)
        if "is_watch" not in request:
            self._log(request, 0 if "dropped" in request else response.status)
        return response

    async def _answered(self, request: web.Request) -> web.StreamResponse:
        body = await request.read() if request.can_read_body else b""
        user = self._api.user_of(request)
        request["user"] = user.name
        target = target_of(request.path, self._api.cluster.registry)
        if target is None:
            return self._api.document(request, user)
        watches = request.method == "GET" and request.query.get("watch") in _TRUE and not target.name
        self._api.authorize(user, target, request.method, watches=watches)
        if watches:
            return await self._watched(request, target)
        return self._api.answer(request, body, target, user)

    async def _watched(self, request: web.Request, target: Target) -> web.StreamResponse:
        options = list_options(request.query)
        view = View(
            resource=target.resource,
            namespace=target.namespace,
            options=options,
            form=wanted_form(request.headers.get("Accept", "")),
            query=request.query,
            bookmark_seconds=self._bookmark_seconds,
        )
        watch = Watch(self._api.cluster, view)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        request["is_watch"] = True
        self._log(request, response.status)
        seconds = DEFAULT_SECONDS if options.timeout_seconds is None else options.timeout_seconds
        streaming = asyncio.ensure_future(_stream(response, watch, seconds))
        self._controls.watches.add(streaming)
        try:
            await asyncio.wait([streaming])
            if streaming.cancelled() and request.transport is not None:
                request.transport.abort()
        finally:
            streaming.cancel()
            self._controls.watches.discard(streaming)
        return response

    def _harmed(self, request: web.Request, fault: Fault) -> web.Response:
        if fault.drop:
            request["dropped"] = True
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        status = fault.status or 500
        error = ApiError(status, fault.reason or _REASONS.get(status, "InternalError"), fault.message)
        response = answer(error.as_status(), status)
        if fault.retry_after is not None:
            response.headers["Retry-After"] = str(fault.retry_after)
        return response

    def _log(self, request: web.Request, status: int) -> None:
        self._controls.requests.append(
            LoggedRequest(
                method=request.method,
                path=request.path_qs,
                user_agent=request.headers.get("User-Agent", ""),
                user=request.get("user", ""),
                status=status,
            )
        )

    async def _control(self, request: web.Request) -> web.Response:
        try:
            self._check_controller(request)
            match request.method, request.path:
                case "GET", "/emulator/requests":
                    return answer({"requests": self._controls.log()})
                case "DELETE", "/emulator/requests":
                    self._controls.requests.clear()
                case "POST", "/emulator/faults":
                    body = await request.read()
                    self._controls.inject(decoded_object(body, request.headers.get("Content-Type", "")))
                case "DELETE", "/emulator/faults":
                    self._controls.faults.clear()
                case "DELETE", "/emulator/watches":
                    return answer({"cut": self._controls.cut_watches()})
                case "POST", "/emulator/compact":
                    self._api.cluster.store.compact()
                case _:
                    raise no_such_path()
        except ApiError as error:
            return answer(error.as_status(), error.code)
        return answer({"status": "Success"})

    def _check_controller(self, request: web.Request) -> None:
        user = self._api.user_of(request)
        if not user.is_administrator:
            raise ApiError(403, "Forbidden", f'User "{user.name}" is no administrator of the emulator')


_REASONS: Final = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    422: "Invalid",
    429: "TooManyRequests",
    503: "ServiceUnavailable",
    504: "Timeout",
}


async def _stream(response: web.StreamResponse, watch: Watch, seconds: float) -> None:
    try:
        async for chunk in watch.chunks(seconds):
            if chunk:
                await response.write(chunk)
        await response.write_eof()
    except ConnectionError:
        return
