"""Objects become core values, or every problem they have; never an exception."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchaccess.api import PoolAccess, parse_connection, parse_policy, parse_pool_access
from batchaccess.core.declared import (
    AccessPolicy,
    AccountConnection,
    Auth,
    AuthType,
    DesiredAccess,
    DesiredEndpoint,
    DesiredEndpoints,
    Grant,
    Mode,
    NameSelector,
    NamespaceSelector,
    PoolSelector,
    Remediation,
    RequestBudget,
    SecretRef,
    Strategy,
    Unlisted,
)
from batchaccess.core.model import (
    ALL_PORTS,
    Access,
    ObjectKey,
    PortRange,
    Protocol,
    Rule,
)
from batchaccess.ports import InvalidObject

API_VERSION = "batchaccess.dev/v1alpha1"


def _policy(spec: dict[str, Any], **metadata: object) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "BatchPoolAccessPolicy",
        "metadata": {"name": "ssh", **metadata},
        "spec": {"connections": {"names": ["prod"]}, **spec},
    }


def test_defaults_are_those_of_the_design() -> None:
    policy = parse_policy(_policy({}))

    assert policy == AccessPolicy(
        key=ObjectKey(namespace="default", name="ssh"),
        uid="",
        generation=0,
        created=datetime(9999, 12, 31, tzinfo=UTC),
        connections=NameSelector(names=("prod",)),
        pools=PoolSelector(ids=("*",)),
        priority=0,
        mode=Mode.AUDIT,
        access=DesiredAccess(),
        remediation=Remediation(strategy=Strategy.WHEN_EMPTY, drain_timeout_seconds=7200, max_concurrent=1),
    )


def test_rules_are_kept_verbatim_and_in_order() -> None:
    item = {
        "name": "SSH",
        "backendPort": 22,
        "frontendPorts": {"start": 4000, "end": 4100},
        "rules": [
            {"priority": 300, "access": "Deny", "sourceAddressPrefix": "internet", "sourcePortRanges": ["7", "9-10"]},
            {"priority": 200, "access": "Allow", "sourceAddressPrefix": "10.0.0.1/8"},
        ],
    }
    policy = parse_policy(_policy({"access": {"endpoints": {"items": [item]}}}))

    assert isinstance(policy, AccessPolicy)
    assert policy.access.endpoints == DesiredEndpoints(
        unlisted=Unlisted.REMOVE,
        items=(
            DesiredEndpoint(
                name="SSH",
                protocol=Protocol.TCP,
                backend_port=22,
                frontend=PortRange(4000, 4100),
                rules=(
                    Rule(
                        priority=300,
                        access=Access.DENY,
                        source="internet",
                        source_ports=(PortRange(7, 7), PortRange(9, 10)),
                    ),
                    Rule(priority=200, access=Access.ALLOW, source="10.0.0.1/8", source_ports=(ALL_PORTS,)),
                ),
            ),
        ),
    )


@pytest.mark.parametrize(("written", "meant"), [([], ()), (["*"], ("*",)), (["B", "A"], ("B", "A"))])
def test_an_empty_list_of_sources_is_closed_not_unsaid(written: list[str], meant: tuple[str, ...]) -> None:
    item = {"name": "a", "backendPort": 22, "frontendPorts": {"start": 4000, "end": 4100}, "allowFrom": written}
    policy = parse_policy(_policy({"access": {"endpoints": {"items": [item]}}}))

    assert isinstance(policy, AccessPolicy)
    assert policy.access.endpoints is not None
    assert policy.access.endpoints.items[0].allow_from == meant


def test_a_connection_is_read_whole() -> None:
    connection = parse_connection(
        {
            "apiVersion": API_VERSION,
            "kind": "BatchAccountConnection",
            "metadata": {"name": "prod", "labels": {"env": "prod"}, "uid": "u", "generation": 2},
            "spec": {
                "endpoint": "https://prod.westeurope.batch.azure.com",
                "auth": {"type": "SharedKey", "secretRef": {"name": "s", "key": "k"}},
                "grants": [{"namespaces": {"matchLabels": {"a": "b"}}}],
                "guardrails": {"forbidInternetPorts": [3389, 22]},
            },
        }
    )

    assert connection == AccountConnection(
        name="prod",
        uid="u",
        generation=2,
        created=datetime(9999, 12, 31, tzinfo=UTC),
        endpoint="https://prod.westeurope.batch.azure.com",
        auth=Auth(type=AuthType.SHARED_KEY, secret_ref=SecretRef(name="s", key="k")),
        labels={"env": "prod"},
        request_budget=RequestBudget(per_second=10, burst=20),
        grants=(Grant(namespaces=NamespaceSelector(match_labels={"a": "b"})),),
        forbid_internet_ports=(22, 3389),
    )


def test_a_pool_access_is_read_with_what_its_status_tells() -> None:
    access = parse_pool_access(
        {
            "apiVersion": API_VERSION,
            "kind": "BatchPoolAccess",
            "metadata": {"name": "prod.p", "uid": "u", "generation": 1},
            "spec": {"connection": "prod", "poolId": "P"},
            "status": {"conditions": "edited by somebody"},
        }
    )

    assert access == PoolAccess(
        name="prod.p",
        uid="u",
        generation=1,
        connection="prod",
        pool_id="P",
        conditions=(),
        last_change=None,
        requested_at=None,
    )


def test_a_refused_object_keeps_its_identity() -> None:
    refused = parse_policy(_policy({"priority": "high"}, uid="u-1", generation=4))

    assert refused == InvalidObject(
        uid="u-1", generation=4, problems=(("spec.priority", "input should be a valid integer"),)
    )


@pytest.mark.parametrize("schedule", ["", "@daily", "0 2 * *"])
def test_a_schedule_too_short_for_five_fields_is_refused_with_the_remedy(schedule: str) -> None:
    window = {"kind": "Allow", "schedule": schedule, "durationSeconds": 60}
    refused = parse_policy(_policy({"remediation": {"windows": [window]}}))

    assert isinstance(refused, InvalidObject)
    ((where, message),) = refused.problems
    assert where == "spec.remediation.windows[0].schedule"
    assert message == (
        f"'{schedule}' is no cron expression: write five fields (minute, hour, day, month, weekday), such as "
        "0 2 * * SAT"
    )


def test_another_kind_is_refused() -> None:
    refused = parse_connection(_policy({}))

    assert isinstance(refused, InvalidObject)
    assert "kind" in {where for where, _ in refused.problems}


def test_another_version_is_refused() -> None:
    refused = parse_policy({**_policy({}), "apiVersion": "batchaccess.dev/v2"})

    assert isinstance(refused, InvalidObject)
    assert [where for where, _ in refused.problems] == ["apiVersion"]


def test_a_requested_sweep_is_heeded_as_far_as_it_can_be_echoed() -> None:
    policy = parse_policy(_policy({}, annotations={"batchaccess.dev/requested-at": "x" * 5000}))

    assert isinstance(policy, AccessPolicy)
    assert policy.requested_at == "x" * 4096


@pytest.mark.parametrize(
    ("annotations", "requested_at"),
    [
        pytest.param({"batchaccess.dev/requested-at": "x" * 5000}, "x" * 4096, id="as far as it can be echoed"),
        pytest.param({}, None, id="nobody asked"),
        pytest.param({"batchaccess.dev/requested-at": 5}, None, id="no text"),
        pytest.param("none", None, id="no annotations at all"),
    ],
)
def test_a_refused_object_keeps_what_was_asked_of_it(annotations: object, requested_at: str | None) -> None:
    refused = parse_policy(_policy({"priority": "high"}, annotations=annotations))

    assert isinstance(refused, InvalidObject)
    assert refused.requested_at == requested_at


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["metadata", "spec", "name", "uid", "connections", "access", "labels"]), inner
        )
    ),
    max_leaves=20,
)


@given(raw=st.dictionaries(st.sampled_from(["apiVersion", "kind", "metadata", "spec", "status"]), JSON))
def test_no_object_makes_the_parser_raise(raw: dict[str, Any]) -> None:
    for parse in (parse_policy, parse_connection, parse_pool_access):
        assert isinstance(parse(raw), InvalidObject)
