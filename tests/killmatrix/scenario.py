"""One run of a saga in memory under one kind of trouble, and what has to be so in the end."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from batchaccess.core.declared import AccessPolicy, Remediation
from batchemulator import Assumptions, Timings
from batchemulator.assumptions import Emptiness
from batchemulator.operations.pool_updates import is_empty
from batchemulator.wire.messages import Request, Response
from tests.killmatrix.tap import FINALIZERS, POOLS, REPORTS, Crash, Harm, Point, Tap
from tests.support.drains import FORMULA, Drains, busy_pool, draining

EMULATED_HOURS = 12
NO_NODES = "$TargetDedicatedNodes = 0;"
_QUICK = Timings(allocation=6, creating=1, starting=2, removal=6)


class Kind(StrEnum):
    """What kind of pool is corrected."""

    TARGETS = "fixed targets"
    AUTOSCALE = "autoscale"
    PAUSED = "autoscale at zero, only paused"
    """In memory only: what a process could lose of it, it can lose of the others."""


class Lost(StrEnum):
    """What is gone when the operator comes back after a crash."""

    NOTHING = "nothing"
    KUBERNETES = "the Kubernetes status"
    AZURE = "the Azure metadata"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One run."""

    kind: Kind = Kind.TARGETS
    point: Point | None = None
    lost: Lost = Lost.NOTHING
    assumptions: Assumptions = field(default_factory=Assumptions)

    def __str__(self) -> str:
        where = "" if self.point is None else f" {self.point.harm} {self.point.phase} call {self.point.number}"
        return f"{self.kind}{where}, {self.lost} lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a run ended. `problems` are broken invariants, `corrected` is progress, `restarts` come of crashes only."""

    calls: tuple[str, ...]
    problems: tuple[str, ...]
    corrected: bool
    said: str
    drains: int
    restarts: int

    @property
    def gave_way(self) -> bool:
        """Whether nothing was drained, as somebody seemed to have changed the pool right before: said, and safe."""
        return self.drains == 0 and self.said.startswith("ScaleChanged")


class Watch:
    """Looks at every request from the service's side."""

    def __init__(self, world: Drains) -> None:
        self._world = world
        self._only_pauses = all(policy.remediation.pause_autoscale for policy in world.policies)
        self._handle = world.service.handle
        self.problems: list[str] = []
        self.drains = 0
        self.stale = False
        world.handle = self.handle

    def handle(self, request: Request) -> Response:
        body = request.body
        patches_network = request.method == "PATCH" and b"networkConfiguration" in body
        resizes = request.path.endswith("/resize")
        pool = self._world.pool()
        if patches_network:
            if not is_empty(pool, Emptiness.NO_NODES_STEADY_AND_NO_AUTOSCALE) and not self.stale:
                self.problems.append("the network was PATCHed on a pool that is not empty")
            if b'"metadata"' in body:
                self.problems.append("metadata was sent with the network")
        if request.method == "PATCH" and "if-match" not in request.headers:
            self.problems.append("a PATCH without If-Match")
        if resizes and self._only_pauses:
            self.problems.append("a resize though autoscale is only paused")
        if resizes and b"resizeTimeout" not in body:
            self.problems.append("a resize without resizeTimeout")
        before = pool.targets.dedicated
        response = self._handle(request)
        if resizes and response.status == 202 and before > 0 and self._world.pool().targets.dedicated == 0:
            self.drains += 1
        return response


def seeded(kind: Kind) -> dict[str, Any]:
    """The pool at the start."""
    metadata = [{"name": "team", "value": "x"}]
    if kind is Kind.TARGETS:
        return busy_pool(
            nodes=3, targetLowPriorityNodes=1, currentLowPriorityNodes=1, resizeTimeout="PT21M", metadata=metadata
        )
    pauses = kind is Kind.PAUSED
    return busy_pool(
        nodes=0 if pauses else 2,
        enableAutoScale=True,
        autoScaleFormula=NO_NODES if pauses else FORMULA,
        autoScaleEvaluationInterval="PT7M",
        metadata=metadata,
    )


def policy_for(kind: Kind) -> AccessPolicy:
    """What is declared: a drain, or a pause under `WhenEmpty`."""
    if kind is not Kind.PAUSED:
        return draining()
    remediation = Remediation(pause_autoscale=True, max_concurrent=1000)
    return replace(draining(), remediation=remediation)


def scale_of(world: Drains) -> object:
    """What decides the size of the pool now."""
    pool = world.pool()
    if pool.autoscale is not None:
        return pool.autoscale.formula, pool.autoscale.interval
    return pool.targets.dedicated, pool.targets.low_priority, pool.resize_timeout


EXPECTED = {
    Kind.TARGETS: (3, 1, timedelta(minutes=21)),
    Kind.AUTOSCALE: (FORMULA, timedelta(minutes=7)),
    Kind.PAUSED: (NO_NODES, timedelta(minutes=7)),
}


