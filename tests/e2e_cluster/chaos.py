"""What a chaos run does: from a seed, one trouble after the other, for a bounded time."""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from batchemulator.server import Emulator
from tests.controlplane.server import ControlPlane
from tests.e2e_cluster import operatorprocess
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
            trouble = self.random.choice(troubles)
            self.counts[trouble.__name__] += 1
            trouble()
            if self.operator is not None and self.operator.process.poll() is not None:
                self.counts["ended by itself"] += 1
                self.start_operator()
            # Not for luck: how far the operator gets until the next trouble is part of the chance.
            time.sleep(self.random.uniform(0.1, 5))

    def kill_operator(self) -> None:
        assert self.operator is not None
        self.operator.kill()
        self.start_operator()

    def kill_api_server(self) -> None:
        self.plane.api_server.kill()
        time.sleep(self.random.uniform(0, 3))
        self.plane.api_server.start()

    def kill_etcd(self) -> None:
        self.plane.etcd.kill()
        time.sleep(self.random.uniform(0, 3))
        self.plane.etcd.start()
        until(self.plane.api_server_answers, "the API server has recovered")

    def forget_history(self) -> None:
        self.plane.compact_history()

    def drift(self) -> None:
        """Somebody opens a pool; not one pool for ever: the operator rightly gives that up for an hour."""
        candidates = [name for name in self.pools if self.drifts[name] < _DRIFTS_PER_POOL]
        if candidates:
            name = self.random.choice(candidates)
            self.drifts[name] += 1
            self.batch.edit(name, {"networkConfiguration": OPEN_NETWORK})

    def change_policy(self) -> None:
        self.cluster.apply(policy(self.random.choice(_OFFICES)))

    def suspend_or_resume(self) -> None:
        spec = {"suspend": self.random.random() < 0.3}
        self.cluster.call("PATCH", policy_path(POLICY), {"spec": spec}, content=_MERGE)
