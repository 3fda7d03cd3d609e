"""What a pass does to pools that are not as declared."""

from dataclasses import replace
from datetime import timedelta

import pytest

from batchaccess.core.declared import (
    AuthType,
    Mode,
)
from batchaccess.core.model import ObservedPool
from batchaccess.core.reasons import ErrorKind, EventReason
from batchaccess.ports import AzureOperation, Listing, PortError
from tests.support.account import AccountWorld
from tests.support.build import NOW, access, connection, endpoint, policy, pool, wanted
from tests.telemetry.read_exposition import value_of

SSH_CLOSED = policy("ssh", wanted("SSH", allow_from=[]))
NAME = "prod-weu.render-1"


def open_pool(**changes: object) -> ObservedPool:
    return replace(pool("render-1", endpoint("SSH")), **changes)  # type: ignore[arg-type] # fields of the builder's


def operations(world: AccountWorld) -> list[AzureOperation]:
    return [call.operation for call in world.pools.calls]


async def test_drifted_empty_pool_costs_list_get_patch_get() -> None:
    world = AccountWorld.of(open_pool(), policies=[SSH_CLOSED])
    await world.sweep()
    assert operations(world) == [
        AzureOperation.LIST_POOLS,
        AzureOperation.GET_POOL,
        AzureOperation.PATCH_NETWORK,
        AzureOperation.GET_POOL,
    ]


async def test_corrected_pool_is_compliant_and_tells_what_changed() -> None:
    world = AccountWorld.of(open_pool(), policies=[SSH_CLOSED])
    summary = await world.sweep()
    assert world.reports.condition(NAME, "Compliant") == ("True", "Compliant")
    assert world.reports.condition(NAME, "Exposed") == ("False", "None")
    change = world.reports.status(NAME)["lastChange"]
    assert change["policy"] == "render/ssh"
    assert change["before"] == (
        "SSH (TCP/22): anyone on the Internet (because an endpoint without rules admits everyone, e.g. 8.8.8.8)"
    )
    assert change["after"] == "SSH (TCP/22): nobody"
    assert summary.counts is not None
    assert summary.counts.compliant == 1
    assert world.recorder.events == [
        (NAME, EventReason.DRIFT_CORRECTED, "Corrected: Widening drift in endpoints[SSH].")
    ]
    labels = {"connection": "prod-weu", "kind": "Widening"}
    assert value_of(world.metrics, "batchaccess_drift_detected_total", **labels) == 1


async def test_corrected_pool_tells_since_when_it_had_been_open() -> None:
    opened = NOW - timedelta(minutes=5, seconds=3)
    world = AccountWorld.of(open_pool(last_modified=opened), policies=[SSH_CLOSED])
    await world.sweep()
    assert world.reports.status(NAME)["lastChange"]["exposedSince"] == "2026-03-01T11:54:57Z"


async def test_pool_that_waited_for_its_correction_was_open_since_it_was_first_seen_so() -> None:
    world = AccountWorld.of(
        replace(open_pool(), last_modified=NOW, scale=pool("x", nodes=1).scale), policies=[SSH_CLOSED]
    )
    await world.sweep()
    world.clock.advance(600)
    world.pools.edit("render-1", scale=pool("x").scale, last_modified=world.clock.now())
    await world.sweep()
    change = world.reports.status(NAME)["lastChange"]
    assert (change["exposedSince"], change["time"]) == ("2026-03-01T12:00:00Z", "2026-03-01T12:10:00Z")


async def test_corrected_pool_that_nobody_on_the_internet_reached_tells_of_no_exposure() -> None:
    world = AccountWorld.of(pool("render-1", endpoint("SSH", "allow 10.0.0.0/8", "deny *")), policies=[SSH_CLOSED])
    await world.sweep()
    assert "exposedSince" not in world.reports.status(NAME)["lastChange"]


