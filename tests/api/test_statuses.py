"""Statuses are written as the CRDs want them, whatever is in them, and read back whatever was made of them."""

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchaccess.api import render_status, stored_change, stored_conditions, stored_in_order_under
from batchaccess.core.model import (
    Access,
    IpFamily,
    ObjectKey,
    PortRange,
    Protocol,
    Provisioning,
)
from batchaccess.core.reasons import AcceptedReason, CompliantReason, ConditionStatus, ConditionType, DriftClass
from batchaccess.core.saga.breaker import PolicyGeneration
from batchaccess.core.status import (
    AssertionStatus,
    Change,
    Condition,
    ConnectionStatus,
    ConnectionTarget,
    Difference,
    EndpointStatus,
    NetworkStatus,
    PolicyStatus,
    PoolCounts,
    PoolNotInOrder,
    PoolStatus,
    RuleStatus,
)
from kubeemulator.admission import admit
from tests.parity.judges import definitions

T = TypeVar("T")

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
READY = Condition(
    type=ConditionType.READY,
    status=ConditionStatus.TRUE,
    reason="Connected",
    message="The account answers.",
    observed_generation=2,
    last_transition_time=NOON,
)
CHANGE = Change(
    policy=ObjectKey(namespace="render", name="ssh"),
    time=NOON,
    before="SSH open",
    after="SSH closed",
    exposed_since=NOON - timedelta(seconds=303),
)
DENY_ALL = RuleStatus(priority=150, access=Access.DENY, source_address_prefix="*", source_port_ranges=("*",))
SSH = EndpointStatus(
    name="SSH",
    protocol=Protocol.TCP,
    backend_port=22,
    frontend_ports=PortRange(4000, 4100),
    rules=(DENY_ALL,),
    implicit=False,
    internet="Closed",
    virtual_network="NotApplicable",
    admits="nobody",
    because="rule 150 denies everyone",
)
NETWORK = NetworkStatus(
    provisioning=Provisioning.BATCH_MANAGED,
    address_ids=(),
    ip_families=(IpFamily.IPV4,),
    subnet_id=None,
    accelerated_networking=False,
    endpoints=(SSH,),
)
POOL = PoolStatus(
    observed_generation=1,
    conditions=(READY,),
    policy=ObjectKey(namespace="render", name="ssh"),
    network=NETWORK,
    last_change=CHANGE,
    in_order_under=PolicyGeneration(uid="u", generation=3),
)


def test_a_pool_status_is_rendered_in_the_words_of_the_crd() -> None:
    assert render_status(POOL) == {
        "observedGeneration": 1,
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Connected",
                "message": "The account answers.",
                "observedGeneration": 2,
                "lastTransitionTime": "2026-01-02T12:00:00Z",
            }
        ],
        "policy": "render/ssh",
        "network": {
            "provisioning": "BatchManaged",
            "ipFamilies": ["IPv4"],
            "acceleratedNetworking": False,
            "endpoints": [
                {
                    "name": "SSH",
                    "protocol": "TCP",
                    "backendPort": 22,
                    "frontendPorts": {"start": 4000, "end": 4100},
                    "rules": [
                        {"priority": 150, "access": "Deny", "sourceAddressPrefix": "*", "sourcePortRanges": ["*"]}
                    ],
                    "implicit": False,
                    "internet": "Closed",
                    "virtualNetwork": "NotApplicable",
                    "admits": "nobody",
                    "because": "rule 150 denies everyone",
                }
            ],
        },
        "lastChange": {
            "policy": "render/ssh",
            "time": "2026-01-02T12:00:00Z",
            "before": "SSH open",
            "after": "SSH closed",
            "exposedSince": "2026-01-02T11:54:57Z",
        },
        "inOrderUnder": {"uid": "u", "generation": 3},
    }


def test_counts_of_nothing_are_shown_as_zero() -> None:
    rendered = render_status(ConnectionStatus(observed_generation=1, conditions=(READY,), pools=PoolCounts()))

    assert set(rendered["pools"].values()) == {0}


def test_times_are_in_utc_with_whole_seconds() -> None:
    local = NOON.astimezone(timezone(timedelta(hours=2))).replace(microsecond=999999)
    status = ConnectionStatus(observed_generation=1, conditions=(replace(READY, last_transition_time=local),))

    assert render_status(status)["conditions"][0]["lastTransitionTime"] == "2026-01-02T12:00:00Z"


def test_a_text_that_is_too_long_ends_in_an_ellipsis() -> None:
    status = ConnectionStatus(observed_generation=1, conditions=(replace(READY, message="x" * 5000),))
    message = render_status(status)["conditions"][0]["message"]

    assert (len(message), message[-2:]) == (4096, "x…")


def test_what_was_written_is_read_back() -> None:
    rendered = render_status(POOL)

    assert stored_conditions(rendered) == (READY,)
    assert stored_change(rendered) == CHANGE
    assert stored_in_order_under(rendered) == POOL.in_order_under


