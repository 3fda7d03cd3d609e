"""A plan for people: a paragraph for every pool that differs, a line for the rest."""

from collections.abc import Iterator
from typing import Final

from rich.text import Text

from batchaccess.cli.outputs import Output
from batchaccess.cli.outputs.reachability import verdict_text
from batchaccess.cli.outputs.tables import say_beside
from batchaccess.cli.plan.evaluation import Plan, PlannedAccount, PlannedPolicy, PlannedPool
from batchaccess.core.assessment import Assessment
from batchaccess.core.declared import AccessPolicy
from batchaccess.core.explain import SUBNET_NOTE, admits
from batchaccess.core.preview import Cost, Preview, Step
from batchaccess.core.reachability import BackendPort, EndpointReachability, PoolReachability
from batchaccess.core.reasons import DriftClass
from batchaccess.core.status import Difference
from batchaccess.core.texts import listed

_MOST_POOLS: Final = 50
_MOST_NAMED: Final = 8
_INDENT: Final = 12
_NOBODY: Final = "nobody"
_STYLES: Final = {
    DriftClass.WIDENING: "bold red",
    DriftClass.MIXED: "bold red",
    DriftClass.NARROWING: "yellow",
    DriftClass.CONFIGURATION: "yellow",
    DriftClass.IMPLICIT_MAPPING: "bold red",
    DriftClass.NEUTRAL: "dim",
    DriftClass.NONE: "green",
}
_STEPS: Final = {
    Step.NONE: "nothing to do",
    Step.REPORT: "report only",
    Step.PATCH: "patch now",
    Step.WAIT: "wait",
    Step.DRAIN: "drain, patch, restore",
    Step.PAUSE: "pause autoscale, patch, resume",
    Step.REFUSE: "cannot be corrected",
}


def show_plan(plan: Plan, output: Output, *, everything: bool) -> None:
    """Print a plan. With `everything` nothing is cut short."""
    for account in plan.accounts:
        _show_account(account, output, everything=everything)
    for planned in plan.policies:
        _show_policy(planned, output)
    for note in (*plan.notes, SUBNET_NOTE):
        output.say(Text(f"note: {note}", style="dim"))
    output.say(_summary(plan))


def _show_account(account: PlannedAccount, output: Output, *, everything: bool) -> None:
    connection = f"connection {account.connection}{', assumed' if account.assumed else ''}"
    output.say(
        Text.assemble((account.read.name, "bold"), "  ", (account.read.source, "dim"), (f"  {connection}", "dim"))
    )
    output.say()
    telling = [pool for pool in account.pools if pool.preview.is_told]
    shown = telling if everything else telling[:_MOST_POOLS]
    for pool in shown:
        _show_pool(pool, output)
    if len(telling) > len(shown):
        output.say(f"not shown: {len(telling) - len(shown):,} more pools that differ; --all shows them")
    quiet = list(_quiet_lines([pool for pool in account.pools if not pool.preview.is_told], everything=everything))
    for line in quiet:
        output.say(line)
    if not account.pools:
        output.say("no pools" if not account.read.unreadable else "no pool could be read")
    if quiet or not account.pools:
        output.say()


def _quiet_lines(pools: list[PlannedPool], *, everything: bool) -> Iterator[str]:
    """What is as it should be, or nobody's business."""
    ruled = [(pool, pool.preview.assessment.drift.kind) for pool in pools if pool.preview.assessment.policy]
    groups = {
        "as declared": [pool for pool, kind in ruled if kind is DriftClass.NONE],
        "as declared, only spelled differently": [pool for pool, kind in ruled if kind is DriftClass.NEUTRAL],
        "governed by no policy": [pool for pool in pools if pool.preview.assessment.policy is None],
    }
    for told, found in groups.items():
        if found:
            shown = found if everything else found[:_MOST_NAMED]
            more = f" and {len(found) - len(shown):,} more" if len(found) > len(shown) else ""
            yield f"{told}: {', '.join(pool.id for pool in shown)}{more}"


def _show_pool(pool: PlannedPool, output: Output) -> None:
    preview = pool.preview
    kind = preview.assessment.drift.kind
    told = "drift " + kind.value if preview.differs else "as declared" if preview.after else "no policy"
    output.say(Text.assemble((pool.id, "bold"), "  ", (told, _STYLES[kind]), "  ", _STEPS[preview.step]))
    for head, body in _lines(pool):
        say_beside(output.screen, Text(f"  {head}", style="dim"), body, columns=_INDENT)
    output.say()


def _lines(pool: PlannedPool) -> Iterator[tuple[str, Text]]:
    """What there is to say about a pool: a word for the margin, and a text."""
    preview = pool.preview
    assessment = preview.assessment
    if assessment.policy is not None:
        yield "policy", Text(_governing(assessment.policy, tuple(map(str, assessment.overridden))))
    for difference in assessment.drift.differences:
        yield "drift", _difference(difference)
    if preview.differs and preview.after is not None:
        for line in _exposures(assessment.reachability, preview.after):
            yield "exposure", line
    yield from _broken(assessment)
    yield from _step_lines(pool)