async def test_event_of_exposure_names_the_rule_to_blame() -> None:
    opened = pool("render-1", endpoint("SSH", "allow Internet priority 300", "deny * priority 400"), nodes=1)
    world = AccountWorld.of(opened, policies=[SSH_CLOSED])
    await world.sweep()
    told = [message for _, reason, message in world.recorder.events if reason is EventReason.INTERNET_REACHABLE]
    assert told == ["SSH (TCP/22): anyone on the Internet (because rule 300 allows Internet, e.g. 8.8.8.8)."]


async def test_patch_carries_the_explicit_deny_and_the_etag_just_read() -> None:
    world = AccountWorld.of(open_pool(), policies=[SSH_CLOSED])
    await world.sweep()
    (patch,) = world.pools.calls_of(AzureOperation.PATCH_NETWORK)
    assert patch.etag == pool().etag
    assert patch.body is not None
    (nat_pool,) = patch.body["endpointConfiguration"]["inboundNATPools"]
    assert nat_pool["networkSecurityGroupRules"] == [
        {"priority": 1000, "access": "deny", "sourceAddressPrefix": "*", "sourcePortRanges": ["*"]}
    ]


async def test_pool_with_nodes_waits_and_is_corrected_once_it_is_empty() -> None:
    world = AccountWorld.of(pool("render-1", endpoint("SSH"), nodes=2), policies=[SSH_CLOSED])
    await world.sweep()
    assert world.reports.condition(NAME, "Compliant") == ("False", "PoolNotEmpty")
    assert operations(world) == [AzureOperation.LIST_POOLS]
    world.pools.fill("render-1", 0)
    await world.sweep()
    assert world.reports.condition(NAME, "Compliant") == ("True", "Compliant")


async def test_audit_reports_and_never_reads_nor_writes_the_pool() -> None:
    world = AccountWorld.of(open_pool(), policies=[replace(SSH_CLOSED, mode=Mode.AUDIT)])
    await world.sweep()
    assert operations(world) == [AzureOperation.LIST_POOLS]
    assert world.reports.condition(NAME, "Compliant") == ("False", "AuditOnly")
    assert world.reports.condition(NAME, "Drifted") == ("True", "Widening")
    assert world.recorder.reasons(NAME) == [EventReason.DRIFT_DETECTED, EventReason.INTERNET_REACHABLE]


@pytest.mark.parametrize("suspended", ["connection", "policy"])
async def test_suspension_stops_writes_but_not_observation(suspended: str) -> None:
    world = AccountWorld.of(open_pool(), policies=[replace(SSH_CLOSED, suspend=suspended == "policy")])
    world.declared = connection(suspend=suspended == "connection")
    await world.sweep()
    assert operations(world) == [AzureOperation.LIST_POOLS]
    assert world.reports.condition(NAME, "Compliant") == ("False", "Suspended")
    assert world.reports.condition(NAME, "Exposed") == ("True", "InternetReachable")


async def test_pool_that_fills_between_listing_and_reading_is_left_alone() -> None:
    world = AccountWorld.of(open_pool(), policies=[SSH_CLOSED])
    listed = await world.pools.list_pools()
    world.pools.fill("render-1", 3)
    world.pools.list_pools = lambda: _answer(listed)  # type: ignore[method-assign]
    await world.sweep()
    assert world.pools.calls_of(AzureOperation.PATCH_NETWORK) == []
    assert world.reports.condition(NAME, "Compliant") == ("False", "PoolNotEmpty")


async def _answer(value: Listing) -> Listing:
    return value


async def test_race_is_read_again_at_once_and_corrected() -> None:
    world = AccountWorld.of(open_pool(), policies=[SSH_CLOSED])
    world.pools.fail_next(
        AzureOperation.PATCH_NETWORK, PortError(ErrorKind.RACE, "ConditionNotMet", "raced", status=412)
    )
    await world.sweep()
    assert operations(world)[1:] == [
        AzureOperation.GET_POOL,
        AzureOperation.PATCH_NETWORK,
        AzureOperation.GET_POOL,
        AzureOperation.PATCH_NETWORK,
        AzureOperation.GET_POOL,
    ]
    assert world.reports.condition(NAME, "Compliant") == ("True", "Compliant")


