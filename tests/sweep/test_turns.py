"""Whose turn it is to be drained: how many at once, who comes first, what waiting costs, and what is said meanwhile."""

from collections import Counter

import orjson
import pytest

from batchaccess.core.reasons import EventReason
from batchaccess.sweep.sagabook import SagaRegister, opened_in
from batchemulator.wire.messages import Request, Response
from tests.support.build import policy, wanted
from tests.support.drains import OPEN_SSH, Drains, account_connection, busy_pool, draining
from tests.sweep.test_drains import is_closed

MANY = tuple(f"busy-{number:02}" for number in range(60))


def crowd(*, drains: int = 1, pools: tuple[str, ...] = MANY) -> Drains:
    """Many busy pools, and room for few drains."""
    world = Drains.of(*(busy_pool(pool, nodes=1) for pool in pools))
    world.declared = account_connection(max_concurrent_drains=drains)
    return world


def gets(world: Drains) -> Counter[str]:
    """How often each pool was read for itself since the last look."""
    paths = Counter(entry.path.split("/")[2] for entry in world.service.requests if entry.operation == "get_pool")
    world.service.requests.reset()
    return paths


def said(world: Drains, condition: str = "Compliant") -> Counter[str]:
    """How many pools say what."""
    return Counter(world.reports.condition(name, condition)[1] for name in world.reports.objects)


def slow(world: Drains, seconds: float) -> None:
    """Each request takes so long, of an operator that has just started."""

    def handle(request: Request) -> Response:
        world.advance(seconds)
        return world.service.handle(request)

    world.handle = handle


async def test_only_the_pool_whose_turn_it_is_costs_a_request() -> None:
    world = crowd()
    await world.sweep()
    (begun,) = world.journals()
    assert set(gets(world)) == {begun.removeprefix("prod-weu.")}
    assert said(world) == {"DrainLimit": 59, "Correcting": 1}


async def test_a_pool_that_becomes_free_to_drain_is_the_only_one_read_when_a_slot_is_freed() -> None:
    world = crowd()
    await world.live_until(lambda: is_closed(world, MANY[0]) and world.is_settled)
    gets(world)
    before = list(world.reports.writes)
    await world.live_until(lambda: bool(world.journals()))
    assert set(gets(world)) == {MANY[1]}
    touched = {write.split()[1] for write in world.reports.writes[len(before) :]}
    assert touched <= {f"prod-weu.{MANY[0]}", f"prod-weu.{MANY[1]}"}


async def test_no_pool_that_waits_says_that_it_is_being_drained() -> None:
    world = crowd(pools=MANY[:12])
    await world.live_until(lambda: is_closed(world, MANY[3]) and world.is_settled)
    for pool in MANY[4:12]:
        assert EventReason.REMEDIATING not in world.recorder.reasons(f"prod-weu.{pool}")
    writes = Counter(write.split()[1] for write in world.reports.writes)
    assert {writes[f"prod-weu.{pool}"] for pool in MANY[5:12]} == {2}, "one to make the object, one to say DrainLimit"


@pytest.mark.parametrize(
    ("seconds", "begun"), [(20, 1), (70, 0)], ids=["while the first pool is begun", "before any pool is begun"]
)
async def test_statuses_are_true_when_the_time_of_a_pass_is_over(seconds: float, begun: int) -> None:
    world = crowd()
    slow(world, seconds)
    await world.sweep()
    assert len(world.journals()) == begun
    assert said(world) == {"Correcting": 1, "DrainLimit": 59}
    assert said(world, "Remediating") == ({"Waiting": 59, "Draining": 1} if begun else {"Waiting": 60})
    before = len(world.reports.writes)
    await world.sweep()
    touched = {write.split()[1] for write in world.reports.writes[before:]}
    assert touched <= {f"prod-weu.{MANY[0]}"}


async def test_the_most_dangerous_pool_comes_first() -> None:
    narrow = {
        "endpointConfiguration": {
            "inboundNATPools": [
                {
                    **OPEN_SSH["endpointConfiguration"]["inboundNATPools"][0],
                    "networkSecurityGroupRules": [
                        {"priority": 200, "access": "allow", "sourceAddressPrefix": "10.0.0.0/8"},
                        {"priority": 300, "access": "deny", "sourceAddressPrefix": "*"},
                    ],
                }
            ]
        }
    }
    world = Drains.of(busy_pool("a", nodes=1) | {"networkConfiguration": narrow}, busy_pool("z", nodes=1))
    world.declared = account_connection(max_concurrent_drains=1)
    await world.sweep()
    assert world.journals() == ["prod-weu.z"]
    await world.live_until(lambda: is_closed(world, "z") and is_closed(world, "a"))