def is_corrected(world: Drains) -> bool:
    """Whether the network is as declared."""
    network = world.pool().settings["networkConfiguration"]
    (nat_pool,) = network["endpointConfiguration"]["inboundNATPools"]
    return [rule["access"] for rule in nat_pool.get("networkSecurityGroupRules", ())] == ["deny"]


async def play(scenario: Scenario, *, hours: float = EMULATED_HOURS) -> Result:
    """Run until it is over, or until the time is up, and judge."""
    tap = Tap(point=scenario.point)
    world = Drains.of(
        seeded(scenario.kind),
        policies=[policy_for(scenario.kind)],
        assumptions=scenario.assumptions,
        timings=_QUICK,
    )
    watch = Watch(world)
    watch.stale = scenario.point is not None and scenario.point.harm is Harm.STALE_READ
    world.wrap = lambda pools: tap.tapped(pools, POOLS)
    world.tap_reports = lambda part: tap.tapped(part, REPORTS)
    world.tap_finalizers = lambda part: tap.tapped(part, FINALIZERS)
    end = world.clock.monotonic() + hours * 3600
    quiet = restarts = 0
    while world.clock.monotonic() < end and quiet < 6:
        try:
            await world.live(30, period=30)
        except Crash:
            _lose(world, scenario.lost)
            world.restart()
            restarts += 1
        done = world.is_settled and (is_corrected(world) or _is_over(world))
        quiet = quiet + 1 if done else 0
    return _judged(scenario, world, watch, tap, restarts)


def _is_over(world: Drains) -> bool:
    """Whether the pool says that nothing further will be tried."""
    name = "prod-weu.busy"
    if name not in world.reports.objects or "conditions" not in world.reports.status(name):
        return False
    return world.reports.condition(name, "Remediating") == ("False", "Stalled")


def _lose(world: Drains, lost: Lost) -> None:
    match lost:
        case Lost.NOTHING:
            return
        case Lost.KUBERNETES:
            world.reports.objects.clear()
        case Lost.AZURE:
            metadata = [item for item in world.pool().settings.get("metadata", ()) if item["name"] == "team"]
            world.edit({"metadata": metadata})


def _judged(scenario: Scenario, world: Drains, watch: Watch, tap: Tap, restarts: int) -> Result:
    problems = list(watch.problems)
    name = "prod-weu.busy"
    condition = world.reports.condition(name, "Remediating") if name in world.reports.objects else ("", "")
    compliant = world.reports.condition(name, "Compliant") if name in world.reports.objects else ("", "")
    pending = condition == ("True", "RestorePending")
    if scale_of(world) != EXPECTED[scenario.kind] and not pending:
        problems.append(f"the scale is {scale_of(world)}, recorded was {EXPECTED[scenario.kind]}")
    if not world.is_settled and not pending:
        problems.append(f"journals are left: {world.journals()} {world.azure_journals()} ({condition})")
    allowed = 1 if scenario.lost is not Lost.KUBERNETES else 2
    if watch.drains > allowed:
        problems.append(f"drained {watch.drains} times for one drift")
    if not any(item["name"] == "team" for item in world.pool().settings.get("metadata", ())):
        problems.append("somebody's metadata is lost")
    return Result(
        calls=tuple(tap.calls),
        problems=tuple(problems),
        corrected=is_corrected(world) and not pending,
        said=f"{compliant[1]}, {condition[1]}",
        drains=watch.drains,
        restarts=restarts,
    )


def with_setting(name: str, value: str) -> Assumptions:
    """The defaults with one switch set."""
    return Assumptions().with_setting(f"{name}={value}")


def variants() -> list[tuple[str, str]]:
    """Every switch of docs/assumptions.md with every value that is not its default."""
    defaults = Assumptions().as_settings()
    found = []
    for name, value in defaults.items():
        kind = type(getattr(Assumptions(), name))
        found += [(name, member.value) for member in kind if member.value != value]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Impossible:
    """Why no drain can be begun, and the reason that the pool gives."""

    says: str
    why: str


IMPOSSIBLE = {
    ("if_match_form", "neither"): Impossible(
        says="PreconditionUnsupported",
        why="no conditional write is ever accepted, and an unconditional one is never made",
    ),
    ("metadata_limit", "refused"): Impossible(
        says="JournalRefused", why="the journal cannot be written to Azure, and without it nothing is drained"
    ),
}
"""Switches under which a drain cannot be begun at all; the pool is left as it is and says so."""


def cannot_be_told(harm: Harm | None, setting: tuple[str, str] | None, said: str) -> bool:
    """A 412 on the very trial of the only spelling that is understood looks like a service that knows neither."""
    return harm is Harm.RACE and setting == ("if_match_form", "bare") and said.startswith("PreconditionUnsupported")


def replaced(scenario: Scenario, **changes: Any) -> Scenario:  # noqa: ANN401 fields of Scenario
    """The scenario with changes."""
    return replace(scenario, **changes)