@pytest.mark.parametrize("entry", [None, "u", {}, {"uid": "u"}, {"generation": 3}, {"uid": 3, "generation": 3}])
def test_a_generation_that_makes_no_sense_counts_as_absent(entry: object) -> None:
    assert stored_in_order_under({"inOrderUnder": entry}) is None
    assert stored_in_order_under({"inOrderUnder": {"uid": "u", "generation": True}}) is None


GARBAGE: list[Any] = [None, 1, "x", [], {}, [1], {"type": 1}, "2026-13-01T00:00:00Z", "/", "a/", True]


@pytest.mark.parametrize("status", [*GARBAGE, {"conditions": {}}, {"conditions": [None, "Ready"]}, {"lastChange": []}])
def test_a_status_that_makes_no_sense_counts_as_absent(status: object) -> None:
    assert stored_conditions(status) == ()
    assert stored_change(status) is None
    assert stored_in_order_under(status) is None


@pytest.mark.parametrize("key", ["type", "status", "reason", "message", "lastTransitionTime"])
@pytest.mark.parametrize("value", GARBAGE)
def test_one_broken_condition_does_not_hide_another(key: str, value: object) -> None:
    rendered = render_status(
        PoolStatus(observed_generation=1, conditions=(READY, replace(READY, type=ConditionType.STALLED)))
    )
    rendered["conditions"][0][key] = value
    read = stored_conditions(rendered)

    assert [condition.type for condition in read if condition.type is not ConditionType.READY] == [
        ConditionType.STALLED
    ]


@pytest.mark.parametrize("key", ["policy", "time", "before", "after"])
@pytest.mark.parametrize("value", [None, 1, [], {}])
def test_a_broken_change_counts_as_none(key: str, value: object) -> None:
    rendered = copy.deepcopy(render_status(POOL))
    rendered["lastChange"][key] = value

    assert stored_change(rendered) is None


@pytest.mark.parametrize("value", [None, 1, [], {}, "long ago"])
def test_a_change_whose_exposure_makes_no_sense_is_still_told(value: object) -> None:
    rendered = copy.deepcopy(render_status(POOL))
    rendered["lastChange"]["exposedSince"] = value

    assert stored_change(rendered) == replace(CHANGE, exposed_since=None)


def test_a_time_without_zone_is_utc() -> None:
    rendered = render_status(POOL)
    rendered["lastChange"]["time"] = "2026-01-02T12:00:00"

    assert stored_change(rendered) == CHANGE


def test_of_two_conditions_of_one_type_the_last_counts() -> None:
    rendered = render_status(POOL)
    rendered["conditions"].append({**rendered["conditions"][0], "status": "False"})

    assert stored_conditions(rendered) == (replace(READY, status=ConditionStatus.FALSE),)


TEXT = st.text(max_size=20)
WORDS = st.sampled_from([reason.value for reason in CompliantReason])
COUNTS = st.integers(0, 2**31 - 1)
TIMES = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 hypothesis wants bounds without a zone
PORTS = st.integers(0, 65535)
KEYS = st.builds(
    ObjectKey,
    namespace=st.from_regex(r"[a-z0-9]{1,63}", fullmatch=True),
    name=st.from_regex(r"[a-z0-9]{1,63}", fullmatch=True),
)
CONDITIONS = st.lists(
    st.builds(Condition, reason=WORDS, message=TEXT, observed_generation=COUNTS, last_transition_time=TIMES),
    unique_by=lambda condition: condition.type,
).map(tuple)


