"""What manifests are checked for. The ids are stable: SARIF results and `-o json` carry them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Weight(StrEnum):
    """How much a mistake matters."""

    ERROR = "Error"
    """The API server or the operator refuses the object, or it cannot do what it says."""
    WARNING = "Warning"
    """It works, though hardly as meant."""
    NOTE = "Note"
    """Worth knowing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One kind of mistake. `heaviest` is the weight it usually has."""

    id: str
    title: str
    remedy: str
    heaviest: Weight = Weight.ERROR


UNREADABLE: Final = Check(
    id="UnreadableFile",
    title="A file cannot be read as YAML",
    remedy="mend the file; templates have to be rendered first",
)
UNKNOWN_KIND: Final = Check(
    id="UnknownKind",
    title="An object of batchaccess.dev has a kind or version that does not exist",
    remedy="write BatchPoolAccessPolicy or BatchAccountConnection with apiVersion batchaccess.dev/v1alpha1",
)
UNKNOWN_FIELD: Final = Check(
    id="UnknownField",
    title="A field that the kind does not have",
    remedy="correct the name; kubectl refuses such fields, other clients lose them silently",
)
REPEATED_FIELD: Final = Check(
    id="RepeatedField",
    title="A field stands twice in one object",
    remedy="keep one of them; YAML readers silently take the last",
)
INVALID_FIELD: Final = Check(
    id="InvalidField",
    title="A value that the CustomResourceDefinition refuses",
    remedy="correct the value as the message says",
)
INVALID_SCHEDULE: Final = Check(
    id="InvalidSchedule",
    title="A window whose schedule or time zone does not exist",
    remedy="write a cron expression of five fields and an IANA time zone",
)
REPEATED_OBJECT: Final = Check(
    id="RepeatedObject",
    title="Two objects have the same kind, namespace and name",
    remedy="rename or remove one; applied in turn, the later one replaces the earlier",
)
BROKEN_ASSERTION: Final = Check(
    id="BrokenAssertion",
    title="A policy declares access that breaks its own assertion",
    remedy="narrow allowFrom or the rules of the endpoint, or correct the assertion",
)
LIMIT_EXCEEDED: Final = Check(
    id="LimitExceeded",
    title="The Batch service refuses such a network",
    remedy="stay within the limit that the message names",
)
NOT_ACCEPTED: Final = Check(
    id="NotAccepted",
    title="A connection does not accept the policy",
    remedy="ask for a wider grant, or ask for less",
)
SHADOWED_RULE: Final = Check(
    id="ShadowedRule",
    title="A rule that never decides anything",
    remedy="remove it, or give it a smaller priority number than those that take all it matches",
    heaviest=Weight.WARNING,
)
REDUNDANT_RULE: Final = Check(
    id="RedundantRule",
    title="A rule or source without which exactly the same sources get in",
    remedy="remove it: a pool has at most 25 rules",
    heaviest=Weight.WARNING,
)
SAME_POOLS: Final = Check(
    id="SamePools",
    title="Two policies claim the same pools",
    remedy="narrow a selector, or say by spec.priority which one is meant to govern",
    heaviest=Weight.WARNING,
)

CHECKS: Final = (
    UNREADABLE,
    UNKNOWN_KIND,
    UNKNOWN_FIELD,
    REPEATED_FIELD,
    INVALID_FIELD,
    INVALID_SCHEDULE,
    REPEATED_OBJECT,
    BROKEN_ASSERTION,
    LIMIT_EXCEEDED,
    NOT_ACCEPTED,
    SHADOWED_RULE,
    REDUNDANT_RULE,
    SAME_POOLS,
)
"""All of them, the gravest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing wrong with one object or file.

    Attributes:
        check: what kind of mistake.
        weight: how much it matters.
        file: as named on the command line, `stdin` for `-`.
        line: where in it; None if nobody knows.
        subject: the object as people name it, such as `BatchPoolAccessPolicy render/ssh`; empty for a whole file.
        path: the field, empty for the whole object.
        message: what is wrong and what would be right.
    """

    check: Check
    weight: Weight
    file: str
    line: int | None
    subject: str = ""
    path: str = ""
    message: str

    @property
    def place(self) -> str:
        """The place as editors and terminals make a link of: `policies/ssh.yaml:12`."""
        return self.file if self.line is None else f"{self.file}:{self.line}"
