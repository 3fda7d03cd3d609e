"""Mistakes in every form: a document for machines, a log for code scanning, lines for people."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final
from urllib.parse import quote

from rich.text import Text

from batchaccess.cli.inputs import Failure
from batchaccess.cli.manifests import CHECKS, Check, Declared, Mistake, Weight, checks
from batchaccess.cli.outputs import ExitStatus, Output, report
from batchaccess.cli.outputs.sarif import Level, SarifResult, SarifRule, sarif_log
from batchaccess.cli.outputs.tables import say_beside

KIND: Final = "ValidationReport"
_LEVELS: Final = {Weight.ERROR: Level.ERROR, Weight.WARNING: Level.WARNING, Weight.NOTE: Level.NOTE}
_STYLES: Final = {Weight.ERROR: "bold red", Weight.WARNING: "yellow", Weight.NOTE: "dim"}
_COLUMNS: Final = 10


def validation_report(declared: Declared, mistakes: Sequence[Mistake]) -> dict[str, Any]:
    """Everything as docs/schemas/validation-report-v1.json describes it."""
    weights = Counter(mistake.weight for mistake in mistakes)
    return report(
        KIND,
        {
            "summary": {
                "files": declared.files,
                "objects": declared.objects,
                "errors": weights[Weight.ERROR],
                "warnings": weights[Weight.WARNING],
                "notes": weights[Weight.NOTE],
            },
            "mistakes": [_mistake(mistake) for mistake in mistakes],
        },
    )


def _mistake(mistake: Mistake) -> dict[str, Any]:
    return {
        "check": mistake.check.id,
        "weight": mistake.weight.value,
        "file": mistake.file,
        "line": mistake.line,
        "object": mistake.subject or None,
        "field": mistake.path or None,
        "message": mistake.message,
    }


def validation_sarif(mistakes: Sequence[Mistake], status: ExitStatus) -> dict[str, Any]:
    """Everything as a SARIF log, each mistake at its line."""
    unread = [mistake for mistake in mistakes if mistake.check is checks.UNREADABLE]
    return sarif_log(
        [_sarif_rule(check) for check in CHECKS],
        [_sarif_result(mistake) for mistake in mistakes],
        [Failure(source=mistake.place, message=mistake.message) for mistake in unread],
        status,
    )


def _sarif_rule(check: Check) -> SarifRule:
    return SarifRule(
        id=check.id,
        title=check.title,
        help=f"What to do: {check.remedy}.",
        help_uri=None,
        level=_LEVELS[check.heaviest],
    )


def _sarif_result(mistake: Mistake) -> SarifResult:
    place = f"{mistake.path}: " if mistake.path else ""
    return SarifResult(
        rule=mistake.check.id,
        level=_LEVELS[mistake.weight],
        message=f"{place}{mistake.message}",
        uri=quote(mistake.file),
        line=mistake.line,
        logical=tuple(part for part in (mistake.subject, mistake.path) if part),
    )


def show_validation(declared: Declared, mistakes: Sequence[Mistake], output: Output) -> None:
    """Print every mistake and a summary: by object on a terminal, a line each as compilers do elsewhere."""
    if output.screen.is_terminal and not output.quiet:
        _show_by_object(mistakes, output)
    else:
        for mistake in mistakes:
            path = f"{mistake.path}: " if mistake.path else ""
            weight = mistake.weight.lower()
            output.say(f"{mistake.place}: {weight}: {path}{mistake.message} [{mistake.check.id}]")
    output.say(_summary(declared, mistakes))


def _show_by_object(mistakes: Sequence[Mistake], output: Output) -> None:
    for (file, subject), found in groupby(mistakes, key=lambda mistake: (mistake.file, mistake.subject)):
        output.say(Text.assemble((subject or file, "bold"), (f"  {file}" if subject else "", "dim")))
        for mistake in found:
            head = Text(mistake.weight.value.lower(), style=_STYLES[mistake.weight])
            line = Text("" if mistake.line is None else f"line {mistake.line}  ", style="dim")
            path = Text.assemble((mistake.path, "bold"), ": ") if mistake.path else Text()
            body = Text.assemble(line, path, mistake.message, (f"  {mistake.check.id}", "dim"))
            say_beside(output.screen, head, body, columns=_COLUMNS)
        output.say()


def _summary(declared: Declared, mistakes: Sequence[Mistake]) -> Text:
    weights = Counter(mistake.weight for mistake in mistakes)
    read = f"{_plural(declared.objects, 'object')} in {_plural(declared.files, 'file')}: "
    if not mistakes:
        return Text.assemble(read, ("nothing to mend", "green"))
    counts = [(_plural(weights[weight], weight.lower()), _STYLES[weight]) for weight in Weight if weights[weight]]
    parts: list[str | tuple[str, str]] = [read]
    for index, count in enumerate(counts):
        parts += [", ", count] if index else [count]
    return Text.assemble(*parts)


def _plural(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
