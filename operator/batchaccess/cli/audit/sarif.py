"""An audit for code scanning. A saved pool is placed at its line of the file, a live one at its address."""

from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from batchaccess.cli.audit.evaluation import Audit, AuditedAccount, AuditedPool
from batchaccess.cli.outputs import ExitStatus
from batchaccess.cli.outputs.sarif import Level, SarifResult, SarifRule, sarif_log
from batchaccess.core.findingrules import RULES, FindingKind, FindingRule
from batchaccess.core.findings import Finding, Severity

_LEVELS: Final = {
    Severity.HIGH: Level.ERROR,
    Severity.MEDIUM: Level.WARNING,
    Severity.LOW: Level.WARNING,
    Severity.INFO: Level.NOTE,
}
_BY_KIND: Final = {
    FindingKind.EXPOSURE: (Level.ERROR, 8.0),
    FindingKind.UNDETERMINED: (Level.WARNING, 5.0),
    FindingKind.ADVICE: (Level.NOTE, 2.0),
}
_STDIN: Final = "stdin"


def audit_sarif(audit: Audit, status: ExitStatus) -> dict[str, Any]:
    """The whole audit as a SARIF log."""
    results = [_result(account, pool, finding) for account, pool, finding in audit.findings]
    return sarif_log([_rule(rule) for rule in RULES], results, audit.problems, status)


def _rule(rule: FindingRule) -> SarifRule:
    level, severity = _BY_KIND[rule.kind]
    return SarifRule(
        id=rule.id,
        title=rule.title,
        help=f"What to do: {rule.remedy}. Source: {rule.citation.title}.",
        help_uri=rule.citation.url,
        level=level,
        security_severity=severity,
    )


def _result(account: AuditedAccount, pool: AuditedPool | None, finding: Finding) -> SarifResult:
    read = account.read
    names = [read.name, *([pool.id] if pool else []), *([finding.endpoint] if finding.endpoint else [])]
    about = f"Pool {pool.id}" if pool else f"Account {read.name}"
    if read.live:
        uri = read.source if pool is None else f"{read.source}/pools/{quote(pool.id, safe='')}"
        line = None
    else:
        uri = quote(Path(read.source).as_posix())
        line = None if pool is None or read.source == _STDIN else _lines(read.source).get(pool.id)
    return SarifResult(
        rule=finding.rule.id,
        level=_LEVELS[finding.severity],
        message=f"{about}: {finding.message}",
        uri=uri,
        line=line,
        logical=tuple(names),
        properties={"severity": finding.severity.value, "kind": finding.rule.kind.value},
    )


@cache
def _lines(path: str) -> dict[str, int]:
    """Where each pool begins in a file of indented JSON: the first line that says its id or name; pools only."""
    found: dict[str, int] = {}
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    for number, line in enumerate(text.splitlines(), start=1):
        key, colon, value = line.strip().rstrip(",").partition(":")
        if colon and key.strip().strip('"') in {"id", "name"}:
            found.setdefault(value.strip().strip('"'), number)
    return found