async def test_an_open_saga_keeps_its_turn_whatever_becomes_more_dangerous() -> None:
    world = crowd(pools=MANY[5:6])
    await world.sweep()
    world.seed(busy_pool(MANY[0], nodes=1))
    world.service.requests.reset()
    await world.sweep()
    assert world.journals() == [f"prod-weu.{MANY[5]}"]
    assert set(gets(world)) == {MANY[5]}


async def test_each_policy_has_its_own_limit_beside_that_of_the_connection() -> None:
    few = draining(policy("few", wanted("SSH"), ids=["busy-0*"]), max_concurrent=1)
    many = draining(policy("many", wanted("SSH"), ids=["busy-1*"]), max_concurrent=3)
    world = crowd(drains=100, pools=MANY[:20])
    world.policies = [few, many]
    await world.sweep()
    begun = [name.removeprefix("prod-weu.") for name in world.journals()]
    assert begun == ["busy-00", "busy-10", "busy-11", "busy-12"]
    assert set(gets(world)) == set(begun)
    assert said(world)["DrainLimit"] == 16


async def test_a_saga_that_only_azure_knows_is_resumed_before_another_begins() -> None:
    world = crowd(pools=MANY[5:6])
    await world.sweep()
    world.seed(busy_pool(MANY[0], nodes=1))
    world.reports.objects.clear()
    world.restart()
    await world.sweep()
    assert world.journals() == [f"prod-weu.{MANY[5]}"]


@pytest.mark.parametrize("limit", ["of the connection", "of the policy"])
async def test_a_journal_that_cannot_be_removed_keeps_nobody_waiting_and_holds_what_it_needs(limit: str) -> None:
    limited = draining(max_concurrent=1 if limit == "of the policy" else 1000)
    world = Drains.of(busy_pool("one"), busy_pool("two"), policies=[limited])
    world.declared = account_connection(max_concurrent_drains=1 if limit == "of the connection" else 1000)

    def handle(request: Request) -> Response:
        if request.method == "PATCH" and b"metadata" in request.body and b"journal" not in request.body:
            document = {"code": "InsufficientAccountPermissions", "message": {"value": "No."}}
            return Response(status=403, headers={}, body=orjson.dumps(document))
        return world.service.handle(request)

    world.handle = handle
    await world.live_until(lambda: is_closed(world, "one"))
    assert not is_closed(world, "two")
    await world.live_until(lambda: is_closed(world, "two"), within=7200)
    await world.live(600)
    assert {each.targets.dedicated for each in map(world.pool, ("one", "two"))} == {3}
    assert said(world, "Remediating") == {"Clearing": 2}
    assert (len(world.finalizers.connections), len(world.finalizers.policies)) == (1, 1)


async def test_a_saga_whose_scale_is_not_back_keeps_its_place() -> None:
    world = Drains.of(busy_pool("one"), busy_pool("two"))
    world.declared = account_connection(max_concurrent_drains=1)

    def handle(request: Request) -> Response:
        if request.path.endswith("/resize") and orjson.loads(request.body)["targetDedicatedNodes"]:
            document = {"code": "PoolQuotaReached", "message": {"value": "No."}}
            return Response(status=409, headers={}, body=orjson.dumps(document))
        return world.service.handle(request)

    world.handle = handle
    await world.live(6 * 3600, step=20)
    assert said(world, "Remediating")["RestorePending"] == 1
    assert said(world)["DrainLimit"] == 1


async def test_after_a_restart_a_limit_of_a_policy_counts_the_sagas_of_connections_that_were_not_swept_yet() -> None:
    limited = draining(policy("ssh", wanted("SSH"), connections=("one", "two")), max_concurrent=1)
    register = SagaRegister()
    first, second = (Drains.of(busy_pool(), policies=[limited]) for _ in range(2))
    for world, name in ((first, "one"), (second, "two")):
        world.declared = account_connection(name=name, uid=f"uid-{name}")
        world.share(register)
    await second.sweep()
    await first.sweep()
    assert (len(first.journals()), len(second.journals())) == (0, 1)
    register = SagaRegister()
    for world in (first, second):
        register.tell(world.declared.name, opened_in(world.reports.existing(world.declared)))
        world.restart()
        world.share(register)
    await first.sweep()
    await second.sweep()
    assert (len(first.journals()), len(second.journals())) == (0, 1)
    assert first.reports.condition("one.busy", "Compliant") == ("False", "DrainLimit")