def _broken(assessment: Assessment) -> Iterator[tuple[str, Text]]:
    """What must hold whatever the configuration, and does not."""
    for status in assessment.failed_assertions:
        told = f"{status.name} of {status.policy} does not hold: {status.message}"
        yield "assertion", Text(told, style="red")
    for violation in assessment.guardrail_violations:
        yield "guardrail", Text(f"{violation}, which the connection forbids", style="red")


def _step_lines(pool: PlannedPool) -> Iterator[tuple[str, Text]]:
    preview, policy = pool.preview, pool.preview.assessment.policy
    if preview.message:
        yield "step", Text(preview.message)
    if preview.waits_for:
        yield "waits for", Text(", ".join(preview.waits_for))
    if preview.cost is not None and policy is not None:
        yield "cost", Text(_cost(preview.cost, pool.running_tasks))
        for window in policy.remediation.windows:
            hours = f"{window.duration_seconds / 3600:g} h"
            yield "window", Text(f"{window.kind} {window.schedule} for {hours} ({window.time_zone})")


def _governing(policy: AccessPolicy, overridden: tuple[str, ...]) -> str:
    words = f"{policy.key} ({policy.mode}, {policy.remediation.strategy}, priority {policy.priority})"
    return f"{words}, over {listed(overridden)}" if overridden else words


def _difference(difference: Difference) -> Text:
    return Text.assemble(
        (difference.kind.value, _STYLES[difference.kind]),
        f"  {difference.field}: ",
        difference.observed,
        (" -> ", "dim"),
        difference.desired,
    )


def _exposures(before: PoolReachability, after: PoolReachability) -> Iterator[Text]:
    """Who gets in now and afterwards, by backend port, where that changes."""
    now, then = _by_port(before), _by_port(after)
    for port in sorted(now.keys() | then.keys()):
        mine, theirs = _admitted(now.get(port)), _admitted(then.get(port))
        if mine != theirs:
            yield Text.assemble(f"{port}: ", mine, (" -> ", "dim"), theirs)


def _by_port(reach: PoolReachability) -> dict[BackendPort, EndpointReachability]:
    return {BackendPort(each.protocol, each.backend_port): each for each in reach.endpoints}


def _admitted(endpoint: EndpointReachability | None) -> Text:
    """Who gets in, in the color of the danger."""
    if endpoint is None:
        return Text(_NOBODY, style="green")
    return Text(admits(endpoint), style=verdict_text(endpoint.internet.value).style)


def _cost(cost: Cost, running_tasks: int | None) -> str:
    tasks = "" if running_tasks is None else f" with {_plural(running_tasks, 'running task')}"
    autoscale = "; autoscale is off meanwhile" if cost.autoscale else ""
    return (
        f"{_plural(cost.nodes, 'node')}{tasks} removed by {cost.node_deallocation} within {cost.timeout_seconds:,} s, "
        f"then made again{autoscale}"
    )


def _show_policy(planned: PlannedPolicy, output: Output) -> None:
    """Policies that do nothing here, and why."""
    if planned.is_refused:
        for target in planned.acceptance.targets:
            if not target.accepted:
                told = f"{planned.policy.key} is not accepted by {target.name} ({target.reason}): {target.message}"
                output.say(Text.assemble(("refused: ", "bold red"), told))
    elif planned.concerns_nothing:
        by_labels = planned.policy.connections.match_labels is not None
        hint = "; its labels are looked for in BatchAccountConnections among the manifests" if by_labels else ""
        output.say(Text(f"note: {planned.policy.key} selects none of these accounts{hint}", style="dim"))
    elif not planned.governs:
        output.say(Text(f"note: {planned.policy.key} governs no pool here", style="dim"))


def _summary(plan: Plan) -> Text:
    previews: list[Preview] = [pool.preview for _, pool in plan.pools]
    differing = sum(each.differs for each in previews)
    steps = [
        f"{sum(each.step is step for each in previews):,} {text}"
        for step, text in _STEPS.items()
        if step is not Step.NONE and any(each.step is step for each in previews)
    ]
    ends = f" ({', '.join(steps)})" if steps else ""
    return Text.assemble(
        f"{_plural(len(previews), 'pool')} in {_plural(len(plan.accounts), 'account')}: ",
        (f"{differing:,} {'differs' if differing == 1 else 'differ'}", "bold red" if differing else "green"),
        f"{ends}, {sum(each.assessment.policy is None for each in previews):,} without policy",
        f", {len(plan.problems)} errors" if plan.problems else "",
    )


def _plural(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
