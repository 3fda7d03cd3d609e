"""The service's error codes, their statuses and texts, and the body every error answer has.

Statuses and texts: the recorded errors where one exists, else REST doc "Batch Status and Error Codes".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from batchemulator.wire.times import format_instant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from batchemulator.wire.messages import JsonObject


class ErrorCode(StrEnum):
    """The codes this emulator answers with."""

    AUTHENTICATION_FAILED = "AuthenticationFailed"
    CONDITION_NOT_MET = "ConditionNotMet"
    FORBIDDEN = "Forbidden"
    INSUFFICIENT_PERMISSIONS = "InsufficientAccountPermissions"
    INTERNAL_ERROR = "InternalError"
    INVALID_PROPERTY_VALUE = "InvalidPropertyValue"
    INVALID_QUERY_PARAMETER_VALUE = "InvalidQueryParameterValue"
    INVALID_REQUEST_BODY = "InvalidRequestBody"
    JOB_BEING_DELETED = "JobBeingDeleted"
    JOB_COMPLETED = "JobCompleted"
    JOB_EXISTS = "JobExists"
    JOB_NOT_ACTIVE = "JobNotActive"
    JOB_NOT_FOUND = "JobNotFound"
    METADATA_TOO_LARGE = "MetadataTooLarge"
    MISSING_REQUIRED_PROPERTY = "MissingRequiredProperty"
    MISSING_REQUIRED_QUERY_PARAMETER = "MissingRequiredQueryParameter"
    NODE_NOT_FOUND = "NodeNotFound"
    NODE_STATE_UNUSABLE = "OperationNotValidOnNode"
    OPERATION_INVALID_FOR_CURRENT_STATE = "OperationInvalidForCurrentState"
    OPERATION_NOT_VALID_ON_POOL = "OperationNotValidOnPool"
    OPERATION_TIMED_OUT = "OperationTimedOut"
    POOL_BEING_DELETED = "PoolBeingDeleted"
    POOL_BEING_RESIZED = "PoolBeingResized"
    POOL_EXISTS = "PoolExists"
    POOL_NOT_FOUND = "PoolNotFound"
    PROPERTY_CANNOT_BE_UPDATED = "PropertyCannotBeUpdated"
    RESOURCE_NOT_FOUND = "ResourceNotFound"
    SERVER_BUSY = "ServerBusy"
    TASK_EXISTS = "TaskExists"
    TASK_NOT_FOUND = "TaskNotFound"
    TASK_COMPLETED = "TaskCompleted"
    TOO_MANY_ENABLE_AUTO_SCALE_REQUESTS = "TooManyEnableAutoScaleRequests"
    TOO_MANY_REQUESTS = "TooManyRequests"
    UNSUPPORTED_HTTP_VERB = "UnsupportedHttpVerb"


_CATALOGUE: Mapping[ErrorCode, tuple[int, str]] = {
    ErrorCode.AUTHENTICATION_FAILED: (
        403,
        "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly.",
    ),
    ErrorCode.CONDITION_NOT_MET: (412, "The condition specified using HTTP conditional header(s) is not met."),
    ErrorCode.FORBIDDEN: (403, "Access is Forbidden"),
    ErrorCode.INSUFFICIENT_PERMISSIONS: (
        403,
        "The account being accessed does not have sufficient permissions to execute this operation.",
    ),
    ErrorCode.INTERNAL_ERROR: (500, "Server encountered an internal error. Please try again after some time."),
    ErrorCode.INVALID_PROPERTY_VALUE: (
        400,
        "The value provided for one of the properties in the request body is invalid.",
    ),
    ErrorCode.INVALID_QUERY_PARAMETER_VALUE: (
        400,
        "Value for one of the query parameters specified in the request URI is invalid.",
    ),
    ErrorCode.INVALID_REQUEST_BODY: (400, "The specified Request Body is not syntactically valid."),
    ErrorCode.JOB_BEING_DELETED: (
        409,
        "The specified job has been marked for deletion and is being garbage collected.",
    ),
    ErrorCode.JOB_COMPLETED: (409, "The specified job is already in a completed state."),
    ErrorCode.JOB_EXISTS: (409, "The specified job already exists."),
    ErrorCode.JOB_NOT_ACTIVE: (409, "The specified job is not in an active state."),
    ErrorCode.JOB_NOT_FOUND: (404, "The specified job does not exist."),
    ErrorCode.METADATA_TOO_LARGE: (400, "The size of the specified metadata exceeds the maximum size permitted."),
    ErrorCode.MISSING_REQUIRED_PROPERTY: (400, "A required property was not specified in the request body."),
    ErrorCode.MISSING_REQUIRED_QUERY_PARAMETER: (
        400,
        "A query parameter that's mandatory for this request is not specified.",
    ),
    ErrorCode.NODE_NOT_FOUND: (404, "The specified node does not exist."),
    ErrorCode.NODE_STATE_UNUSABLE: (409, "The specified operation is not valid on the node."),
    ErrorCode.OPERATION_INVALID_FOR_CURRENT_STATE: (
        409,
        "The specified operation is not valid for the current state of the resource.",
    ),
    ErrorCode.OPERATION_NOT_VALID_ON_POOL: (409, "The specified operation is not valid on the pool."),
    ErrorCode.OPERATION_TIMED_OUT: (500, "Operation could not be completed within the specified time."),
    ErrorCode.POOL_BEING_DELETED: (409, "The specified pool has been marked for deletion and is being reclaimed."),
    ErrorCode.POOL_BEING_RESIZED: (409, "The specified pool is being resized."),
    ErrorCode.POOL_EXISTS: (409, "The specified pool already exists."),
    ErrorCode.POOL_NOT_FOUND: (404, "The specified pool does not exist."),
    ErrorCode.PROPERTY_CANNOT_BE_UPDATED: (
        400,
        "A property that cannot be updated was specified as part of the request.",
    ),
    ErrorCode.RESOURCE_NOT_FOUND: (404, "The specified resource does not exist."),
    ErrorCode.SERVER_BUSY: (503, "Server is busy. Please try again after some time."),
    ErrorCode.TASK_COMPLETED: (409, "The specified task is already in a completed state."),
    ErrorCode.TASK_EXISTS: (409, "The specified task already exists."),
    ErrorCode.TASK_NOT_FOUND: (404, "The specified task does not exist."),
    ErrorCode.TOO_MANY_ENABLE_AUTO_SCALE_REQUESTS: (
        503,
        "Too many requests to enable autoscale on the pool. Please try again after some time.",
    ),
    ErrorCode.TOO_MANY_REQUESTS: (429, "Request failed as server encountered too many requests. Please try again."),
    ErrorCode.UNSUPPORTED_HTTP_VERB: (405, "The resource doesn't support the specified HTTP verb."),
}


@dataclass(kw_only=True, eq=False)
class ServiceError(Exception):
    """An error the service answers with; `values` are its details in order, a None value is a key alone."""

    code: ErrorCode
    values: tuple[tuple[str, str | None], ...] = ()
    status_override: int | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return self.status_override if self.status_override is not None else _CATALOGUE[self.code][0]

    def body(self, *, base_url: str, request_id: str, now: datetime) -> JsonObject:
        """The error document; the message ends with the request's id and time, as the service's does."""
        text = f"{_CATALOGUE[self.code][1]}\nRequestId:{request_id}\nTime:{format_instant(now)}"
        document: JsonObject = {
            "odata.metadata": f"{base_url}/$metadata#Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element",
            "code": self.code.value,
            "message": {"lang": "en-US", "value": text},
        }
        if self.values:
            document["values"] = [
                {"key": key} if value is None else {"key": key, "value": value} for key, value in self.values
            ]
        return document


def invalid_property(name: str, value: object, reason: str) -> ServiceError:
    """A 400 naming the bare leaf property, its value and why it is refused."""
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return ServiceError(
        code=ErrorCode.INVALID_PROPERTY_VALUE,
        values=(("PropertyName", name), ("PropertyValue", shown), ("Reason", reason)),
    )


def invalid_query(name: str, value: str, reason: str) -> ServiceError:
    """A 400 naming the query parameter, its value and why it is refused."""
    return ServiceError(
        code=ErrorCode.INVALID_QUERY_PARAMETER_VALUE,
        values=(("QueryParameterName", name), ("QueryParameterValue", value), ("Reason", reason)),
    )


def missing_property(name: str) -> ServiceError:
    """A 400 naming the property the body lacks."""
    return ServiceError(code=ErrorCode.MISSING_REQUIRED_PROPERTY, values=(("PropertyName", name),))


def invalid_body(reason: str) -> ServiceError:
    """A 400 for a body that is not what the operation takes."""
    return ServiceError(code=ErrorCode.INVALID_REQUEST_BODY, values=(("Reason", reason),))


def refused(code: ErrorCode, reason: str) -> ServiceError:
    """An error of `code` with one line of reason."""
    return ServiceError(code=code, values=(("Reason", reason),))
