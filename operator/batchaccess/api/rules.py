"""What every model of the API shares: strict types, camelCase names, rules that report each breach with its path.

The models stand for objects after pruning and defaulting: unknown fields are ignored and nulls count as absent, as the
API server has it (Kubernetes documentation "Extend the Kubernetes API with CustomResourceDefinitions").
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import InitErrorDetails, PydanticCustomError


class Violation(NamedTuple):
    """One broken rule: where, relative to the value that has the rule, and what to do about it."""

    path: tuple[str | int, ...]
    message: str


def refusal(violations: Iterable[Violation]) -> ValidationError:
    """The exception that makes a validator report all of `violations`, each at its own path."""
    return ValidationError.from_exception_data(
        "rules",
        [
            InitErrorDetails(
                type=PydanticCustomError("rule", "{text}", {"text": violation.message}),
                loc=violation.path,
                input=None,
            )
            for violation in violations
        ],
    )


def refuse(message: str) -> ValidationError:
    """The exception that makes a validator refuse its very value."""
    return refusal([Violation((), message)])


class ApiModel(BaseModel):
    """A part of a custom resource."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, alias_generator=to_camel)

    def violations(self) -> Iterator[Violation]:
        """Every rule over several fields that this value breaks; the counterparts of the CEL rules of the CRD."""
        return iter(())

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, value: Any) -> Any:  # noqa: ANN401 a before-validator gets whatever was written
        if not isinstance(value, dict):
            return value
        return {key: child for key, child in value.items() if child is not None}

    @model_validator(mode="after")
    def _obey_rules(self) -> Self:
        found = tuple(self.violations())
        if found:
            raise refusal(found)
        return self
