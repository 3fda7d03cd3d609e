"""The emulated service itself: a request in, a response out, no socket, no waiting, no time but the clock's.

`BatchEmulator.handle` is all the HTTP server calls, and all a model checker needs.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from batchemulator.authentication import Gate
from batchemulator.clocks import Clock, ScaledClock
from batchemulator.faults import Fault, Faults
from batchemulator.operations.call import Call
from batchemulator.operations.routes import UNKNOWN_OPERATION, Operation, find_operation
from batchemulator.request_log import READS, LoggedRequest, RequestLog
from batchemulator.state.account import AccountState, Environment
from batchemulator.state.progress import pass_time
from batchemulator.versions import ApiVersion
from batchemulator.wire.conditions import NOT_MODIFIED
from batchemulator.wire.errors import ErrorCode, ServiceError, invalid_query
from batchemulator.wire.messages import Request, Response
from batchemulator.wire.times import format_http_date
from batchemulator.wire.tokens import TokenPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from batchemulator.accounts import Account
    from batchemulator.assumptions import Assumptions


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """What a request is about, as far as its path and headers tell."""

    operation: Operation | None
    parameters: Mapping[str, str]
    account: Account | None

    @property
    def operation_name(self) -> str:
        return self.operation.name if self.operation is not None else UNKNOWN_OPERATION

    @property
    def account_name(self) -> str:
        return self.account.name if self.account is not None else ""

    @property
    def pool_id(self) -> str | None:
        return self.parameters.get("pool_id")


@dataclass(slots=True)
class BatchEmulator:
    """Azure Batch's data plane for a few accounts, in memory."""

    gate: Gate
    accounts: dict[str, AccountState]
    environment: Environment
    clock: Clock
    faults: Faults = field(default_factory=Faults)
    requests: RequestLog = field(default_factory=RequestLog)

    @classmethod
    def of(
        cls,
        accounts: Iterable[Account],
        *,
        clock: Clock | None = None,
        environment: Environment | None = None,
        tokens: TokenPolicy | None = None,
    ) -> BatchEmulator:
        """An emulator of empty accounts.

        Raises:
            ValueError: no account, or two of one name.
        """
        named: dict[str, Account] = {}
        for account in accounts:
            if account.name in named:
                raise ValueError(f"account {account.name} is given twice")
            named[account.name] = account
        if not named:
            raise ValueError("an emulator needs at least one account")
        environment = environment or Environment()
        return cls(
            gate=Gate(accounts=named, tokens=tokens or TokenPolicy()),
            accounts={name: AccountState(name=name, environment=environment) for name in named},
            environment=environment,
            clock=clock or ScaledClock(),
        )

    @property
    def assumptions(self) -> Assumptions:
        """What is assumed about the service at present."""
        return self.environment.assumptions

    def pass_time(self) -> None:
        """Let everything that is due happen, as every request does first."""
        now = self.clock.now()
        for state in self.accounts.values():
            pass_time(state, now)

    def handle(self, request: Request) -> Response:
        """Answer one request: log it, break it if a fault says so, else do what it asks."""
        target = self._target(request)
        fault = self.faults.take(operation=target.operation_name, account=target.account_name, pool=target.pool_id)
        response = self._answer(request, target) if fault is None else self._broken(request, target, fault)
        self._log(request, target, response.status)
        return response

    def _target(self, request: Request) -> _Target:
        try:
            operation, parameters = find_operation(request.method, request.path)
        except ServiceError:
            return _Target(operation=None, parameters={}, account=self.gate.account_of(request))
        return _Target(operation=operation, parameters=parameters, account=self.gate.account_of(request))

    def _broken(self, request: Request, target: _Target, fault: Fault) -> Response:
        if fault.is_stale_read:
            return self._answer(request, target, stale=True)
        if fault.after_effect:
            self._answer(request, target)
        answer = self._error(request, fault.error())
        return Response(status=answer.status, headers=answer.headers, body=answer.body, delivery=fault.delivery)

    def _answer(self, request: Request, target: _Target, *, stale: bool = False) -> Response:
        try:
            return self._with_common_headers(request, self._run(request, target, stale=stale))
        except ServiceError as error:
            return self._error(request, error)

    def _run(self, request: Request, target: _Target, *, stale: bool) -> Response:
        identity = self.gate.admit(request, target.account, self.assumptions)
        if target.operation is None or target.account is None:
            find_operation(request.method, request.path)
            raise ServiceError(code=ErrorCode.RESOURCE_NOT_FOUND)
        query = request.query()
        version = _version(query)
        state = self.accounts[target.account.name]
        now = self.clock.now()
        pass_time(state, now)
        call = Call(
            request=request,
            account=state,
            version=version,
            identity=identity,
            now=now,
            parameters=target.parameters,
            query=query,
            stale=stale,
        )
        pool = None if request.method in READS or target.pool_id is None else state.pools.get(target.pool_id)
        before = None if pool is None else pool.snapshot()
        response = target.operation.run(call)
        if pool is not None:
            pool.earlier = before
            pool.invalidate()
        return response

    def _with_common_headers(self, request: Request, response: Response) -> Response:
        headers = dict(response.headers) | {
            "dataserviceversion": "3.0",
            "request-id": str(uuid.uuid4()),
            "date": format_http_date(self.clock.now()),
        }
        if request.headers.get("return-client-request-id", "").lower() == "true":
            headers["client-request-id"] = request.headers.get("client-request-id", "")
        return Response(status=response.status, headers=headers, body=response.body, delivery=response.delivery)

    def _error(self, request: Request, error: ServiceError) -> Response:
        answer = self._with_common_headers(request, Response(status=error.status, headers=dict(error.headers)))
        if request.method == "HEAD" or error.status == NOT_MODIFIED:
            return answer
        document = error.body(
            base_url=request.base_url,
            request_id=answer.headers["request-id"],
            now=self.clock.now(),
        )
        headers = {**answer.headers, "content-type": _content_type(request)}
        return Response(status=answer.status, headers=headers, body=orjson.dumps(document))

    def _log(self, request: Request, target: _Target, status: int) -> None:
        self.requests.add(
            LoggedRequest(
                method=request.method,
                operation=target.operation_name,
                path=request.path,
                query=request.query(),
                status=status,
                account=target.account_name,
                user_agent=request.headers.get("user-agent", ""),
                pool_id=target.pool_id,
                if_match=request.headers.get("if-match"),
                body=request.body,
            ),
        )


def _version(query: Mapping[str, str]) -> ApiVersion:
    text = query.get("api-version")
    if text is None:
        raise ServiceError(
            code=ErrorCode.MISSING_REQUIRED_QUERY_PARAMETER,
            values=(("QueryParameterName", "api-version"),),
        )
    try:
        return ApiVersion(text)
    except ValueError:
        served = ", ".join(ApiVersion)
        raise invalid_query("api-version", text, f"The api-version is not one of those served: {served}") from None


def _content_type(request: Request) -> str:
    try:
        return _version(request.query()).content_type
    except ServiceError:
        return ApiVersion.V2025_06.content_type