async def test_etag_refused_twice_though_just_read_stops_all_writing() -> None:
    world = AccountWorld.of(open_pool(), policies=[SSH_CLOSED])
    race = PortError(ErrorKind.RACE, "ConditionNotMet", "raced", status=412)
    world.pools.fail_next(AzureOperation.PATCH_NETWORK, race, times=50)
    for _ in range(5):
        await world.sweep()
        world.clock.advance(3600)
    assert world.reports.condition(NAME, "Compliant") == ("False", "PreconditionUnsupported")
    patches = world.pools.calls_of(AzureOperation.PATCH_NETWORK)
    assert [patch.unquoted for patch in patches] == [False, False, True]


async def test_lost_answer_of_a_patch_that_took_effect_is_found_out_by_reading() -> None:
    world = AccountWorld.of(open_pool(), policies=[SSH_CLOSED])
    lost = PortError(ErrorKind.TRANSIENT, "Timeout", "no answer", outcome_unknown=True)
    world.pools.fail_next(AzureOperation.PATCH_NETWORK, lost, after_effect=True)
    await world.sweep()
    assert world.reports.condition(NAME, "Compliant") == ("True", "Compliant")
    assert len(world.pools.calls_of(AzureOperation.PATCH_NETWORK)) == 1


async def test_lost_answer_of_a_patch_without_effect_backs_off_and_tries_again() -> None:
    world = AccountWorld.of(open_pool(), policies=[SSH_CLOSED])
    lost = PortError(ErrorKind.TRANSIENT, "Timeout", "no answer", outcome_unknown=True)
    world.pools.fail_next(AzureOperation.PATCH_NETWORK, lost)
    await world.sweep()
    assert world.reports.condition(NAME, "Compliant") == ("False", "BackingOff")
    world.clock.advance(10)
    await world.sweep()
    assert len(world.pools.calls_of(AzureOperation.PATCH_NETWORK)) == 1
    world.clock.advance(60)
    await world.sweep()
    assert world.reports.condition(NAME, "Compliant") == ("True", "Compliant")


@pytest.mark.parametrize(
    ("kind", "status", "reason"),
    [
        pytest.param(ErrorKind.TERMINAL, 400, "Rejected", id="a refused network is not sent again"),
        pytest.param(ErrorKind.DENIED, 403, "AccessDenied", id="a denied identity is not tried again soon"),
    ],
)
async def test_refusal_latches(kind: ErrorKind, status: int, reason: str) -> None:
    world = AccountWorld.of(open_pool(), policies=[SSH_CLOSED])
    world.pools.fail_next(AzureOperation.PATCH_NETWORK, PortError(kind, "Code", "the service said no", status=status))
    for _ in range(3):
        await world.sweep()
        world.clock.advance(60)
    assert world.reports.condition(NAME, "Compliant") == ("False", reason)
    assert len(world.pools.calls_of(AzureOperation.PATCH_NETWORK)) == 1
    assert world.recorder.reasons(NAME).count(EventReason.CORRECTION_FAILED) == 1


async def test_changed_policy_opens_the_latch() -> None:
    world = AccountWorld.of(open_pool(), policies=[SSH_CLOSED])
    world.pools.fail_next(AzureOperation.PATCH_NETWORK, PortError(ErrorKind.TERMINAL, "Code", "no", status=400))
    await world.sweep()
    world.policies = [replace(SSH_CLOSED, generation=2)]
    await world.sweep()
    assert world.reports.condition(NAME, "Compliant") == ("True", "Compliant")


