"""What every row of the tables of health says."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

KubernetesObject: TypeAlias = dict[str, Any]
Make: TypeAlias = Callable[[], Coroutine[Any, Any, KubernetesObject]]


class Health(StrEnum):
    """Argo CD's words for health that ours use."""

    HEALTHY = "Healthy"
    PROGRESSING = "Progressing"
    DEGRADED = "Degraded"
    SUSPENDED = "Suspended"


class Kstatus(StrEnum):
    """The words of kstatus that ours use."""

    CURRENT = "Current"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    TERMINATING = "Terminating"
    """Whatever is being deleted."""


SAME: dict[Health, Kstatus] = {
    Health.HEALTHY: Kstatus.CURRENT,
    Health.SUSPENDED: Kstatus.CURRENT,
    Health.PROGRESSING: Kstatus.IN_PROGRESS,
    Health.DEGRADED: Kstatus.FAILED,
}
"""Which words of the two mean the same. To kstatus what is suspended is as it was asked to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A state that users meet, and how it shows.

    Attributes:
        id: a sentence; also the name of the file in testdata.
        make: the object in this state.
        health: what Argo CD shows.
        says: a part of the message beside it.
        bare: what kstatus makes of it by itself, where that is not the same.
    """

    id: str
    make: Make
    health: Health
    says: str
    bare: Kstatus | None = None

    @property
    def kstatus(self) -> Kstatus:
        """What kstatus makes of it by itself."""
        return self.bare or SAME[self.health]

    @property
    def file_name(self) -> str:
        """Its name in testdata."""
        return f"{self.id.replace(' ', '-')}.yaml"
