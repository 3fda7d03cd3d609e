"""Who gets in, and to which account."""

from __future__ import annotations

import base64
import json

import pytest

from batchemulator import DEV_ACCOUNT, Account, Assumptions, TokenPolicy, make_service
from batchemulator.assumptions import AuthenticationFailure
from batchemulator.wire.messages import Request
from batchemulator.wire.sharedkey import sign, string_to_sign

OTHER = Account(name="other", key="b3RoZXI=")
LIST = {"method": "GET", "path": "/pools", "raw_query": "api-version=2025-06-01"}


def jwt(audience: str) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, {"aud": audience})
    ]
    return ".".join([*parts, "signature"])


def shared_key(account: Account, name: str | None = None) -> str:
    text = string_to_sign(Request(**LIST), name or account.name)  # type: ignore[arg-type]
    return f"SharedKey {name or account.name}:{sign(text, account.key)}"


def status(
    authorization: str,
    *,
    host: str = "127.0.0.1",
    bound: str | None = None,
    tokens: TokenPolicy | None = None,
    assumptions: Assumptions | None = None,
) -> tuple[int, str]:
    """(status, account that was asked) of a list."""
    service = make_service([DEV_ACCOUNT, OTHER], tokens=tokens, assumptions=assumptions)
    headers = {"authorization": authorization} if authorization else {}
    request = Request(headers=headers, base_url=f"https://{host}:10000", bound_account=bound, **LIST)  # type: ignore[arg-type]
    answered = service.handle(request)
    return answered.status, next(iter(service.requests)).account


@pytest.mark.parametrize(
    ("authorization", "where", "expected"),
    [
        pytest.param(shared_key(DEV_ACCOUNT), {}, (200, "devaccount"), id="a key says its account"),
        pytest.param(shared_key(OTHER), {}, (200, "other"), id="another key says another"),
        pytest.param(shared_key(OTHER, "devaccount"), {}, (403, "devaccount"), id="the key of another account"),
        pytest.param(shared_key(OTHER, "nobody"), {}, (403, ""), id="an account that does not exist"),
        pytest.param(shared_key(OTHER), {"bound": "devaccount"}, (403, "devaccount"), id="the port of another account"),
        pytest.param(
            shared_key(OTHER), {"host": "devaccount.localhost"}, (403, "devaccount"), id="the host of another"
        ),
        pytest.param("Bearer t", {}, (200, "devaccount"), id="a token for the first account"),
        pytest.param("Bearer t", {"host": "other.localhost"}, (200, "other"), id="a token for the account of the host"),
        pytest.param("Bearer t", {"bound": "other"}, (200, "other"), id="a token for the account of the port"),
        pytest.param("", {}, (403, "devaccount"), id="nothing"),
        pytest.param("Basic eDp5", {}, (403, "devaccount"), id="another scheme"),
        pytest.param(f"Bearer {jwt('https://batch.core.windows.net/')}", {}, (200, "devaccount"), id="a JWT for Batch"),
        pytest.param(
            f"Bearer {jwt('https://batch.core.windows.net')}", {}, (403, "devaccount"), id="without the slash"
        ),
        pytest.param("Bearer a.b.c", {}, (200, "devaccount"), id="three parts that are no JWT"),
    ],
)
def test_admission(authorization: str, where: dict[str, str], expected: tuple[int, str]) -> None:
    assert status(authorization, **where) == expected  # type: ignore[arg-type]


def test_tokens_can_be_restricted() -> None:
    tokens = TokenPolicy(accepted=frozenset({"good"}))
    assert status("Bearer good", tokens=tokens)[0] == 200
    assert status("Bearer bad", tokens=tokens)[0] == 403
    assert status(f"Bearer {jwt('elsewhere')}", tokens=TokenPolicy(require_audience=False))[0] == 200


def test_the_status_of_a_failure_is_as_assumed() -> None:
    assumptions = Assumptions(authentication_failure=AuthenticationFailure.UNAUTHORIZED)
    assert status("", assumptions=assumptions)[0] == 401


@pytest.mark.parametrize("text", ["devaccount", "devaccount:", ":a2V5", "Dev:a2V5", "devaccount:not base64"])
def test_an_account_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"account|NAME:BASE64KEY"):
        Account.parse(text)


def test_keys_are_not_shown() -> None:
    assert DEV_ACCOUNT.key not in repr(DEV_ACCOUNT)


@pytest.mark.parametrize("accounts", [[], [OTHER, OTHER]])
def test_accounts_are_some_and_distinct(accounts: list[Account]) -> None:
    with pytest.raises(ValueError, match=r"at least one|twice"):
        make_service(accounts)
