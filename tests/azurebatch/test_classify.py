"""What error answers mean: one row per status and code, written out again so that a slip in the table shows."""

from datetime import UTC, datetime

import orjson
import pytest

from batchaccess.azurebatch.classify import KINDS, classify, error_from_answer, retry_after_seconds, stable_text
from batchaccess.core.reasons import ErrorKind

ROWS = {
    ErrorKind.RACE: ["304 ConditionNotMet", "412 ConditionNotMet"],
    ErrorKind.TERMINAL: [
        "400 EmptyMetadataKey",
        "400 InvalidHeaderValue",
        "400 InvalidPropertyValue",
        "400 InvalidQueryParameterValue",
        "400 InvalidRequestBody",
        "400 InvalidUri",
        "400 MetadataTooLarge",
        "400 MissingRequiredHeader",
        "400 MissingRequiredProperty",
        "400 MissingRequiredQueryParameter",
        "400 OutOfRangeQueryParameterValue",
        "400 RequestUrlFailedToParse",
        "400 UnsupportedHeader",
        "400 UnsupportedProperty",
        "400 UnsupportedQueryParameter",
        "400 UnsupportedRequestVersion",
        "405 UnsupportedHttpVerb",
        "409 InvalidApplicationPackageReferences",
        "411 MissingContentLengthHeader",
        "413 RequestBodyTooLarge",
        "501 NotImplemented",
    ],
    ErrorKind.DENIED: [
        "400 InvalidAuthenticationInfo",
        "401 AuthenticationFailed",
        "401 InvalidAuthenticationInfo",
        "403 AccountIsDisabled",
        "403 AuthenticationFailed",
        "403 Forbidden",
        "403 InsufficientAccountPermissions",
        "409 ScopeLocked",
    ],
    ErrorKind.WAITING: [
        "400 PropertyCannotBeUpdated",
        "404 PoolNotFound",
        "404 ResourceNotFound",
        "409 OperationInvalidForCurrentState",
        "409 OperationNotValidOnPool",
        "409 PoolBeingCreated",
        "409 PoolBeingDeleted",
        "409 PoolBeingResized",
        "409 PoolQuotaReached",
    ],
    ErrorKind.TRANSIENT: [
        "408 OperationTimedOut",
        "429 TooManyRequests",
        "500 InternalError",
        "500 OperationTimedOut",
        "503 ServerBusy",
        "503 TooManyEnableAutoScaleRequests",
    ],
}


@pytest.mark.parametrize(
    ("row", "kind"), [pytest.param(row, kind, id=f"{row} is {kind}") for kind, rows in ROWS.items() for row in rows]
)
def test_known_answers_have_their_kind(row: str, kind: ErrorKind) -> None:
    status, _, code = row.partition(" ")
    assert classify(int(status), code) is kind


def test_every_answer_of_the_table_has_a_row_here() -> None:
    assert sorted(f"{status} {code}" for status, code in KINDS) == sorted(row for rows in ROWS.values() for row in rows)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (304, ErrorKind.RACE),
        (307, ErrorKind.TRANSIENT),
        (400, ErrorKind.TERMINAL),
        (401, ErrorKind.DENIED),
        (403, ErrorKind.DENIED),
        (404, ErrorKind.WAITING),
        (409, ErrorKind.WAITING),
        (412, ErrorKind.RACE),
        (418, ErrorKind.TRANSIENT),
        (429, ErrorKind.TRANSIENT),
        (500, ErrorKind.TRANSIENT),
        (502, ErrorKind.TRANSIENT),
        (599, ErrorKind.TRANSIENT),
    ],
)
def test_an_unlisted_code_goes_by_its_status(status: int, kind: ErrorKind) -> None:
    assert classify(status, "NeverHeardOf") is kind


def error_body(code: str, message: str, values: list[dict[str, str]] | None = None) -> bytes:
    body: dict[str, object] = {"code": code, "message": {"lang": "en-US", "value": message}}
    if values is not None:
        body["values"] = values
    return orjson.dumps(body)


def test_the_message_keeps_the_details_and_drops_request_id_and_time() -> None:
    body = error_body(
        "InvalidPropertyValue",
        "The value provided is invalid.\nRequestId:d9a7fb0d-42eb\nTime:2025-03-19T18:25:36.8101708Z",
        [
            {"key": "PropertyName", "value": "subnetId"},
            {"key": "PropertyValue"},
            {"key": "Reason", "value": "The subnet is elsewhere"},
        ],
    )
    error = error_from_answer(400, body)
    assert (error.kind, error.code, error.status) == (ErrorKind.TERMINAL, "InvalidPropertyValue", 400)
    assert error.message == (
        "The value provided is invalid. (PropertyName: subnetId; PropertyValue; Reason: The subnet is elsewhere)"
    )


