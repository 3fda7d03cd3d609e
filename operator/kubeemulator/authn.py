"""Who calls: tokens of the administrator and of service accounts, and impersonation."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from kubeemulator.errors import unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubeemulator.jsontypes import JsonObject

_HEADER: Final = {"alg": "HS256", "typ": "JWT"}
_ISSUER: Final = "kubeemulator"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An authenticated caller."""

    name: str
    groups: tuple[str, ...]
    uid: str = ""

    @property
    def is_administrator(self) -> bool:
        """Whether every request is permitted."""
        return "system:masters" in self.groups


ADMINISTRATOR: Final = User(name="kubernetes-admin", groups=("system:masters", "system:authenticated"))


def service_account(namespace: str, name: str, uid: str = "") -> User:
    """The user that a service account is."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return User(name=f"system:serviceaccount:{namespace}:{name}", groups=groups, uid=uid)


class Authenticator:
    """Issues and checks bearer tokens, which are JSON web tokens signed with the server's own secret."""

    def __init__(self, secret: bytes, uid_of_account: Callable[[str, str], str | None]) -> None:
        self._secret = secret
        self._uid_of_account = uid_of_account
        self.administrator_token = self._signed({"sub": ADMINISTRATOR.name, "iss": _ISSUER})

    def token_for(self, namespace: str, name: str, uid: str, *, seconds: int, audiences: list[str]) -> str:
        """A token of a service account, valid for some seconds."""
        now = int(time.time())
        return self._signed(
            {
                "iss": _ISSUER,
                "sub": f"system:serviceaccount:{namespace}:{name}",
                "aud": audiences or [_ISSUER],
                "iat": now,
                "exp": now + seconds,
                "jti": secrets.token_hex(8),
                "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}},
            }
        )

    def user_of(self, token: str) -> User:
        """The owner of a token.

        Raises:
            ApiError: 401, the token is unknown, has ended, or its service account was deleted.
        """
        claims = self._claims(token)
        if claims.get("sub") == ADMINISTRATOR.name:
            return ADMINISTRATOR
        bound = claims.get("kubernetes.io", {})
        namespace, account = bound.get("namespace", ""), bound.get("serviceaccount", {})
        if claims.get("exp", 0) <= time.time():
            raise unauthorized()
        if not account or self._uid_of_account(namespace, account.get("name", "")) != account.get("uid"):
            raise unauthorized()
        return service_account(namespace, account["name"], account["uid"])

    def _signed(self, claims: JsonObject) -> str:
        content = f"{_encoded(orjson.dumps(_HEADER))}.{_encoded(orjson.dumps(claims))}"
        return f"{content}.{self._signature(content)}"

    def _signature(self, content: str) -> str:
        return _encoded(hmac.digest(self._secret, content.encode(), hashlib.sha256))

    def _claims(self, token: str) -> JsonObject:
        content, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(content).encode()):
            raise unauthorized()
        body = content.partition(".")[2]
        try:
            claims: JsonObject = orjson.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        except (binascii.Error, orjson.JSONDecodeError) as error:
            raise unauthorized() from error
        return claims


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
