"""Who held a Lease and who wrote to the Batch account when: what the proofs of failover rest on."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

_LEADS: Final = re.compile(r"this replica leads as (\S+?)[\"\s]")
_READS: Final = ("GET", "HEAD")


def identities_in(log: str) -> set[str]:
    """Under which identities the replica with this log ever led."""
    return set(_LEADS.findall(log))


@dataclass
class Witness:
    """What happened when, by one clock.

    Attributes:
        holders: who held the Lease at each look; empty for nobody.
        calls: when which replica asked the account for something, and by which method.
    """

    holders: list[tuple[float, str]] = field(default_factory=list)
    calls: list[tuple[float, str, str]] = field(default_factory=list)

    @property
    def holder(self) -> str:
        """Who held it at the last look."""
        return self.holders[-1][1] if self.holders else ""

    def calls_of(self, replica: str, *, since: float = 0, writes: bool = False) -> list[float]:
        """When a replica asked for something."""
        return [
            at
            for at, name, method in self.calls
            if name == replica and at >= since and (method not in _READS or not writes)
        ]

    def terms(self) -> list[tuple[float, float, str]]:
        """From when to when which identity held the Lease, as witnessed; the last has no end."""
        changes = [
            (at, holder)
            for number, (at, holder) in enumerate(self.holders)
            if number == 0 or self.holders[number - 1][1] != holder
        ]
        ends = [at for at, _ in changes[1:]] + [float("inf")]
        return [(at, end, holder) for (at, holder), end in zip(changes, ends, strict=True)]

    def writes_without_the_lease(
        self, identities: Mapping[str, Collection[str]], *, tolerance: float = 0.3
    ) -> list[tuple[float, str]]:
        """Writes to the account outside the terms of who made them, give or take how often the witness looks.

        `identities` are those of each replica.
        """
        terms = self._possible_terms()
        return [
            (at, name)
            for at, name, method in self.calls
            if method not in _READS
            and not any(
                began - tolerance <= at <= ended + tolerance and holder in identities.get(name, ())
                for began, ended, holder in terms
            )
        ]

    def _possible_terms(self) -> list[tuple[float, float, str]]:
        """The terms, as long as they can have been: from the last look that saw another to the next that did."""
        return [
            (
                max((at for at, other in self.holders if at < began and other != holder), default=began),
                ended,
                holder,
            )
            for began, ended, holder in self.terms()
        ]
