"""What is wrong with one field of an object, in the words of the real API server.

The texts are those of `k8s.io/apimachinery/pkg/util/validation/field` and of kube-openapi's validation, because
kubectl prints them unchanged and people search for them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubeemulator.jsontypes import JsonObject, JsonValue


class Reason(StrEnum):
    """The machine-readable kinds of field error (`metav1.CauseType`)."""

    INVALID = "FieldValueInvalid"
    REQUIRED = "FieldValueRequired"
    DUPLICATE = "FieldValueDuplicate"
    NOT_SUPPORTED = "FieldValueNotSupported"
    FORBIDDEN = "FieldValueForbidden"
    TOO_LONG = "FieldValueTooLong"
    TOO_MANY = "FieldValueTooMany"
    TYPE_INVALID = "FieldValueTypeInvalid"


_BLOCKING = {Reason.NOT_SUPPORTED, Reason.REQUIRED, Reason.TOO_LONG, Reason.TOO_MANY, Reason.TYPE_INVALID}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One refused field."""

    field: str
    """Path from the object's root, such as `spec.items[0].name`; `<nil>` for the object as a whole."""

    message: str
    """What is wrong, beginning with the kind of error, such as `Invalid value: 0: ...`."""

    reason: Reason = Reason.INVALID

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"

    @property
    def blocks_rules(self) -> bool:
        """Whether CEL rules are left unevaluated because they could not trust the object's shape."""
        return self.reason in _BLOCKING

    def as_cause(self) -> JsonObject:
        """The entry of `details.causes` of a Status object."""
        return {"reason": self.reason.value, "message": self.message, "field": self.field}


def shown(value: JsonValue) -> str:
    """A value as error texts show it: strings quoted, objects as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def invalid(field: str, value: JsonValue, detail: str) -> FieldError:
    """A value that breaks a rule."""
    return FieldError(field=field, message=f"Invalid value: {shown(value)}: {detail}")


def wrong_type(field: str, value: JsonValue, detail: str) -> FieldError:
    """A value of another JSON type than the schema asks for."""
    return FieldError(field=field, message=f"Invalid value: {shown(value)}: {detail}", reason=Reason.TYPE_INVALID)


def required(field: str, detail: str = "") -> FieldError:
    """A field that has to be given."""
    return FieldError(field=field, message=_with_detail("Required value", detail), reason=Reason.REQUIRED)


def forbidden(field: str, detail: str) -> FieldError:
    """A field that may not be given here."""
    return FieldError(field=field, message=_with_detail("Forbidden", detail), reason=Reason.FORBIDDEN)


def duplicate(field: str, value: JsonValue) -> FieldError:
    """A list entry whose identity another entry has."""
    return FieldError(field=field, message=f"Duplicate value: {shown(value)}", reason=Reason.DUPLICATE)


def not_supported(field: str, value: JsonValue, supported: Iterable[JsonValue]) -> FieldError:
    """A value outside a closed set."""
    choices = ", ".join(shown(choice) for choice in supported)
    message = f"Unsupported value: {shown(value)}: supported values: {choices}"
    return FieldError(field=field, message=message, reason=Reason.NOT_SUPPORTED)


def too_long(field: str, limit: int) -> FieldError:
    """A string above its maximal length."""
    return FieldError(field=field, message=f"Too long: may not be more than {limit} bytes", reason=Reason.TOO_LONG)


def too_many(field: str, count: int, limit: int) -> FieldError:
    """A list or map with more entries than permitted."""
    message = f"Too many: {count}: must have at most {limit} items"
    return FieldError(field=field, message=message, reason=Reason.TOO_MANY)


def joined(errors: Iterable[FieldError]) -> str:
    """All errors in one line, each text once, as Go's aggregate prints them."""
    texts = list(dict.fromkeys(str(error) for error in errors))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def _with_detail(start: str, detail: str) -> str:
    return f"{start}: {detail}" if detail else start
