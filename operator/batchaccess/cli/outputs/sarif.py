"""SARIF 2.1.0 logs, which code scanning takes in (OASIS "Static Analysis Results Interchange Format")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from batchaccess import __version__
from batchaccess.cli.inputs import Failure
from batchaccess.cli.outputs.exits import ExitStatus

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_FINGERPRINT: Final = "batchaccess/v1"


class Level(StrEnum):
    """How much a result matters to code scanning."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class SarifRule:
    """A kind of result. `security_severity` is what code scanning sorts by, from 0 to 10; None for no security rule."""

    id: str
    title: str
    help: str
    help_uri: str | None
    level: Level
    security_severity: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SarifResult:
    """One result.

    Attributes:
        rule: the id of its rule.
        level: how much it matters.
        message: what is so.
        uri: the file, as a relative path where it has one, or the address it is about.
        line: in that file, None if nobody knows.
        logical: the place by names, outermost first, such as account, pool and endpoint.
    """

    rule: str
    level: Level
    message: str
    uri: str
    line: int | None = None
    logical: tuple[str, ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)


def sarif_log(
    rules: Sequence[SarifRule], results: Sequence[SarifResult], errors: Sequence[Failure], status: ExitStatus
) -> dict[str, Any]:
    """A whole log of one run.

    Args:
        rules: every rule that the results refer to; others may be among them.
        results: what was found.
        errors: what could not be read.
        status: what the command ends with.
    """
    positions = {rule.id: position for position, rule in enumerate(rules)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(rules)},
                "invocations": [
                    {
                        "executionSuccessful": status is not ExitStatus.ERROR,
                        "exitCode": int(status),
                        "toolExecutionNotifications": [
                            {"level": "error", "message": {"text": f"{error.source}: {error.message}"}}
                            for error in errors
                        ],
                    }
                ],
                "results": [_result(result, positions[result.rule]) for result in results],
                "columnKind": "unicodeCodePoints",
            }
        ],
    }


def _driver(rules: Sequence[SarifRule]) -> dict[str, Any]:
    return {
        "name": "batchaccess",
        "version": __version__,
        "rules": [_rule(rule) for rule in rules],
    }


def _rule(rule: SarifRule) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": rule.id,
        "name": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.title},
        "help": {"text": rule.help},
        "defaultConfiguration": {"level": rule.level.value},
    }
    if rule.help_uri is not None:
        document["helpUri"] = rule.help_uri
    if rule.security_severity is not None:
        document["properties"] = {"security-severity": f"{rule.security_severity:.1f}", "tags": ["security"]}
    return document


def _result(result: SarifResult, position: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": result.uri}}
    if result.line is not None:
        place["region"] = {"startLine": result.line}
    location: dict[str, Any] = {"physicalLocation": place}
    if result.logical:
        location["logicalLocations"] = [
            {"name": result.logical[-1], "fullyQualifiedName": "/".join(result.logical), "kind": "resource"}
        ]
    document: dict[str, Any] = {
        "ruleId": result.rule,
        "ruleIndex": position,
        "level": result.level.value,
        "message": {"text": result.message},
        "locations": [location],
        "partialFingerprints": {_FINGERPRINT: _fingerprint(result)},
    }
    if result.properties:
        document["properties"] = dict(result.properties)
    return document


def _fingerprint(result: SarifResult) -> str:
    """The same for the same thing at the next run, wherever in a file it stands by then."""
    where = result.logical or (result.uri,)
    return sha256("\0".join((result.rule, *where)).encode()).hexdigest()[:32]
