"""SharedKey: the signature azure-batch makes is the one that is verified, and nothing else is."""

from __future__ import annotations

import pytest
from azure.batch._patch import BatchSharedKeyAuthPolicy
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.rest import HttpRequest
from hypothesis import given
from hypothesis import strategies as st

from batchemulator import DEV_ACCOUNT
from batchemulator.wire.messages import Request
from batchemulator.wire.sharedkey import is_signed, sign, string_to_sign

HOST = "https://devaccount.example"
POLICY = BatchSharedKeyAuthPolicy(AzureNamedKeyCredential(DEV_ACCOUNT.name, DEV_ACCOUNT.key))


def signed_by_sdk(method: str, target: str, headers: dict[str, str]) -> tuple[Request, str]:
    """The request as the emulator sees it, and the signature azure-batch gave it."""
    outgoing = HttpRequest(method, HOST + target, headers=headers)
    POLICY.on_request(PipelineRequest(outgoing, PipelineContext(None)))
    sent = {name.lower(): value for name, value in outgoing.headers.items()}
    path, _, query = target.partition("?")
    signature = sent["authorization"].partition(":")[2]
    return Request(method=method, path=path, raw_query=query, headers=sent, base_url=HOST), signature


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        pytest.param("GET", "/pools?api-version=2025-06-01", {}, id="a list"),
        pytest.param("GET", "/pools?%24select=id%2Cstate&api-version=1&timeOut=20", {}, id="encoded query and timeOut"),
        pytest.param("GET", "/pools?$filter=id+eq+'a%20b'&api-version=1", {}, id="plus and space in a filter"),
        pytest.param("HEAD", "/pools/p?api-version=1", {"If-None-Match": '"0x1"'}, id="a conditional head"),
        pytest.param(
            "PATCH",
            "/pools/p?api-version=1",
            {
                "content-type": "application/json; odata=minimalmetadata",
                "Content-Length": "17",
                "If-Match": '"0x8DD"',
                "client-request-id": "x",
            },
            id="a conditional patch with a body",
        ),
        pytest.param("POST", "/pools/p/stopresize?api-version=1", {}, id="a post without body"),
        pytest.param("DELETE", "/pools/p?api-version=1", {"Content-Length": "0"}, id="a delete"),
        pytest.param("GET", "/pools/a%20b?api-version=1&empty=", {}, id="an encoded path and an empty parameter"),
    ],
)
def test_signature_of_azure_batch_is_verified(method: str, target: str, headers: dict[str, str]) -> None:
    request, signature = signed_by_sdk(method, target, headers)
    assert is_signed(request, DEV_ACCOUNT.name, DEV_ACCOUNT.key, signature)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"method": "DELETE"}, id="another method"),
        pytest.param({"path": "/pools/q"}, id="another path"),
        pytest.param({"raw_query": "api-version=2"}, id="another query"),
        pytest.param({"headers": {"ocp-date": "Thu, 01 Jan 2026 00:00:00 GMT"}}, id="another date"),
        pytest.param({"headers": {"if-match": "*"}}, id="another condition"),
        pytest.param({"headers": {"content-length": "3"}}, id="another length"),
    ],
)
def test_a_changed_request_is_not_signed(change: dict[str, object]) -> None:
    request, signature = signed_by_sdk("PATCH", "/pools/p?api-version=1", {"Content-Length": "17", "If-Match": '"1"'})
    fields = {name: getattr(request, name) for name in ("method", "path", "raw_query", "headers", "base_url")}
    if "headers" in change:
        change = {"headers": {**request.headers, **change["headers"]}}  # type: ignore[dict-item]
    assert not is_signed(Request(**{**fields, **change}), DEV_ACCOUNT.name, DEV_ACCOUNT.key, signature)


def test_another_key_or_account_is_not_signed() -> None:
    request, signature = signed_by_sdk("GET", "/pools?api-version=1", {})
    assert not is_signed(request, DEV_ACCOUNT.name, "b3RoZXI=", signature)
    assert not is_signed(request, "otheraccount", DEV_ACCOUNT.key, signature)


def test_query_names_in_lower_case_are_accepted_as_the_document_writes_them() -> None:
    request, _ = signed_by_sdk("GET", "/pools?api-version=1&timeOut=20", {})
    by_document = sign(string_to_sign(request, DEV_ACCOUNT.name, lower_case_query=True), DEV_ACCOUNT.key)
    assert is_signed(request, DEV_ACCOUNT.name, DEV_ACCOUNT.key, by_document)


@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PATCH", "DELETE"]),
    names=st.dictionaries(
        st.sampled_from(["$select", "$filter", "maxresults", "timeOut", "$skiptoken", "api-version"]),
        st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8),
    ),
    length=st.integers(0, 10_000),
)
def test_any_request_azure_batch_signs_is_verified(method: str, names: dict[str, str], length: int) -> None:
    query = "&".join(f"{name}={value}" for name, value in names.items())
    headers = {} if method in {"GET", "HEAD"} else {"Content-Length": str(length)}
    request, signature = signed_by_sdk(method, f"/pools/p?{query}", headers)
    assert is_signed(request, DEV_ACCOUNT.name, DEV_ACCOUNT.key, signature)
