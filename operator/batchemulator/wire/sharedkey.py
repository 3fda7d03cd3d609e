"""SharedKey signatures: what is signed, and whether a request's signature is right.

Canonicalisation as in Azure Batch's REST doc "Authenticate requests to the Azure Batch service" and as azure-batch
signs: verb, eleven headers, `ocp-` headers, `/account/path`, sorted query. The document writes query names in lower
case, azure-batch signs them as sent (`timeOut`); both are accepted because both are in use.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batchemulator.wire.messages import Request

_SIGNED_HEADERS = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)


def string_to_sign(request: Request, account: str, *, lower_case_query: bool = False) -> str:
    """The canonical text of a request that its signature covers."""
    headers = {name: value for name, value in request.headers.items() if value}
    if request.method in {"GET", "HEAD"}:
        if headers.get("content-length") == "0":
            del headers["content-length"]
    else:
        headers.setdefault("content-length", "0")
    lines = [request.method, *(headers.get(name, "") for name in _SIGNED_HEADERS)]
    lines += [f"{name}:{headers[name]}" for name in sorted(headers) if name.startswith("ocp-")]
    resource = f"/{account}{request.path}"
    query = request.query()
    if lower_case_query:
        query = {name.lower(): value for name, value in query.items()}
    resource += "".join(f"\n{name}:{query[name]}" for name in sorted(query))
    return "\n".join(lines) + "\n" + resource


def sign(text: str, key: str) -> str:
    """The base64 HMAC-SHA256 of `text` under the base64 `key`."""
    digest = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def is_signed(request: Request, account: str, key: str, signature: str) -> bool:
    """Whether `signature` is that of `request` under the account's key."""
    return any(
        hmac.compare_digest(sign(string_to_sign(request, account, lower_case_query=lower), key), signature)
        for lower in (False, True)
    )
