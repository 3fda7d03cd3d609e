"""The scale of a pool as it is recorded before a drain, and how an observed scale compares with it."""

from dataclasses import dataclass, field
from typing import Final

from batchaccess.core.model import NodeCounts, ObservedPool, Scale
from batchaccess.core.saga.durations import same_duration

DEFAULT_RESIZE_TIMEOUT: Final = "PT15M"
"""What the service takes where none is given (REST document "Pool - Resize")."""

NO_NODES: Final = NodeCounts()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedScale:
    """What a restore brings back.

    With a formula, formula and interval decide and the counts only describe; without one, targets and resize timeout.

    Attributes:
        targets: how many nodes were wanted.
        current: how many there were, so that a pool that never had them all is not said to have lost them.
        resize_timeout: as the service returned it.
        autoscale_formula: None if autoscale was off.
        autoscale_interval: as the service returned it.
    """

    targets: NodeCounts = field(default_factory=NodeCounts)
    current: NodeCounts = field(default_factory=NodeCounts)
    resize_timeout: str = DEFAULT_RESIZE_TIMEOUT
    autoscale_formula: str | None = None
    autoscale_interval: str | None = None

    @property
    def autoscale(self) -> bool:
        """Whether a formula decided."""
        return self.autoscale_formula is not None


def recorded_scale(pool: ObservedPool) -> RecordedScale | None:
    """The scale of a pool as it is now; None if autoscale is on and the service did not say by which formula."""
    scale = pool.scale
    if scale.autoscale and not scale.autoscale_formula:
        return None
    return RecordedScale(
        targets=scale.target,
        current=scale.current,
        resize_timeout=scale.resize_timeout or DEFAULT_RESIZE_TIMEOUT,
        autoscale_formula=scale.autoscale_formula if scale.autoscale else None,
        autoscale_interval=scale.autoscale_interval if scale.autoscale else None,
    )


def is_as_recorded(scale: Scale, recorded: RecordedScale) -> bool:
    """Whether what decides the size of a pool is what was recorded; nodes may still be on their way."""
    if recorded.autoscale:
        return (
            scale.autoscale
            and scale.autoscale_formula == recorded.autoscale_formula
            and same_duration(scale.autoscale_interval, recorded.autoscale_interval)
        )
    return (
        not scale.autoscale
        and scale.target == recorded.targets
        and same_duration(scale.resize_timeout or DEFAULT_RESIZE_TIMEOUT, recorded.resize_timeout)
    )


def is_drained(scale: Scale) -> bool:
    """Whether no node is wanted and no formula decides: what a drain sets."""
    return not scale.autoscale and scale.target == NO_NODES


def capacity_is_back(scale: Scale, recorded: RecordedScale) -> bool:
    """Whether there are as many nodes of each kind as were wanted, or as many as there were before."""
    return scale.current.dedicated >= min(
        recorded.targets.dedicated, recorded.current.dedicated
    ) and scale.current.low_priority >= min(recorded.targets.low_priority, recorded.current.low_priority)


def scale_line(recorded: RecordedScale) -> str:
    """A recorded scale in one line, for people."""
    if recorded.autoscale:
        return "autoscale with the recorded formula"
    return f"{recorded.targets.dedicated} dedicated and {recorded.targets.low_priority} low-priority nodes"
