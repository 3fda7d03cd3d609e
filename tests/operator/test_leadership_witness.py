"""What the proofs of failover rest on: the witness sees a write of a replica that does not hold the Lease."""

from pathlib import Path
from typing import Any, cast

import pytest

from tests.operator.replicas import Gate, Replica, World
from tests.support.leasewitness import Witness

NOTHING = cast("Any", None)
"""What the witness does not look at."""


def replica(folder: Path, name: str, identity: str) -> Replica:
    log = folder / name
    log.write_text(f'{{"message": "this replica leads as {identity}"}}\n')
    return Replica(name=name, process=NOTHING, log=log, gate=Gate("", 0))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The first led until 10, nobody until 12, then the second."""
    made = World(kube=NOTHING, batch=NOTHING, directory=tmp_path)
    made.replicas = [replica(tmp_path, "replica-0", "first"), replica(tmp_path, "replica-1", "second")]
    made.witness = Witness(holders=[(0, ""), (1, "first"), (5, "first"), (10, ""), (12, "second")])
    return made


@pytest.mark.parametrize(
    ("call", "is_without"),
    [
        pytest.param((5, "replica-0", "PATCH"), False, id="the leader writes"),
        pytest.param((13, "replica-1", "POST"), False, id="its successor writes"),
        pytest.param((13, "replica-0", "GET"), False, id="a former leader reads"),
        pytest.param((13, "replica-0", "PATCH"), True, id="a former leader writes"),
        pytest.param((5, "replica-1", "DELETE"), True, id="a standby writes"),
        pytest.param((11, "replica-0", "POST"), True, id="somebody writes while nobody leads"),
        pytest.param((5, "", "PATCH"), True, id="nobody knows who wrote"),
    ],
)
def test_a_write_without_the_lease_is_seen(world: World, call: tuple[float, str, str], *, is_without: bool) -> None:
    world.witness.calls.append(call)
    assert world.writes_without_the_lease() == ([call[:2]] if is_without else [])
