"""An audit for people: who gets in where, what to do about it, and a policy to start from."""

from typing import Final

from rich.text import Text

from batchaccess.cli.audit.evaluation import Audit, AuditedAccount, AuditedPool
from batchaccess.cli.audit.snippets import snippets
from batchaccess.cli.outputs import Column, Output, Table
from batchaccess.cli.outputs.reachability import admitted_public, count_text, port_text, verdict_text
from batchaccess.cli.outputs.tables import say_beside, say_indented
from batchaccess.core.explain import SUBNET_NOTE, admits, because
from batchaccess.core.findingrules import FindingRule
from batchaccess.core.findings import Severity, weight
from batchaccess.core.model import Provisioning
from batchaccess.core.reachability import EndpointReachability
from batchaccess.core.reasons import ExposedReason
from batchaccess.core.zones import ZoneVerdict

_WHOLE_ACCOUNT: Final = 50
"""Pools of an account that are all shown; of a larger one only those with something to tell."""

_MOST_ROWS: Final = 200
_MOST_SNIPPETS: Final = 3
_MOST_NAMED: Final = 4
_INDENT: Final = 8
_STYLES: Final = {
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "red",
    Severity.LOW: "yellow",
    Severity.INFO: "dim",
}


def show_audit(audit: Audit, output: Output, *, everything: bool) -> None:
    """Print an audit. With `everything` nothing is cut short."""
    if not audit.accounts:
        return
    for account in audit.accounts:
        _show_account(account, output, everything=everything)
    _show_findings(audit, output, everything=everything)
    _show_snippets(audit, output, everything=everything)
    output.say(_summary(audit))


def _show_account(account: AuditedAccount, output: Output, *, everything: bool) -> None:
    output.say(Text.assemble((account.read.name, "bold"), "  ", (account.read.source, "dim")))
    if not account.pools:
        output.say("no pools" if not account.read.unreadable else "no pool could be read")
        output.say()
        return
    shown = [pool for pool in account.pools if everything or _tells(pool, account)]
    rows = [(pool, endpoint) for pool in shown for endpoint in pool.reachability.endpoints or (None,)]
    table = Table(
        columns=(
            Column(title="POOL", grouped=True),
            Column(title="ENDPOINT"),
            Column(title="PORT", below="{}"),
            Column(title="INTERNET", fixed=True),
            Column(title="WHO GETS IN"),
            Column(title="PUBLIC ADDRESSES", below="{} public addresses"),
            Column(title="BECAUSE", below="{}"),
        )
    )
    most = len(rows) if everything else _MOST_ROWS
    for pool, endpoint in rows[:most]:
        table.add(*_row(pool, endpoint))
    if rows:
        table.show(output.screen)
    left_out = [f"{len(rows) - most:,} more endpoints"] if len(rows) > most else []
    if quiet := len(account.pools) - len(shown):
        left_out.append(f"{quiet:,} pools that let nobody in from the Internet")
    if left_out:
        output.say(f"not shown: {' and '.join(left_out)}; --all shows them")
    if left_out or not output.screen.is_terminal:
        # A boxed table ends in an empty line of its own.
        output.say()


def _tells(pool: AuditedPool, account: AuditedAccount) -> bool:
    return len(account.pools) <= _WHOLE_ACCOUNT or pool.reachability.exposed is not ExposedReason.NONE


def _row(pool: AuditedPool, endpoint: EndpointReachability | None) -> tuple[str | Text, ...]:
    if endpoint is None:
        none = pool.read.pool.network.provisioning is Provisioning.NO_PUBLIC_IP_ADDRESSES
        why = "no endpoint, and no public IP addresses" if none else "no endpoint maps a port"
        return (pool.id, "-", "-", verdict_text(ZoneVerdict.CLOSED), "nobody", "0", why)
    return (
        pool.id,
        endpoint.name,
        port_text(endpoint),
        verdict_text(endpoint.internet.value),
        admits(endpoint),
        count_text(admitted_public(endpoint)),
        because(endpoint.internet),
    )


def _show_findings(audit: Audit, output: Output, *, everything: bool) -> None:
    for (rule, severity), names in _by_rule(audit).items():
        named = _listed(names, len(names) if everything else _MOST_NAMED)
        head = Text(severity.value, style=_STYLES[severity])
        say_beside(output.screen, head, Text(rule.title, style="bold"), columns=_INDENT)
        for text, style in ((named, ""), (rule.remedy, "dim"), (rule.citation.url or rule.citation.title, "dim")):
            say_indented(output.screen, text, columns=_INDENT, style=style)
    output.say()


def _by_rule(audit: Audit) -> dict[tuple[FindingRule, Severity], list[str]]:
    """What each rule was found in, what matters most first."""
    found = [(_about(account, pool, audit), finding) for account, pool, finding in audit.findings]
    by_rule: dict[tuple[FindingRule, Severity], list[str]] = {}
    for about, finding in sorted(found, key=lambda each: weight(each[1])):
        names = by_rule.setdefault((finding.rule, finding.severity), [])
        if not names or names[-1] != about:
            names.append(about)
    return by_rule


def _about(account: AuditedAccount, pool: AuditedPool | None, audit: Audit) -> str:
    """What a finding is about, with the account where there are several."""
    if pool is None:
        return account.read.name
    return pool.id if len(audit.accounts) == 1 else f"{account.read.name}/{pool.id}"


def _listed(names: list[str], most: int) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _show_snippets(audit: Audit, output: Output, *, everything: bool) -> None:
    found = list(snippets(audit.pools))
    if not found:
        return
    most = len(found) if everything else _MOST_SNIPPETS
    output.say(Text("Policies that close what is open, to start from:", style="bold"))
    for snippet in found[:most]:
        output.say("---")
        for line in snippet.text.splitlines():
            output.say(line)
    if len(found) > most:
        output.say(f"# {len(found) - most:,} more policies: --all shows them, -o json holds them")
    output.say()


def _summary(audit: Audit) -> Text:
    counts = [pool.reachability.exposed for pool in audit.pools]
    exposed, unknown = counts.count(ExposedReason.INTERNET_REACHABLE), counts.count(ExposedReason.UNDETERMINED)
    unread = f", {len(audit.problems)} not read" if audit.problems else ""
    return Text.assemble(
        f"{_plural(len(counts), 'pool')} in {_plural(len(audit.accounts), 'account')}: ",
        (f"{exposed:,} open to the Internet", "bold red" if exposed else ""),
        f", {unknown:,} undetermined, {len(counts) - exposed - unknown:,} closed{unread}; {SUBNET_NOTE}",
    )


def _plural(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
