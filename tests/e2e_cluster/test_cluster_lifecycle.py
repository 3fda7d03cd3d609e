"""Coming and going: owners and their objects, CRDs upgraded in place, uninstalling in any order, installing again."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batchemulator.accounts import DEV_ACCOUNT
from batchemulator.server import Emulator, make_service, serving_in_thread
from tests.deploy.releases import older_definition
from tests.e2e_cluster import operatorprocess
from tests.e2e_cluster.realcluster import NAMESPACE, RealCluster, until, until_is
from tests.e2e_cluster.worlds import (
    CONNECTION,
    OPEN_NETWORK,
    POLICY,
    World,
    connection,
    is_closed,
    open_pool,
    secret,
    world,
)
from tests.support.kube import CONNECTION_PATH, CRDS, POOL_ACCESS_PATH, policy_manifest, policy_path

POOL = f"{CONNECTION}.render-1"


def test_a_pool_belongs_to_its_connection(living: World) -> None:
    owner = living.cluster.get(f"{CONNECTION_PATH}/{CONNECTION}")["metadata"]
    metadata = living.cluster.get(f"{POOL_ACCESS_PATH}/{POOL}")["metadata"]

    (reference,) = metadata["ownerReferences"]
    assert (reference["uid"], reference["name"]) == (owner["uid"], CONNECTION)
    assert "finalizers" not in metadata


@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("running", [True, False], ids=["operator runs", "operator is gone"])
def test_pools_are_collected_with_their_connection(living: World, *, running: bool) -> None:
    if not running:
        assert living.operator.stop() == 0
    living.cluster.kubectl("delete", "bac", CONNECTION, "--timeout=30s")
    until(lambda: not living.cluster.get(f"{POOL_ACCESS_PATH}/{POOL}"), "the pool's object is collected")
    assert is_closed(living.batch)


@pytest.mark.usefixtures("collected")
def test_a_connection_made_anew_gets_objects_of_its_own(living: World) -> None:
    living.cluster.kubectl("delete", "bac", CONNECTION, "--timeout=30s")
    living.cluster.apply(connection(living.batch))

    def is_owned() -> bool:
        owner = living.cluster.get(f"{CONNECTION_PATH}/{CONNECTION}")["metadata"]
        references = living.cluster.get(f"{POOL_ACCESS_PATH}/{POOL}").get("metadata", {}).get("ownerReferences", [{}])
        return bool(references[0].get("uid") == owner["uid"])

    until(is_owned, "the pool's object belongs to the new connection")
    living.becomes_enforced()


def test_a_deleted_pool_object_comes_back(living: World) -> None:
    uid = living.cluster.get(f"{POOL_ACCESS_PATH}/{POOL}")["metadata"]["uid"]
    living.cluster.kubectl("delete", "bpa", POOL)
    until(
        lambda: living.cluster.get(f"{POOL_ACCESS_PATH}/{POOL}").get("metadata", {}).get("uid", uid) != uid,
        "the pool's object comes back",
    )
    until_is(lambda: living.cluster.condition("bpa", POOL, "Compliant"), "True/Compliant")


def test_crds_are_upgraded_and_rolled_back_with_objects_in_place(living: World) -> None:
    cluster = living.cluster
    before = cluster.get(policy_path(POLICY))
    for path in CRDS:
        cluster.kubectl(
            "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=older_definition(path.read_text())
        )
    until(lambda: "assertions" not in cluster.kubectl("explain", "bpap.spec"), "the older schema is served")
    living.corrects_drift()

    cluster.install()
    until(lambda: "assertions" in cluster.kubectl("explain", "bpap.spec"), "the newer schema is served")
    after = cluster.get(policy_path(POLICY))
    assert (after["metadata"]["uid"], after["spec"]) == (before["metadata"]["uid"], before["spec"])
    living.corrects_drift()
    assert living.operator.process.poll() is None
    assert "Traceback" not in living.operator.log


class Installation:
    """The three things that a user may remove in any order; the operator is restarted as a kubelet would."""

    def __init__(self, cluster: RealCluster, folder: Path) -> None:
        self._cluster = cluster
        self._folder = folder
        self._starts = 0
        self._token_of = ""
        self.operator: operatorprocess.OperatorProcess | None = None

    @property
    def parts(self) -> dict[str, tuple[Callable[[], None], Callable[[], None]]]:
        """How each part is removed and installed."""
        return {
            "operator": (self.stop, self.start),
            "namespace": (self._delete_namespace, self._cluster.install),
            "crds": (self._delete_crds, self._cluster.install),
        }

    def _account(self) -> str:
        """Changes when the ServiceAccount is made anew, whose tokens are worth nothing then."""
        path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/batchaccess"
        return str(self._cluster.get(path).get("metadata", {}).get("uid", ""))

    def start(self) -> None:
        self._starts += 1
        self._token_of = self._account()
        log = self._folder / f"operator-{self._starts}.log"
        self.operator = operatorprocess.start(operatorprocess.write_kubeconfig(self._cluster, self._folder), log)

    def stop(self) -> None:
        """End it; without its CRDs it may just have ended by itself, to be started anew and wait for them."""
        if self.operator is not None:
            status = self.operator.stop()
            assert status == 0 or "the watches ended by themselves" in self.operator.log, self.operator.log
        self.operator = None

    def keep_running(self) -> None:
        """What a kubelet does when it has ended, with the token of the ServiceAccount there is now."""
        if self.operator is not None:
            if (account := self._account()) != self._token_of:
                operatorprocess.write_kubeconfig(self._cluster, self._folder)
                self._token_of = account
            if self.operator.process.poll() is not None:
                assert "the watches ended by themselves" in self.operator.log, self.operator.log
                self.start()

    def _delete_namespace(self) -> None:
        self._cluster.kubectl("delete", "namespace", NAMESPACE, "--timeout=100s")

    def _delete_crds(self) -> None:
        for path in CRDS:
            self._cluster.kubectl("delete", "-f", str(path), "--timeout=100s")


@pytest.fixture
def installation(cluster: RealCluster, tmp_path: Path) -> Iterator[Installation]:
    made = Installation(cluster, tmp_path)
    yield made
    if made.operator is not None and made.operator.process.poll() is None:
        made.operator.kill()
    cluster.install()
    cluster.abandon_everything()


@pytest.fixture
def batch() -> Iterator[Emulator]:
    with serving_in_thread(make_service(pools={DEV_ACCOUNT.name: [open_pool()]})) as emulator:
        yield emulator


@pytest.mark.newest_release
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("order", list(itertools.permutations(("operator", "namespace", "crds"))), ids=", ".join)
def test_it_is_uninstalled_in_any_order_and_installed_again(
    cluster: RealCluster, installation: Installation, batch: Emulator, order: tuple[str, ...]
) -> None:
    installation.start()
    cluster.apply(secret(), connection(batch), policy_manifest(POLICY))
    until_is(lambda: cluster.condition("bpap", POLICY, "Enforced"), "True/Enforced")

    for part in order:
        installation.parts[part][0]()
    assert "NotFound" in cluster.kubectl("get", "namespace", NAMESPACE, check=False)
    assert is_closed(batch)

    cluster.install()
    installation.start()
    batch.edit("render-1", {"networkConfiguration": OPEN_NETWORK})
    cluster.apply(secret(), connection(batch), policy_manifest(POLICY))
    until_is(lambda: cluster.condition("bpap", POLICY, "Enforced"), "True/Enforced")
    assert is_closed(batch)


@pytest.mark.parametrize("removed", ["crds", "namespace"])
def test_it_lives_through_losing_what_it_needs(
    cluster: RealCluster, installation: Installation, batch: Emulator, removed: str
) -> None:
    installation.start()
    cluster.apply(secret(), connection(batch), policy_manifest(POLICY))
    until_is(lambda: cluster.condition("bpap", POLICY, "Enforced"), "True/Enforced")

    remove, install = installation.parts[removed]
    remove()
    install()
    cluster.apply(secret(), connection(batch), policy_manifest(POLICY))
    batch.edit("render-1", {"networkConfiguration": OPEN_NETWORK})

    def is_enforced() -> bool:
        installation.keep_running()
        return is_closed(batch) and cluster.condition("bpap", POLICY, "Enforced") == "True/Enforced"

    until(is_enforced, "the pool is corrected again", within=120)


def test_the_operator_waits_for_crds_that_come_later(cluster: RealCluster, tmp_path: Path) -> None:
    for path in CRDS:
        cluster.kubectl("delete", "-f", str(path), "--timeout=100s")
    with world(cluster, tmp_path) as made:
        until(lambda: "install the CRDs" in made.operator.log, "the log says what is missing")
        assert made.operator.probe("/readyz")[0] == 503
        cluster.install()
        operatorprocess.settled(made.operator)
        made.declare()