def _few(entries: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(entries, max_size=2).map(tuple)


RULES = st.builds(
    RuleStatus, priority=COUNTS, source_address_prefix=TEXT, source_port_ranges=_few(st.sampled_from(["*", "1-2"]))
)
ENDPOINTS = st.builds(
    EndpointStatus,
    name=TEXT,
    backend_port=PORTS,
    frontend_ports=st.none() | st.builds(PortRange, PORTS, PORTS),
    rules=_few(RULES),
    internet=st.just("Open"),
    virtual_network=st.just("NotApplicable"),
    admits=TEXT,
    because=TEXT,
)
NETWORKS = st.builds(NetworkStatus, address_ids=_few(TEXT), subnet_id=st.none() | TEXT, endpoints=_few(ENDPOINTS))
POOL_STATUSES = st.builds(
    PoolStatus,
    observed_generation=COUNTS,
    conditions=CONDITIONS,
    policy=st.none() | KEYS,
    overridden=_few(KEYS),
    network=st.none() | NETWORKS,
    differences=_few(st.builds(Difference, field=TEXT, observed=TEXT, desired=TEXT)),
    assertions=_few(st.builds(AssertionStatus, policy=KEYS, name=st.just("a"), message=TEXT)),
    last_change=st.none() | st.builds(Change, policy=KEYS, time=TIMES, before=TEXT, after=TEXT),
    in_order_under=st.none() | st.builds(PolicyGeneration, uid=st.just("u"), generation=COUNTS),
    last_handled_requested_at=st.none() | TEXT,
)
POOL_COUNTS = st.none() | st.builds(PoolCounts, total=COUNTS, unknown=COUNTS)
TARGETS = st.builds(ConnectionTarget, name=st.sampled_from("abc"), reason=st.sampled_from(AcceptedReason), message=TEXT)
NOT_IN_ORDER = st.builds(
    PoolNotInOrder, name=st.just("c.p"), connection=st.just("c"), pool_id=st.just("p"), reason=WORDS, message=TEXT
)
POLICY_STATUSES = st.builds(
    PolicyStatus,
    observed_generation=COUNTS,
    conditions=CONDITIONS,
    connections=st.lists(TARGETS, unique_by=lambda target: target.name).map(tuple),
    pools=POOL_COUNTS,
    overridden=COUNTS,
    not_in_order=_few(NOT_IN_ORDER),
    last_handled_requested_at=st.none() | TEXT,
)
CONNECTION_STATUSES = st.builds(
    ConnectionStatus,
    observed_generation=COUNTS,
    conditions=CONDITIONS,
    pools=POOL_COUNTS,
    last_handled_requested_at=st.none() | TEXT,
)
CARRIERS: dict[type, dict[str, Any]] = {
    PoolStatus: {
        "kind": "BatchPoolAccess",
        "metadata": {"name": "c.p"},
        "spec": {"connection": "c", "poolId": "p"},
    },
    PolicyStatus: {
        "kind": "BatchPoolAccessPolicy",
        "metadata": {"name": "a"},
        "spec": {"connections": {"names": ["c"]}},
    },
    ConnectionStatus: {
        "kind": "BatchAccountConnection",
        "metadata": {"name": "c"},
        "spec": {"endpoint": "https://c.batch.azure.com", "auth": {"type": "ManagedIdentity"}},
    },
}


def _admitted(status: ConnectionStatus | PolicyStatus | PoolStatus) -> tuple[dict[str, Any], tuple[str, ...]]:
    carrier = {"apiVersion": "batchaccess.dev/v1alpha1", **CARRIERS[type(status)], "status": render_status(status)}
    stored, errors = admit(definitions()[carrier["kind"]], carrier)
    return stored["status"], tuple(str(error) for error in errors)


@settings(max_examples=200, deadline=None)
@given(status=POOL_STATUSES | POLICY_STATUSES | CONNECTION_STATUSES)
def test_no_status_is_refused_or_pruned(status: ConnectionStatus | PolicyStatus | PoolStatus) -> None:
    assert _admitted(status) == (render_status(status), ())


LONG = "x" * 9000
OVERFULL_ENDPOINT = replace(
    SSH,
    name=LONG,
    admits=LONG,
    because=LONG,
    rules=(replace(DENY_ALL, source_address_prefix=LONG, source_port_ranges=("*",) * 200),) * 200,
)


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(
            replace(
                POOL,
                conditions=tuple(replace(READY, type=each, message=LONG) for each in ConditionType),
                overridden=(CHANGE.policy,) * 200,
                network=replace(NETWORK, address_ids=(LONG,) * 200, subnet_id=LONG),
                differences=(Difference(field=LONG, kind=DriftClass.MIXED, observed=LONG, desired=LONG),) * 200,
                last_change=replace(CHANGE, before=LONG, after=LONG),
                last_handled_requested_at=LONG,
            ),
            id="a pool",
        ),
        pytest.param(
            replace(POOL, network=replace(NETWORK, endpoints=(OVERFULL_ENDPOINT, *(SSH,) * 101))), id="endpoints"
        ),
        pytest.param(
            PolicyStatus(
                observed_generation=1,
                conditions=(READY,),
                connections=tuple(
                    ConnectionTarget(name=f"c{each}", accepted=True, reason=AcceptedReason.ACCEPTED, message=LONG)
                    for each in range(200)
                ),
                not_in_order=(
                    PoolNotInOrder(name="c.p", connection="c", pool_id="p", reason="PoolNotEmpty", message=LONG),
                )
                * 200,
            ),
            id="a policy",
        ),
    ],
)
def test_a_status_with_too_much_of_everything_is_cut_to_what_the_crd_takes(status: PolicyStatus | PoolStatus) -> None:
    assert _admitted(status) == (render_status(status), ())


@pytest.mark.parametrize("drift", DriftClass)
def test_words_are_rendered_as_users_match_them(drift: DriftClass) -> None:
    status = replace(POOL, differences=(Difference(field="subnetId", kind=drift, observed="", desired="x"),))

    assert render_status(status)["differences"] == [
        {"field": "subnetId", "kind": drift.value, "observed": "", "desired": "x"}
    ]