async def test_shared_key_with_a_subnet_is_refused_before_the_first_request() -> None:
    subnet = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/b"
    world = AccountWorld.of(open_pool(), policies=[policy("ssh", declares=access(wanted("SSH"), subnet_id=subnet))])
    world.declared = replace(connection(), auth=connection(auth=AuthType.SHARED_KEY).auth)
    await world.sweep()
    assert operations(world) == [AzureOperation.LIST_POOLS]
    assert world.reports.condition(NAME, "Compliant") == ("False", "SharedKeySubnet")


async def contended() -> AccountWorld:
    world = AccountWorld.of(open_pool(), policies=[SSH_CLOSED])
    open_again = {"endpointConfiguration": {"inboundNATPools": [_open_ssh()]}}
    for _ in range(3):
        await world.sweep()
        world.pools.edit_network("render-1", open_again)
        world.clock.advance(60)
    await world.sweep()
    return world


async def test_somebody_who_keeps_overwriting_us_is_named_and_left_alone_for_an_hour() -> None:
    world = await contended()
    assert world.reports.condition(NAME, "Compliant") == ("False", "Contended")
    patches = len(world.pools.calls_of(AzureOperation.PATCH_NETWORK))
    world.clock.advance(600)
    await world.sweep()
    assert len(world.pools.calls_of(AzureOperation.PATCH_NETWORK)) == patches
    world.clock.advance(3600)
    await world.sweep()
    assert world.reports.condition(NAME, "Compliant") == ("True", "Compliant")


@pytest.mark.parametrize("asked_on", ["pool", "policy", "connection"])
async def test_who_asks_for_a_sweep_need_not_wait_for_the_end_of_a_pause(asked_on: str) -> None:
    world = await contended()
    await world.sweep()
    assert world.reports.condition(NAME, "Compliant") == ("False", "Contended")
    match asked_on:
        case "pool":
            world.reports.request(NAME, "now")
        case "policy":
            world.policies = [replace(SSH_CLOSED, requested_at="now")]
        case _:
            world.declared = replace(world.declared, requested_at="now")
    await world.sweep()
    assert world.reports.condition(NAME, "Compliant") == ("True", "Compliant")


async def test_pool_created_anew_under_its_id_is_not_held_to_what_the_old_one_taught() -> None:
    world = await contended()
    world.pools.put(open_pool(etag="0xNEW", creation_time=NOW))
    await world.sweep()
    assert world.reports.condition(NAME, "Compliant") == ("True", "Compliant")


async def test_id_in_another_case_is_the_same_pool() -> None:
    world = await contended()
    same = world.pools.pool("render-1")
    world.pools.remove("render-1")
    world.pools.put(replace(same, id="RENDER-1"))
    await world.sweep()
    assert world.reports.condition(NAME, "Compliant") == ("False", "Contended")
    assert world.reports.writes.count(f"create {NAME}") == 1
    assert not [write for write in world.reports.writes if write.startswith("delete")]


def _open_ssh() -> dict[str, object]:
    return {
        "name": "SSH",
        "protocol": "tcp",
        "backendPort": 22,
        "frontendPortRangeStart": 4000,
        "frontendPortRangeEnd": 4100,
    }


async def test_pool_that_disappears_before_its_correction_is_no_failure() -> None:
    world = AccountWorld.of(open_pool(), policies=[SSH_CLOSED])
    gone = PortError(ErrorKind.WAITING, "PoolNotFound", "gone", status=404)
    world.pools.fail_next(AzureOperation.GET_POOL, gone)
    await world.sweep()
    assert EventReason.CORRECTION_FAILED not in world.recorder.reasons(NAME)


async def test_most_dangerous_pool_comes_first() -> None:
    narrowed = pool("a-narrowed", endpoint("SSH", "deny *"))
    exposed = pool("z-exposed", endpoint("SSH"))
    declared = policy("ssh", wanted("SSH", allow_from=["10.0.0.0/8"]))
    world = AccountWorld.of(narrowed, exposed, policies=[declared])
    await world.sweep()
    assert [call.pool_id for call in world.pools.calls_of(AzureOperation.PATCH_NETWORK)] == ["z-exposed", "a-narrowed"]


