"""Types of fields that several kinds share, with the bounds that the CRDs set."""

from typing import Annotated, Final, TypeAlias, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from batchaccess.api import grammar
from batchaccess.api.rules import Violation, refusal, refuse
from batchaccess.core.declared import (
    Mode,
    Strategy,
)

T = TypeVar("T")

MAX_PRIORITY_OF_POLICIES: Final = 1_000_000


def _whole(value: object) -> object:
    """JSON has one kind of number: 60.0 is an integer there."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _each_once(values: list[T]) -> list[T]:
    repeated = [index for index, value in enumerate(values) if value in values[:index]]
    if repeated:
        raise refusal(Violation((index,), f"{values[index]} is listed twice; remove one") for index in repeated)
    return values


def _source(text: str) -> str:
    if not grammar.is_source(text):
        raise refuse(
            f"'{text}' is no IP address, CIDR, * or service tag such as Internet or Storage.WestEurope",
        )
    return text


Whole: TypeAlias = Annotated[int, BeforeValidator(_whole)]
Port: TypeAlias = Annotated[Whole, Field(ge=1, le=65535)]
PolicyPriority: TypeAlias = Annotated[Whole, Field(ge=-MAX_PRIORITY_OF_POLICIES, le=MAX_PRIORITY_OF_POLICIES)]

EachOnce: TypeAlias = Annotated[list[T], AfterValidator(_each_once)]
"""A list of type `set`: order means nothing, and no entry is there twice."""

DnsLabel: TypeAlias = Annotated[str, Field(max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
PoolGlob: TypeAlias = Annotated[str, Field(max_length=64, pattern=r"^[0-9A-Za-z_*?-]+$")]
PoolGlobs: TypeAlias = Annotated[EachOnce[PoolGlob], Field(max_length=50)]
Source: TypeAlias = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_source)]
Labels: TypeAlias = Annotated[dict[str, Annotated[str, Field(max_length=63)]], Field(min_length=1, max_length=16)]

ModeWord: TypeAlias = Annotated[Mode, Field(strict=False)]
StrategyWord: TypeAlias = Annotated[Strategy, Field(strict=False)]