def test_two_answers_to_the_same_mistake_have_the_same_message() -> None:
    texts = {
        error_from_answer(
            403,
            error_body("Forbidden", f"Not allowed.\nRequestId:{number}-x\nTime:2025-03-19T18:25:3{number}.8101708Z"),
        ).message
        for number in range(3)
    }
    assert texts == {"Not allowed."}


def test_trace_ids_of_token_errors_go_too() -> None:
    text = (
        "AADSTS7000215: Invalid client secret provided. Trace ID: 0a1b Correlation ID: 2c3d "
        "Timestamp: 2026-02-03 00:00:21Z"
    )
    assert stable_text(text) == "AADSTS7000215: Invalid client secret provided."


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        pytest.param(b"", 502, "Http502", id="no body"),
        pytest.param(b"<html>Bad Gateway</html>", 502, "Http502", id="a proxy's page"),
        pytest.param(b"[1]", 500, "Http500", id="JSON of another shape"),
        pytest.param(b'{"code": 7}', 500, "Http500", id="a code that is no text"),
        pytest.param(b"", 307, "RedirectRefused", id="a redirect, which is never followed"),
    ],
)
def test_an_answer_without_a_batch_error_body_is_named_by_its_status(body: bytes, status: int, code: str) -> None:
    error = error_from_answer(status, body)
    assert error.code == code
    assert str(status) in error.message


def test_the_form_of_resource_manager_is_understood_as_well() -> None:
    body = orjson.dumps({"error": {"code": "ScopeLocked", "message": "The scope is locked."}})
    error = error_from_answer(409, body)
    assert (error.code, error.kind, error.message) == ("ScopeLocked", ErrorKind.DENIED, "The scope is locked.")


def test_a_body_with_odd_values_still_gives_code_and_message() -> None:
    body = orjson.dumps(
        {"code": "Forbidden", "message": "plain text", "values": [7, {"value": "no key"}, {"key": "K"}]}
    )
    assert error_from_answer(403, body).message == "plain text (K)"


@pytest.mark.parametrize(
    ("status", "is_write", "unknown"),
    [
        pytest.param(500, True, True, id="a write answered with a server error may have taken effect"),
        pytest.param(503, True, True, id="so may one answered with 503"),
        pytest.param(408, True, True, id="and one answered with a request timeout"),
        pytest.param(409, True, False, id="a refused write has not"),
        pytest.param(412, True, False, id="nor has one whose condition failed"),
        pytest.param(429, True, False, id="nor a throttled one"),
        pytest.param(500, False, False, id="a reading has no effect to be in doubt"),
    ],
)
def test_whether_the_outcome_of_an_answer_is_unknown(status: int, is_write: bool, unknown: bool) -> None:  # noqa: FBT001
    assert error_from_answer(status, b"", is_write=is_write).outcome_unknown is unknown


def test_an_endless_message_is_cut() -> None:
    assert len(error_from_answer(400, error_body("InvalidPropertyValue", "x" * 100_000)).message) <= 1000


NOW = datetime(2026, 2, 3, 0, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param("0.5", 0.5, id="part of a second"),
        pytest.param("Tue, 03 Feb 2026 00:00:30 GMT", 30.0, id="a date"),
        pytest.param("Tue, 03 Feb 2026 00:00:30 -0000", 30.0, id="a date of unknown zone counts as UTC"),
        pytest.param("Mon, 02 Feb 2026 00:00:30 GMT", 0.0, id="a date gone by"),
        pytest.param("86400", 3600.0, id="a day counts as an hour"),
        pytest.param("99999999999999999999", 3600.0, id="more seconds than any clock has"),
        pytest.param("9" * 400, 3600.0, id="more than a number holds"),
        pytest.param("Sun, 03 Feb 2036 00:00:30 GMT", 3600.0, id="a date in ten years"),
        pytest.param("Sun, 03 Feb 99999999999999999999 00:00:30 GMT", None, id="a date that no calendar has"),
        pytest.param("soon", None, id="nonsense"),
        pytest.param("-5", None, id="a negative number"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_retry_after_is_read_as_seconds(header: str, seconds: float | None) -> None:
    assert retry_after_seconds({"Retry-After": header}, now=NOW) == seconds


def test_no_retry_after_header_is_none() -> None:
    assert retry_after_seconds({}, now=NOW) is None
