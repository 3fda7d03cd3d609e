"""One trial on real processes: an operator is harmed at a point and replaced if it died, and the end is judged."""

import json
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.killmatrix.scenario import IMPOSSIBLE, Kind, Lost, cannot_be_told
from tests.killmatrix.stage import Stage
from tests.killmatrix.tap import Harm, Point
from tests.support.drains import FORMULA, busy_pool

NODES = 3
PATIENCE_SECONDS = 90
_LAST_WORDS = 1500
_DIED = "it died of SIGKILL"
QUIET_SECONDS = 2
"""How long an operator makes no call before it has given up for now; in a saga it makes some each 0.1 s."""

POOLS: dict[Kind, dict[str, Any]] = {
    Kind.TARGETS: {"targetDedicatedNodes": NODES, "resizeTimeout": "PT21M"},
    Kind.AUTOSCALE: {
        "enableAutoScale": True,
        "autoScaleFormula": FORMULA,
        "autoScaleEvaluationInterval": "PT7M",
        "targetDedicatedNodes": 2,
        "currentDedicatedNodes": 2,
    },
}
_SCALE = {
    Kind.TARGETS: ("enableAutoScale", "targetDedicatedNodes", "targetLowPriorityNodes", "resizeTimeout"),
    Kind.AUTOSCALE: ("enableAutoScale", "autoScaleFormula", "autoScaleEvaluationInterval"),
}
"""What decides the size of a pool."""

Setting = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Which pool, what is done to the operator and where, what is lost meanwhile, what the service is like."""

    kind: Kind = Kind.TARGETS
    point: Point | None = None
    lost: Lost = Lost.NOTHING
    setting: Setting | None = None

    @property
    def dies(self) -> bool:
        """Whether the first operator is killed."""
        return self.point is not None and self.point.harm is Harm.CRASH

    @property
    def harm(self) -> str:
        """What is done, in words."""
        if self.point is None:
            return "no harm"
        what = f"SIGKILL {self.point.phase}" if self.dies else str(self.point.harm)
        return what if self.lost is Lost.NOTHING else f"{what}, {self.lost} lost"

    def __str__(self) -> str:
        point = self.point
        where = "" if point is None else f" at {point.call} {point.number} after {point.landmarks} landmarks"
        return f"{self.kind}: {self.harm}{where} under {'='.join(self.setting or ('defaults',))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """How a trial ended: `problem` is empty if well. `calls` are those of the operator that was harmed."""

    trial: Trial
    calls: tuple[str, ...]
    problem: str
    gave_way: str = ""
    """Why the network was rightly left as it was; empty if it was corrected."""
    seconds: float = 0
    words: str = ""
    """The last words of the operators, if there is a problem."""

    @property
    def struck(self) -> bool:
        """Whether the call that was to be harmed was made: a waiting operator may look less often than before."""
        return _is_struck(self.trial.point, self.calls)


def _is_struck(point: Point | None, calls: Sequence[str]) -> bool:
    return point is not None and any(point.is_at(calls[:end]) for end in range(1, len(calls) + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What is there at one moment."""

    scale: tuple[Any, ...]
    rules: list[str]
    journals: bool
    compliant: str
    pending: bool


