"""Who is calling, and which account: SharedKey signatures and Bearer tokens.

The account is the one whose own port received the request, else the one the host's first label names
(`NAME.localhost`), else the one a SharedKey header names, else the first. A SharedKey header for another account
than the one already settled by port or host is refused, as the service refuses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from batchemulator.operations.call import Identity
from batchemulator.wire.errors import ErrorCode, ServiceError
from batchemulator.wire.sharedkey import is_signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from batchemulator.accounts import Account
    from batchemulator.assumptions import Assumptions
    from batchemulator.wire.messages import Request
    from batchemulator.wire.tokens import TokenPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The accounts and the tokens that open them."""

    accounts: Mapping[str, Account]
    tokens: TokenPolicy

    def account_of(self, request: Request) -> Account | None:
        """The account a request is for, or None when a SharedKey header names one that does not exist."""
        settled = self._settled(request)
        if settled is not None:
            return settled
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "sharedkey":
            return self.accounts.get(rest.partition(":")[0])
        return next(iter(self.accounts.values()))

    def _settled(self, request: Request) -> Account | None:
        if request.bound_account is not None:
            return self.accounts[request.bound_account]
        host = urlsplit(request.base_url).hostname or ""
        return self.accounts.get(host.partition(".")[0])

    def admit(self, request: Request, account: Account | None, assumptions: Assumptions) -> Identity:
        """How the caller proved who it is.

        Raises:
            ServiceError: AuthenticationFailed.
        """
        status = int(assumptions.authentication_failure)
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        match scheme.lower():
            case "sharedkey":
                name, _, signature = rest.strip().partition(":")
                if account is None or name != account.name:
                    _fail(status, "The specified account does not exist or is not the one of this endpoint")
                if not is_signed(request, account.name, account.key, signature):
                    _fail(
                        status, "The MAC signature found in the HTTP request is not the same as any computed signature"
                    )
                return Identity.SHARED_KEY
            case "bearer":
                objection = self.tokens.objection(rest.strip())
                if objection is not None:
                    _fail(status, objection)
                return Identity.TOKEN
            case _:
                _fail(status, "The Authorization header is missing or of an unknown scheme")
        return None


def _fail(status: int, detail: str) -> NoReturn:
    raise ServiceError(
        code=ErrorCode.AUTHENTICATION_FAILED,
        values=(("AuthenticationErrorDetail", detail),),
        status_override=status,
    )
