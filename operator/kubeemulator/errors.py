"""Every refusal of the API as one exception that becomes a Status object, with the real server's texts.

Texts: `k8s.io/apimachinery/pkg/api/errors`. kubectl prints them and clients match on `reason`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeemulator.fielderrors import FieldError, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeemulator.jsontypes import JsonObject
    from kubeemulator.kinds import Resource


class ApiError(Exception):
    """A refusal, as the client will see it."""

    def __init__(self, code: int, reason: str, message: str, details: JsonObject | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}

    def as_status(self) -> JsonObject:
        """The `Status` object of the answer."""
        status: JsonObject = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if self.details:
            status["details"] = self.details
        return {**status, "code": self.code}


def _details(resource: Resource, name: str) -> JsonObject:
    details: JsonObject = {"name": name, "kind": resource.plural}
    if resource.group:
        details["group"] = resource.group
    return details


def not_found(resource: Resource, name: str) -> ApiError:
    """There is no such object."""
    return ApiError(404, "NotFound", f'{resource.qualified} "{name}" not found', _details(resource, name))


def no_such_path() -> ApiError:
    """The server serves no such resource."""
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def already_exists(resource: Resource, name: str) -> ApiError:
    """The name is taken."""
    message = f'{resource.qualified} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _details(resource, name))


def conflict(resource: Resource, name: str, why: str) -> ApiError:
    """The object is not in the state that the request supposes."""
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(resource, name))


def modified(resource: Resource, name: str) -> ApiError:
    """The request carries an older resource version than the stored one."""
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(resource, name, why)


def invalid(resource: Resource, name: str, errors: Sequence[FieldError]) -> ApiError:
    """The object breaks rules of its kind; all of them are listed."""
    qualified_kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    details: JsonObject = {"name": name, "kind": resource.kind}
    if resource.group:
        details["group"] = resource.group
    details["causes"] = [error.as_cause() for error in dict.fromkeys(errors)]
    return ApiError(422, "Invalid", f'{qualified_kind} "{name}" is invalid: {joined(errors)}', details)


def bad_request(message: str) -> ApiError:
    """The request cannot be understood."""
    return ApiError(400, "BadRequest", message)


def forbidden(resource: Resource, name: str, why: str) -> ApiError:
    """The request is understood and not permitted."""
    title = f'{resource.qualified} "{name}"' if name else resource.qualified
    return ApiError(403, "Forbidden", f"{title} is forbidden: {why}", _details(resource, name))


def unauthorized() -> ApiError:
    """The caller's credentials are unknown."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def method_not_allowed() -> ApiError:
    """The resource is served, but not with this verb."""
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def unsupported_media_type(given: str, accepted: Sequence[str]) -> ApiError:
    """The body's type is not one that this resource takes."""
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return ApiError(415, "UnsupportedMediaType", message, {"causes": [{"message": given}]} if given else None)


def rejected_patch(detail: str) -> ApiError:
    """A JSON patch that does not apply; kopf reads 422 as "somebody was faster, try again"."""
    message = f"the server rejected our request due to an error in our request ({detail})"
    return ApiError(422, "Invalid", message)


def gone(asked: int, oldest: int) -> ApiError:
    """The asked resource version is outside the remembered history: the client must list again."""
    return ApiError(410, "Expired", f"too old resource version: {asked} ({oldest})")