class Play:
    """One trial on a stage, under a name nobody else uses."""

    def __init__(self, stage: Stage, trial: Trial, name: str) -> None:
        self._stage = stage
        self._trial = trial
        self._name = name
        self._gave_way = ""

    def run(self) -> Played:
        """From a busy pool to the judgement of what became of it; nothing is left behind."""
        stage, trial, started = self._stage, self._trial, time.monotonic()
        stage.batch.call("POST", "accounts/devaccount/pools", busy_pool(self._name, nodes=NODES) | POOLS[trial.kind])
        self._seeded = stage.batch.pool(self._name)
        stage.batch.assume(trial.setting)
        try:
            problem = self._operated() or self._misdeeds()
        finally:
            stage.reset(self._name)
        return Played(
            trial=trial,
            calls=tuple(stage.calls(self._first)),
            problem=problem,
            gave_way=self._gave_way,
            seconds=time.monotonic() - started,
            words=self._last_words() if problem else "",
        )

    @property
    def _first(self) -> str:
        return f"{self._name}.first"

    def _operated(self) -> str:
        first = self._stage.start(self._first, self._trial.point)
        try:
            if (problem := self._settled(first, self._first, point=self._trial.point)) != _DIED:
                return problem
        finally:
            first.kill()
            first.join()
        self._lose()
        second = self._stage.start(f"{self._name}.second")
        try:
            return self._settled(second, f"{self._name}.second")
        finally:
            second.kill()
            second.join()

    def _lose(self) -> None:
        match self._trial.lost:
            case Lost.NOTHING:
                return
            case Lost.KUBERNETES:
                self._stage.forget_report(self._name)
            case Lost.AZURE:
                self._stage.batch.call("PATCH", f"accounts/devaccount/pools/{self._name}", {"metadata": []})

    def _settled(self, operator: Any, name: str, *, point: Point | None = None) -> str:  # noqa: ANN401 a process
        """Wait until all is well, and the point is behind or will not come; what is not well once patience is over."""
        deadline, changed = time.monotonic() + PATIENCE_SECONDS, time.monotonic()
        calls: list[str] = []
        while True:
            now, made = time.monotonic(), self._stage.calls(name)
            if len(made) != len(calls):
                calls, changed = made, now
            is_quiet = bool(calls) and now - changed > QUIET_SECONDS
            problem = self._problem(self._seen(), is_quiet=is_quiet)
            if not is_quiet and point is not None and not _is_struck(point, calls):
                problem = problem or "it still makes calls"
            if operator.exitcode is not None:
                return _DIED if operator.exitcode == -signal.SIGKILL else f"the operator ended with {operator.exitcode}"
            if not problem or now > deadline:
                return problem
            time.sleep(0.1)

    def _seen(self) -> _Seen:
        pool, found = self._stage.batch.pool(self._name), self._stage.report(self._name)
        status: dict[str, Any] = found.get("status", {}) if found else {}
        (nat_pool,) = pool["networkConfiguration"]["endpointConfiguration"]["inboundNATPools"]
        conditions = {each["type"]: each["reason"] for each in status.get("conditions", ())}
        in_azure = any(item["value"].startswith("v1 ") for item in pool.get("metadata", ()))
        return _Seen(
            scale=self._scale(pool),
            rules=[rule["access"] for rule in nat_pool.get("networkSecurityGroupRules", ())],
            journals=in_azure or "journal" in status,
            compliant=conditions.get("Compliant", ""),
            pending=conditions.get("Remediating") == "RestorePending",
        )

    def _scale(self, pool: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(pool.get(key) for key in _SCALE[self._trial.kind])

    def _problem(self, seen: _Seen, *, is_quiet: bool) -> str:
        """What is not as it should be in the end; nothing once all is."""
        said = f"(it says {seen.compliant or 'nothing'})"
        if seen.scale != self._scale(self._seeded):
            return "" if seen.pending and self._may_give_up(seen) else f"the scale is {seen.scale} {said}"
        if seen.journals or not seen.compliant:
            return f"a journal is left {said}"
        if seen.rules == ["deny"]:
            return ""
        if not seen.rules and is_quiet and self._may_give_up(seen):
            self._gave_way = seen.compliant
            return ""
        return f"the network is not corrected: {seen.rules} {said}"

    def _may_give_up(self, seen: _Seen) -> bool:
        """Whether leaving the network as it is, the scale untouched and the reason said, is right here."""
        trial = self._trial
        if trial.setting in IMPOSSIBLE:
            return seen.compliant == IMPOSSIBLE[trial.setting].says
        harm = None if trial.point is None else trial.point.harm
        if trial.lost is Lost.AZURE and seen.compliant == "ScaleChanged":
            return self._drains() == 0
        return cannot_be_told(harm, trial.setting, seen.compliant)

    def _writes(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self._stage.batch.call("GET", "requests")
        return [each for each in entries if each["poolId"] == self._name and each["method"] != "GET"]

    def _drains(self) -> int:
        """How often the service accepted to let all nodes go."""
        resizes = [each for each in self._writes() if each["operation"] == "resize_pool" and each["status"] == 202]
        return sum(json.loads(each["body"])["targetDedicatedNodes"] == 0 for each in resizes)

    def _misdeeds(self) -> str:
        """What must never have been done, however it ended."""
        for each in self._writes():
            body = json.loads(each["body"] or "{}")
            if each["ifMatch"] is None and each["operation"] != "disable_pool_auto_scale":
                return f"{each['operation']} was sent without If-Match"
            if {"networkConfiguration", "metadata"} <= body.keys():
                return "metadata was sent with the network"
            if each["operation"] == "resize_pool" and "resizeTimeout" not in body:
                return "a resize was sent without resizeTimeout"
        drains, allowed = self._drains(), 2 if self._trial.lost is Lost.KUBERNETES else 1
        if drains > allowed:
            return f"it was drained {drains} times for one drift"
        if "Traceback" in self._words():
            return "an exception that nobody expected"
        return ""

    def _words(self) -> str:
        return "".join(log.read_text() for log in sorted(self._stage.directory.glob(f"{self._name}.*.log")))

    def _last_words(self) -> str:
        return f"it said {self._words()[-_LAST_WORDS:]}"
