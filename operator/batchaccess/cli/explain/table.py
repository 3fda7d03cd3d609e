"""An explanation for people: rule by rule, then who is left in and out."""

from typing import Final

from rich.text import Text

from batchaccess.cli.explain.answers import AddressSets, ExplainedEndpoint, ExplainedPool
from batchaccess.cli.outputs import Column, Output, Table
from batchaccess.cli.outputs.reachability import count_text, port_text, verdict_text
from batchaccess.cli.outputs.tables import say_beside
from batchaccess.core.addresses import AddressSet, written
from batchaccess.core.explain import SUBNET_NOTE, admits, because
from batchaccess.core.internet import PUBLIC_ADDRESSES
from batchaccess.core.model import (
    ALL_PORTS,
    Access,
    Rule,
)
from batchaccess.core.ruleexplanation import RuleExplanation
from batchaccess.core.zones import ZoneVerdict

_MOST_PREFIXES: Final = 3
_INDENT: Final = 16
_VERBS: Final = {Access.ALLOW: ("allow", "red"), Access.DENY: ("deny", "green"), Access.UNKNOWN: ("unknown", "yellow")}


def show_explanation(pool: ExplainedPool, output: Output) -> None:
    """Print everything that is told about one pool."""
    network = pool.reachability.network
    output.say(Text.assemble((pool.read.pool.id, "bold"), "  ", (f"{pool.account.name}, {pool.account.source}", "dim")))
    subnet = "in no subnet" if network.subnet_id is None else f"in subnet {network.subnet_id}"
    output.say(Text(f"public addresses: {network.provisioning.value}; {subnet}", style="dim"))
    output.say()
    if pool.source is not None:
        _show_answers(pool, output)
    for endpoint in pool.endpoints:
        _show_endpoint(endpoint, output)
    if pool.source is None and (pool.port is None or not pool.endpoints):
        _show_rest(pool, output)
    output.say(f"Note: {SUBNET_NOTE}.")


def _show_answers(pool: ExplainedPool, output: Output) -> None:
    given = pool.source
    if given is None:
        return
    kind = "a public address" if given.address in PUBLIC_ADDRESSES else "no public address"
    output.say(Text.assemble((f"From {given}", "bold"), f", {kind}:"))
    table = Table(
        columns=(
            Column(title="ENDPOINT"),
            Column(title="PORT", below="{}"),
            Column(title="VERDICT", fixed=True),
            Column(title="BECAUSE"),
        )
    )
    for answer in pool.answers:
        name = "(none)" if answer.endpoint is None else answer.endpoint.name
        port = "any other" if answer.endpoint is None else port_text(answer.endpoint)
        reason = answer.because.removesuffix(f", e.g. {given.address}")
        from_port = "" if answer.port is None or given.port is not None else f" (from source port {answer.port})"
        table.add(name, port, verdict_text(answer.verdict), f"{reason}{from_port}")
    table.show(output.screen)
    output.say()


def _show_endpoint(explained: ExplainedEndpoint, output: Output) -> None:
    endpoint = explained.endpoint
    frontend = "frontend ports unknown" if endpoint.frontend is None else f"frontend ports {endpoint.frontend}"
    output.say(Text.assemble((endpoint.name, "bold"), f"  {port_text(endpoint)}, {frontend}: {admits(endpoint)}"))
    if explained.rules:
        _show_rules(explained, output)
    else:
        output.say(f"No rules: {because(endpoint.internet)}.")
    _line(output, "Internet", verdict_text(endpoint.internet.value), because(endpoint.internet))
    _show_sets(explained.public, output)
    _line(output, "VirtualNetwork", verdict_text(endpoint.virtual_network.value), because(endpoint.virtual_network))
    _line(output, "Private ranges", Text("by address, wherever they are used"), "")
    _show_sets(explained.private, output)
    output.say()


def _show_rules(explained: ExplainedEndpoint, output: Output) -> None:
    table = Table(
        columns=(
            Column(title="PRIORITY", fixed=True, right=True),
            Column(title="RULE"),
            Column(title="DECIDES"),
            Column(title="NOTE", below="{}"),
        )
    )
    everything = explained.endpoint.gate.everything
    for rule in explained.rules:
        table.add(str(rule.rule.priority), _written_rule(rule.rule), _decides(rule, everything), _note(rule))
    if explained.rest:
        table.add(
            "-",
            "what no rule matches",
            _prefixes(explained.rest, everything),
            "undetermined: nothing says what happens",
        )
    table.show(output.screen)


def _written_rule(rule: Rule) -> Text:
    verb, style = _VERBS[rule.access]
    ports = "" if rule.source_ports == (ALL_PORTS,) else f" from ports {', '.join(map(str, rule.source_ports))}"
    return Text.assemble((verb, style), f" {rule.source}{ports}")


def _decides(explained: RuleExplanation, everything: AddressSet) -> str:
    if explained.shadowed:
        return "nothing"
    if explained.tag:
        return f"those of {explained.rule.source}, whose addresses are not known"
    return _prefixes(explained.decides, everything) if explained.decides else "nothing"


def _note(explained: RuleExplanation) -> str:
    if explained.shadowed:
        return "shadowed: rules before it decide all that it matches"
    return "redundant: the same get in without it" if explained.redundant else ""


def _prefixes(addresses: AddressSet, among: AddressSet) -> str:
    """The first few networks of a set, or what it leaves out where that is shorter, and how many addresses it has."""
    count = f"({count_text(addresses)} addresses)"
    left_out = among - addresses
    if not left_out:
        return f"all {count}"
    networks, others = addresses.cidrs(), left_out.cidrs()
    if len(others) < len(networks) and len(others) <= _MOST_PREFIXES:
        return f"all but {', '.join(written(network) for network in others)} {count}"
    shown = ", ".join(written(network) for network in networks[:_MOST_PREFIXES])
    more = f" and {len(networks) - _MOST_PREFIXES:,} more" if len(networks) > _MOST_PREFIXES else ""
    return f"{shown}{more} {count}"


def _show_sets(sets: AddressSets, output: Output) -> None:
    among = sets.open | sets.undetermined | sets.closed
    for value, addresses in (
        (ZoneVerdict.OPEN, sets.open),
        (ZoneVerdict.UNDETERMINED, sets.undetermined),
        (ZoneVerdict.CLOSED, sets.closed),
    ):
        if addresses:
            head = Text.assemble("  ", verdict_text(value))
            say_beside(output.screen, head, Text(_prefixes(addresses, among), style="dim"), columns=_INDENT)


def _show_rest(pool: ExplainedPool, output: Output) -> None:
    reach = pool.reachability
    what = "Any other port" if pool.endpoints else "Any port" if pool.port is None else f"Port {pool.port}"
    output.say(Text(what, style="bold"))
    for zone, verdict in (("Internet", reach.unmapped_internet), ("VirtualNetwork", reach.unmapped_virtual_network)):
        _line(output, zone, verdict_text(verdict.value), because(verdict))
    output.say()


def _line(output: Output, head: str, verdict: Text, reason: str) -> None:
    body = Text.assemble(verdict, f": {reason}" if reason else "")
    say_beside(output.screen, head, body, columns=_INDENT)