async def test_result_that_is_not_what_was_written_stalls() -> None:
    world = AccountWorld.of(open_pool(), policies=[SSH_CLOSED])
    patch = world.pools.patch_network

    async def patch_and_lose_the_rules(pool_id: str, body: dict[str, object], *, etag: str, unquoted: bool) -> None:
        await patch(pool_id, body, etag=etag, unquoted=unquoted)
        world.pools.edit_network(pool_id, {"endpointConfiguration": {"inboundNATPools": [_open_ssh()]}})

    world.pools.patch_network = patch_and_lose_the_rules  # type: ignore[assignment,method-assign]
    for _ in range(3):
        await world.sweep()
        world.clock.advance(120)
    assert world.reports.condition(NAME, "Compliant") == ("False", "UnexpectedResult")
    assert len(world.pools.calls_of(AzureOperation.PATCH_NETWORK)) == 1


async def test_corrections_stop_at_the_period_and_go_on_in_the_next_pass() -> None:
    pools = [pool(f"render-{number}", endpoint("SSH")) for number in range(4)]
    world = AccountWorld.of(*pools, policies=[SSH_CLOSED])
    patch = world.pools.patch_network

    async def slow_patch(pool_id: str, body: dict[str, object], *, etag: str, unquoted: bool) -> None:
        await patch(pool_id, body, etag=etag, unquoted=unquoted)
        world.clock.advance(40)

    world.pools.patch_network = slow_patch  # type: ignore[assignment,method-assign]
    first = await world.sweep()
    assert len(world.pools.calls_of(AzureOperation.PATCH_NETWORK)) == 2
    assert first.counts is not None
    assert first.counts.pending == 2
    second = await world.sweep()
    assert second.counts is not None
    assert second.counts.compliant == 4


async def test_policy_suspended_during_a_pass_corrects_nothing_more() -> None:
    world = AccountWorld.of(*(pool(f"render-{number}", endpoint("SSH")) for number in range(4)), policies=[SSH_CLOSED])
    patch = world.pools.patch_network

    async def suspend_meanwhile(pool_id: str, body: dict[str, object], *, etag: str, unquoted: bool) -> None:
        await patch(pool_id, body, etag=etag, unquoted=unquoted)
        world.policies = [replace(SSH_CLOSED, suspend=True, generation=2)]

    world.pools.patch_network = suspend_meanwhile  # type: ignore[assignment,method-assign]
    await world.sweep()
    assert len(world.pools.calls_of(AzureOperation.PATCH_NETWORK)) == 1
    assert world.reports.condition("prod-weu.render-3", "Compliant") == ("False", "Suspended")


@pytest.mark.parametrize("end", ["stop", "deletion", "successor"])
async def test_pass_that_shall_end_begins_no_further_correction(end: str) -> None:
    world = AccountWorld.of(*(pool(f"render-{number}", endpoint("SSH")) for number in range(4)), policies=[SSH_CLOSED])
    patch = world.pools.patch_network

    async def end_meanwhile(pool_id: str, body: dict[str, object], *, etag: str, unquoted: bool) -> None:
        match end:
            case "stop":
                world.sweeping.wind_down()
            case "deletion":
                world.declared = replace(world.declared, name="another")
            case _:
                world.declared = replace(world.declared, uid="another")
        await patch(pool_id, body, etag=etag, unquoted=unquoted)

    world.pools.patch_network = end_meanwhile  # type: ignore[assignment,method-assign]
    await world.sweeping.run_once(world.catalogue())
    assert len(world.pools.calls_of(AzureOperation.PATCH_NETWORK)) == 1
    assert world.reports.condition(NAME, "Compliant")[0] == "False"
    assert world.reports.condition("prod-weu.render-0", "Compliant") == ("True", "Compliant")
