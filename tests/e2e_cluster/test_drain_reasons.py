"""The checker of the chaos run sees a drain without a reason: logs as a faulty operator would leave them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson
import pytest

from batchaccess.core.model import NodeCounts, ObjectKey
from batchaccess.core.saga.journal import Holder, Journal, PolicyVersion
from batchaccess.core.saga.metadata import metadata_with
from batchaccess.core.saga.scale import RecordedScale
from batchemulator.request_log import LoggedRequest
from tests.e2e_cluster.drainreasons import Actors, Opened, Reason, drains

NOBODY: tuple[str, ...] = ()
OFFICE = ("192.0.2.0/24",)
ACCEPTED, CHANGED, RACED = 202, 200, 412
NODES = NodeCounts(dedicated=3)


def journal(saga: int, generation: int) -> Journal:
    return Journal(
        saga_id=f"{saga:012x}",
        holder=Holder(cluster_uid="c", connection_uid="u"),
        pool_id="busy",
        pool_created=None,
        policy=PolicyVersion(key=ObjectKey(namespace="default", name="ssh"), uid="p", generation=generation),
        started=datetime(2026, 11, 21, tzinfo=UTC),
        recorded=RecordedScale(current=NODES, targets=NODES, resize_timeout="PT15M"),
    )


@dataclass
class Log:
    """A pool's story, told step by step; every accepted write moves its eTag."""

    actors: Actors = field(default_factory=Actors)
    requests: list[LoggedRequest] = field(default_factory=list)
    etag: int = 0x8DE000
    sagas: int = 0
    generation: int = 0

    def declare(self, allow_from: tuple[str, ...]) -> "Log":
        """The policy is edited; suspended or resumed as well, where it lets in the same."""
        self.generation += 1
        self.actors.declared[self.generation] = allow_from
        return self

    def begin(self) -> "Log":
        """A saga is journaled under the present generation."""
        self.sagas += 1
        items = metadata_with([], journal(self.sagas, self.generation))
        return self._send("update_pool", {"metadata": [{"name": each.name, "value": each.value} for each in items]})

    def drain(self, status: int = ACCEPTED) -> "Log":
        return self._send("resize_pool", {"targetDedicatedNodes": 0, "targetLowPriorityNodes": 0}, status)

    def correct(self, status: int = CHANGED) -> "Log":
        return self._send("update_pool", {"networkConfiguration": {}}, status)

    def restore(self) -> "Log":
        """The scale is brought back and the journal removed."""
        return self._send("resize_pool", {"targetDedicatedNodes": 3})._send("update_pool", {"metadata": []})

    def open(self) -> "Log":
        """Somebody opens the pool."""
        self.etag += 1
        self.actors.opened.append(Opened(pool_id="busy", etag=f"0x{self.etag:X}"))
        return self

    def saga(self) -> "Log":
        """A whole one."""
        return self.begin().drain().correct().restore()

    def _send(self, operation: str, body: dict[str, object], status: int = CHANGED) -> "Log":
        self.requests.append(
            LoggedRequest(
                method="POST",
                operation=operation,
                path="",
                query={},
                status=status,
                account="a",
                user_agent="",
                pool_id="busy",
                if_match=f'"0x{self.etag:X}"',
                body=orjson.dumps(body),
            )
        )
        self.etag += status < RACED
        return self

    @property
    def reasons(self) -> list[Reason | None]:
        return [each.reason for each in drains(self.requests, self.actors)]


def declared(allow_from: tuple[str, ...] = NOBODY) -> Log:
    return Log().declare(allow_from)


FIRST = Reason.FIRST


@pytest.mark.parametrize(
    ("log", "reasons"),
    [
        pytest.param(declared().saga(), [FIRST], id="the first correction"),
        pytest.param(declared().saga().declare(OFFICE).saga(), [FIRST, Reason.DECLARED], id="another access"),
        pytest.param(declared().saga().open().saga(), [FIRST, Reason.OPENED], id="opened again"),
        pytest.param(
            declared().begin().drain().correct().open().restore().saga(),
            [FIRST, Reason.OPENED],
            id="opened between the correction and the restore",
        ),
        pytest.param(
            declared().begin().drain().declare(NOBODY).restore().declare(NOBODY).saga(),
            [FIRST, Reason.STOPPED],
            id="suspended under way and resumed",
        ),
        pytest.param(
            declared().saga().open().begin().drain().declare(NOBODY).restore().declare(NOBODY).saga(),
            [FIRST, Reason.OPENED, Reason.STOPPED],
            id="suspended under way, though an earlier saga had corrected the pool",
        ),
        pytest.param(
            declared().begin().drain().declare(OFFICE).restore().declare(NOBODY).saga(),
            [FIRST, Reason.STOPPED],
            id="edited under way, and back",
        ),
        pytest.param(
            declared().begin().drain(RACED).drain().correct(RACED).correct().restore(),
            [FIRST],
            id="what was refused drained and corrected nothing",
        ),
        pytest.param(
            declared().begin().declare(OFFICE).drain().restore().saga(),
            [FIRST, Reason.DECLARED],
            id="edited after the decision for the first drain and before it was sent",
        ),
    ],
)
def test_a_drain_for_a_new_reason(log: Log, reasons: list[Reason | None]) -> None:
    assert log.reasons == reasons


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(declared().saga().saga(), id="drained again though the pool was corrected"),
        pytest.param(declared().saga().declare(NOBODY).saga(), id="and after an edit that lets in the same"),
        pytest.param(
            declared().saga().declare(NOBODY).declare(NOBODY).declare(NOBODY).saga(),
            id="and after any number of suspensions and resumptions",
        ),
        pytest.param(declared().saga().declare(OFFICE).declare(NOBODY).saga(), id="after an edit and its undoing"),
        pytest.param(
            declared().begin().drain().open().correct().restore().saga(),
            id="opened under way, which the correction overwrote",
        ),
        pytest.param(declared().begin().drain().restore().saga(), id="not corrected, and nothing was declared anew"),
        pytest.param(declared().begin().drain().drain().correct().restore(), id="twice in one saga"),
        pytest.param(
            declared().begin().drain().correct().begin().drain().correct().restore(),
            id="another saga right after the correction",
        ),
        pytest.param(declared().open().saga().saga(), id="opened before the first drain, which saw it"),
        pytest.param(declared().saga().saga().open(), id="opened only after the second drain"),
    ],
)
def test_a_second_drain_without_a_reason_is_seen(log: Log) -> None:
    assert log.reasons == [FIRST, None]


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(declared().saga().declare(OFFICE).saga().saga(), id="twice for one edit"),
        pytest.param(declared().saga().open().saga().saga(), id="twice for one who opened it"),
        pytest.param(
            declared().begin().drain().declare(NOBODY).restore().declare(NOBODY).saga().saga(),
            id="twice for one resumption",
        ),
    ],
)
def test_one_reason_is_good_for_one_drain(log: Log) -> None:
    assert log.reasons[-1] is None
    assert None not in log.reasons[:-1]


def test_a_drain_without_a_journal_is_a_failure_of_its_own() -> None:
    with pytest.raises(AssertionError, match="without a journal"):
        assert declared().drain().reasons
