"""Draws the state machine of a saga into docs/remediation.md, from the table that the operator decides by.

Run as `python scripts/draw_saga.py`; `--check` only says whether the page is up to date.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from batchaccess.core.saga.rules import GONE, Rule
from batchaccess.core.saga.steps import Step
from batchaccess.core.saga.table import TABLE

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "remediation.md"
BEGIN: Final = "<!-- drawn from operator/batchaccess/core/saga/table.py by scripts/draw_saga.py -->"
END: Final = "<!-- end of what is drawn -->"


def drawn() -> str:
    """The diagram and one table for each step."""
    return "\n".join([BEGIN, "", *_diagram(), "", *_tables(), END])


def page_with(text: str) -> str:
    """The page with what is drawn put in place of what was.

    Raises:
        ValueError: the page has no place for it.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/remediation.md has no lines {BEGIN!r} and {END!r}")
    return before + drawn() + after


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield "    [*] --> Preparing: a busy pool drifts and every gate is open"
    yield "    [*] --> Restoring: only our copy in Azure is there"
    yield "    [*] --> TakingOver: the annotation adopt names the saga"
    for step, rules in TABLE.items():
        for target in dict.fromkeys(target for rule in rules for target in _targets(rule)):
            if target != step.value:
                yield f"    {step.value} --> {'[*]' if target == GONE else target}"
    yield "```"


def _targets(rule: Rule) -> list[str]:
    return [] if rule.leads_to is None else str(rule.leads_to).split(" or ")


def _tables() -> Iterator[str]:
    for step in Step:
        yield f"### {step.value}"
        yield ""
        yield "The first row that holds decides."
        yield ""
        yield "| when | what is done | leads to |"
        yield "|---|---|---|"
        for rule in TABLE[step]:
            yield f"| {rule.when} | {rule.does} | {'' if rule.leads_to is None else str(rule.leads_to)} |"
        yield ""


def main() -> int:
    """Write the page, or compare it."""
    text = PAGE.read_text(encoding="utf-8")
    wanted = page_with(text)
    if "--check" in sys.argv[1:]:
        return 0 if wanted == text else 1
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
