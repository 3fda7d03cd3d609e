"""What a chaos run does: from a seed, one trouble after the other, for a bounded time.

Counted, and noted for `drainreasons`, is what really happened: a policy applied as it was is no change of it.
"""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from batchemulator.server import Emulator
from tests.controlplane.server import ControlPlane
from tests.e2e_cluster import operatorprocess
from tests.e2e_cluster.drainreasons import Actors, Opened
from tests.e2e_cluster.operatorprocess import OperatorProcess
from tests.e2e_cluster.realcluster import RealCluster, until
from tests.e2e_cluster.worlds import OPEN_NETWORK, POLICY
from tests.support.kube import policy_manifest, policy_path

DRAIN: Final = {"strategy": "Drain", "drainTimeoutSeconds": 300, "maxConcurrent": 2}
_DRIFTS_PER_POOL: Final = 2
"""At the third overwrite within an hour a pool is Contended."""

_MERGE: Final = "application/merge-patch+json"
_OFFICES: Final[tuple[list[str], ...]] = ([], ["192.0.2.0/24"], ["198.51.100.0/24", "203.0.113.7"])


def policy(allow_from: list[str]) -> dict[str, Any]:
    """The policy of the run: SSH for some offices, pools drained where they must be."""
    item = {"name": "SSH", "backendPort": 22, "frontendPorts": {"start": 4000, "end": 4100}, "allowFrom": allow_from}
    return policy_manifest(POLICY, remediation=DRAIN, access={"endpoints": {"items": [item]}})


@dataclass(slots=True, kw_only=True)
class Chaos:
    """A world in trouble. The operator is started again whenever it has ended, as a kubelet would."""

    random: random.Random
    cluster: RealCluster
    plane: ControlPlane
    batch: Emulator
    kubeconfig: Path
    log: Path
    pools: tuple[str, ...]
    counts: Counter[str] = field(default_factory=Counter)
    drifts: Counter[str] = field(default_factory=Counter)
    actors: Actors = field(default_factory=Actors)
    suspended: bool = False
    operator: OperatorProcess | None = None

    def start_operator(self) -> None:
        self.operator = operatorprocess.start(self.kubeconfig, self.log)

    def run(self, seconds: float) -> None:
        """One trouble after the other, with pauses in which something may come of it."""
        troubles = [
            self.kill_operator,
            self.kill_api_server,
            self.kill_etcd,
            self.forget_history,
            self.drift,
            self.drift,
            self.drift,
            self.change_policy,
            self.change_policy,
            self.suspend_or_resume,
        ]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.random.choice(troubles)()
            if self.operator is not None and self.operator.process.poll() is not None:
                self.counts["ended by itself"] += 1
                self.start_operator()
            # Not for luck: how far the operator gets until the next trouble is part of the chance.
            time.sleep(self.random.uniform(0.1, 5))

    def kill_operator(self) -> None:
        assert self.operator is not None
        self.operator.kill()
        self.start_operator()
        self.counts["kills of the operator"] += 1

    def kill_api_server(self) -> None:
        self.plane.api_server.kill()
        time.sleep(self.random.uniform(0, 3))
        self.plane.api_server.start()
        self.counts["kills of the API server"] += 1

    def kill_etcd(self) -> None:
        self.plane.etcd.kill()
        time.sleep(self.random.uniform(0, 3))
        self.plane.etcd.start()
        until(self.plane.api_server_answers, "the API server has recovered")
        self.counts["kills of etcd"] += 1

    def forget_history(self) -> None:
        self.plane.compact_history()
        self.counts["compactions"] += 1

    def drift(self) -> None:
        """Somebody opens a pool; not one pool for ever: the operator rightly gives that up for an hour."""
        candidates = [name for name in self.pools if self.drifts[name] < _DRIFTS_PER_POOL]
        if candidates:
            name = self.random.choice(candidates)
            self.drifts[name] += 1
            before = self._network(name)
            self.batch.edit(name, {"networkConfiguration": OPEN_NETWORK})
            if self._network(name) != before:
                self.actors.opened.append(Opened(pool_id=name, etag=self.batch.pool(name).etag))
                self.counts["pools opened"] += 1

    def change_policy(self) -> None:
        """Perhaps to what it was, which is nothing to act on."""
        self.declare(policy(self.random.choice(_OFFICES)))

    def suspend_or_resume(self) -> None:
        """Perhaps once more, which is nothing to act on either."""
        spec = {"suspend": self.random.random() < 0.3}
        self.cluster.call("PATCH", policy_path(POLICY), {"spec": spec}, content=_MERGE)
        self._note_policy()

    def declare(self, *manifests: dict[str, Any]) -> None:
        """Apply manifests, the policy among them."""
        self.cluster.apply(*manifests)
        self._note_policy()

    def _network(self, name: str) -> object:
        return self.batch.pool(name).settings["networkConfiguration"]

    def _note_policy(self) -> None:
        """Nobody else edits it, so every generation it ever has is seen here."""
        stored = self.cluster.get(policy_path(POLICY))
        generation, spec = int(stored["metadata"]["generation"]), stored["spec"]
        (item,) = spec["access"]["endpoints"]["items"]
        allow_from, suspended = tuple(item["allowFrom"]), bool(spec.get("suspend"))
        declared = self.actors.declared
        if declared and allow_from != declared[max(declared)]:
            self.counts["changes of the policy"] += 1
        if suspended != self.suspended:
            self.counts["suspensions" if suspended else "resumptions"] += 1
        declared[generation], self.suspended = allow_from, suspended
