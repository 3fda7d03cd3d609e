"""BatchPoolAccessPolicy as teams and administrators write it; what it declares of the network is in `api.access`."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from batchaccess.api import grammar
from batchaccess.api.access import AccessSpec
from batchaccess.api.envelope import Resource
from batchaccess.api.fields import (
    DnsLabel,
    EachOnce,
    Labels,
    ModeWord,
    PolicyPriority,
    PoolGlobs,
    Port,
    StrategyWord,
    Whole,
)
from batchaccess.api.rules import ApiModel, Violation, refusal, refuse
from batchaccess.core.declared import (
    Mode,
    NodeDeallocation,
    Strategy,
    WindowKind,
)


def _zone_or_cidr(text: str) -> str:
    if text in {"Internet", "VirtualNetwork"} or grammar.is_cidr(text):
        return text
    hint = "" if not grammar.is_ip(text) else f"; write {text}{'/128' if ':' in text else '/32'}"
    raise refuse(f"'{text}' is neither Internet nor VirtualNetwork nor a CIDR{hint}")


Outsider: TypeAlias = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_zone_or_cidr)]


class ConnectionSelectorSpec(ApiModel):
    """Which accounts the policy is for."""

    names: Annotated[EachOnce[DnsLabel], Field(min_length=1, max_length=50)] | None = None
    match_labels: Labels | None = None

    def violations(self) -> Iterator[Violation]:
        """One way of selecting, never none or both."""
        if (self.names is None) == (self.match_labels is None):
            yield Violation((), "give exactly one of names and matchLabels")


class PoolSelectorSpec(ApiModel):
    """Which pools of these accounts; all given parts must match."""

    ids: Annotated[PoolGlobs, Field(min_length=1)] = Field(default_factory=lambda: ["*"])
    exclude_ids: PoolGlobs = Field(default_factory=list)
    match_metadata: Annotated[dict[str, Annotated[str, Field(max_length=1024)]], Field(max_length=16)] = Field(
        default_factory=dict
    )


class AssertionSpec(ApiModel):
    """A property that must hold whatever the configuration."""

    name: DnsLabel
    ports: Annotated[EachOnce[Port], Field(min_length=1, max_length=100)] | None = None
    not_reachable_from: Annotated[EachOnce[Outsider], Field(min_length=1, max_length=50)]


def _names_once(assertions: list[AssertionSpec]) -> list[AssertionSpec]:
    names = [assertion.name for assertion in assertions]
    repeated = [index for index, name in enumerate(names) if name in names[:index]]
    if repeated:
        raise refusal(
            Violation((index,), f"name {names[index]} is used twice; names are unique in a policy")
            for index in repeated
        )
    return assertions


_SHORTEST_SCHEDULE: Final = 9
"""Characters that five fields and what separates them have at the least."""


def _room_for_five_fields(value: object) -> object:
    if isinstance(value, str) and len(value) < _SHORTEST_SCHEDULE:
        raise refuse(grammar.not_five_fields(value))
    return value


class WindowSpec(ApiModel):
    """A recurring span of time; whether its schedule and zone exist is for `api.schedules` to say."""

    kind: Annotated[WindowKind, Field(strict=False)]
    schedule: Annotated[
        str, Field(min_length=_SHORTEST_SCHEDULE, max_length=100), BeforeValidator(_room_for_five_fields)
    ]
    duration_seconds: Annotated[Whole, Field(ge=60, le=604800)]
    time_zone: Annotated[str, Field(min_length=1, max_length=64)] = "UTC"


class RemediationSpec(ApiModel):
    """How pools that differ are corrected."""

    strategy: StrategyWord = Strategy.WHEN_EMPTY
    pause_autoscale: bool = False
    node_deallocation: Annotated[NodeDeallocation, Field(strict=False)] = NodeDeallocation.TASK_COMPLETION
    drain_timeout_seconds: Annotated[Whole, Field(ge=300, le=604800)] = 7200
    max_concurrent: Annotated[Whole, Field(ge=1, le=1000)] = 1
    windows: Annotated[list[WindowSpec], Field(max_length=16)] = Field(default_factory=list)

    def violations(self) -> Iterator[Violation]:
        """Pausing autoscale belongs to one strategy."""
        if self.pause_autoscale and self.strategy is Strategy.DRAIN:
            yield Violation(
                (), "pauseAutoscale is for strategy WhenEmpty only; strategy Drain stops autoscaling by itself"
            )


class PolicySpec(ApiModel):
    """Desired access of the selected pools, and how to correct them."""

    connections: ConnectionSelectorSpec
    pools: PoolSelectorSpec = Field(default_factory=PoolSelectorSpec)
    priority: PolicyPriority = 0
    mode: ModeWord = Mode.AUDIT
    suspend: bool = False
    access: AccessSpec = Field(default_factory=AccessSpec)
    assertions: Annotated[list[AssertionSpec], Field(max_length=20), AfterValidator(_names_once)] = Field(
        default_factory=list
    )
    remediation: RemediationSpec = Field(default_factory=RemediationSpec)


class PolicyResource(Resource):
    """A whole BatchPoolAccessPolicy."""

    kind: Literal["BatchPoolAccessPolicy"]
    spec: PolicySpec
