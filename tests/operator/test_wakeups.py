from dataclasses import replace
from typing import Any

import pytest

from batchaccess.control.wakeups import asks_for_reading, connections_to_wake, urgency_of
from batchaccess.core.declared import (
    AccessPolicy,
    Grant,
    Mode,
    NameSelector,
    NamespaceSelector,
)
from batchaccess.core.pace import Urgency
from batchaccess.core.selection import NamespaceLabels
from batchaccess.kube.cache import CachedObject, Change
from batchaccess.kube.catalogue import PoolIdentity, Reading
from batchaccess.kube.packed import PackedObject
from batchaccess.kube.resources import CONNECTIONS, NAMESPACES, POLICIES, POOL_ACCESSES, Resource
from batchaccess.ports import InvalidObject, StoredStatus
from tests.support.build import connection, grant, policy

WEU = connection("weu", labels={"env": "prod"})
NEU = connection("neu", labels={"env": "test"})
BY_LABELS = connection(
    "labelled", grants=[Grant(namespaces=NamespaceSelector(match_labels={"team": "render"}))], labels={"env": "x"}
)
ALL = [WEU, NEU, BY_LABELS]
CLOSED = connection("closed", grants=[], labels={"env": "prod"})
RENDER_ONLY = connection("picky", grants=[grant(namespaces=["render"])], labels={"env": "prod"})
AUDIT_ONLY = connection("watched", grants=[grant(modes=[Mode.AUDIT])], labels={"env": "prod"})
INVALID = InvalidObject(uid="u", generation=1, problems=(("spec", "wrong"),))


def entry(value: object, uid: str = "u") -> CachedObject[Any]:
    namespace = value.key.namespace if isinstance(value, AccessPolicy) else None
    stored = StoredStatus(name="x", namespace=namespace, uid=uid, generation=1, status=PackedObject({}))
    return CachedObject(uid=uid, resource_version=1, value=value, stored=stored)


def reading(resource: Resource, before: object, after: object) -> Reading:
    return Reading(
        resource=resource,
        change=Change(before=None if before is None else entry(before), after=None if after is None else entry(after)),
    )


def identity(requested_at: str | None) -> PoolIdentity:
    return PoolIdentity(connection="weu", pool_id="p", owner_uid="u", requested_at=requested_at)


TO_WEU = policy(connections=["weu"])
TO_NEU = policy(connections=["neu"])
TO_TEST = policy(connections=NameSelector(match_labels={"env": "test"}))


@pytest.mark.parametrize(
    ("change", "woken"),
    [
        pytest.param(reading(POLICIES, None, TO_WEU), {"weu"}, id="a new policy wakes what it targets"),
        pytest.param(reading(POLICIES, TO_WEU, None), {"weu"}, id="a deleted policy wakes what it targeted"),
        pytest.param(reading(POLICIES, TO_WEU, TO_NEU), {"weu", "neu"}, id="a policy that moves wakes both sides"),
        pytest.param(reading(POLICIES, None, TO_TEST), {"neu"}, id="a policy may target by labels"),
        pytest.param(reading(POLICIES, TO_WEU, INVALID), {"weu"}, id="a policy that becomes invalid wakes its targets"),
        pytest.param(reading(POLICIES, None, INVALID), set(), id="an invalid policy targets nothing"),
        pytest.param(
            reading(POLICIES, TO_WEU, replace(TO_WEU, requested_at="now")), {"weu"}, id="a requested sweep is a change"
        ),
        pytest.param(reading(POLICIES, TO_WEU, TO_WEU), set(), id="a change of status alone wakes nobody"),
        pytest.param(reading(CONNECTIONS, None, WEU), {"weu"}, id="a connection wakes itself"),
        pytest.param(
            reading(POOL_ACCESSES, identity(None), identity("now")), {"weu"}, id="a sweep requested on one pool"
        ),
        pytest.param(reading(POOL_ACCESSES, identity("now"), None), set(), id="a deleted BatchPoolAccess wakes nobody"),
        pytest.param(
            reading(POOL_ACCESSES, None, identity("before")), set(), id="a request that was there at the start is old"
        ),
        pytest.param(
            reading(NAMESPACES, {}, {"team": "render"}), {"labelled"}, id="labels of a namespace may be granted to"
        ),
    ],
)
def test_a_change_wakes_exactly_whom_it_concerns(change: Reading, woken: set[str]) -> None:
    assert connections_to_wake(change, ALL, {}) == woken


TO_PROD = policy(connections=NameSelector(match_labels={"env": "prod"}), mode=Mode.AUDIT)
OF_STRANGERS = replace(TO_PROD, key=replace(TO_PROD.key, namespace="strangers"))
BY_TEAM = policy(connections=["labelled"], mode=Mode.AUDIT)
RENDER_TEAM = {"render": {"team": "render"}}


@pytest.mark.parametrize(
    ("change", "labels", "woken"),
    [
        pytest.param(
            reading(POLICIES, None, TO_PROD), {}, {"picky", "watched"}, id="a policy wakes those that grant to it"
        ),
        pytest.param(
            reading(POLICIES, OF_STRANGERS, replace(OF_STRANGERS, requested_at="now")),
            {},
            {"watched"},
            id="a request of a namespace wakes none that grants it nothing",
        ),
        pytest.param(
            reading(POLICIES, None, replace(TO_PROD, mode=Mode.ENFORCE)),
            {},
            {"picky"},
            id="what goes beyond the grant has no effect, nor this one",
        ),
        pytest.param(
            reading(POLICIES, TO_PROD, replace(TO_PROD, mode=Mode.ENFORCE)),
            {},
            {"picky", "watched"},
            id="what went beyond the grant just now had an effect before",
        ),
        pytest.param(
            reading(POLICIES, replace(TO_PROD, priority=9), replace(TO_PROD, priority=8)),
            {},
            set(),
            id="beyond every grant before and after",
        ),
        pytest.param(reading(POLICIES, None, BY_TEAM), RENDER_TEAM, {"labelled"}, id="a grant by labels"),
        pytest.param(reading(POLICIES, None, BY_TEAM), {}, set(), id="and the same without the label"),
        pytest.param(reading(POLICIES, BY_TEAM, None), RENDER_TEAM, {"labelled"}, id="a deleted one that was granted"),
        pytest.param(
            reading(NAMESPACES, {"team": "render"}, {"team": "x"}), {}, {"labelled"}, id="labels that were granted to"
        ),
        pytest.param(
            reading(NAMESPACES, {"team": "render"}, None), {}, {"labelled"}, id="a namespace that went with them"
        ),
        pytest.param(
            reading(NAMESPACES, {"team": "x"}, {"team": "y"}), {}, set(), id="labels that are granted nothing"
        ),
        pytest.param(
            reading(NAMESPACES, {"team": "render"}, {"team": "render", "a": "b"}),
            {},
            set(),
            id="labels beside those that are granted to",
        ),
    ],
)
def test_what_is_granted_nothing_wakes_nobody(change: Reading, labels: NamespaceLabels, woken: set[str]) -> None:
    assert connections_to_wake(change, [CLOSED, RENDER_ONLY, AUDIT_ONLY, BY_LABELS], labels) == woken


@pytest.mark.parametrize(
    ("change", "urgency"),
    [
        pytest.param(reading(POLICIES, None, TO_WEU), Urgency.PACED, id="policies are written by many"),
        pytest.param(reading(NAMESPACES, {}, {"a": "b"}), Urgency.PACED, id="so are namespaces"),
        pytest.param(reading(CONNECTIONS, None, WEU), Urgency.AT_ONCE, id="connections by administrators"),
        pytest.param(
            reading(POOL_ACCESSES, identity(None), identity("now")), Urgency.AT_ONCE, id="pool objects are theirs too"
        ),
    ],
)
def test_how_soon_a_change_is_looked_at(change: Reading, urgency: Urgency) -> None:
    assert urgency_of(change) is urgency


@pytest.mark.parametrize(
    ("change", "asks"),
    [
        pytest.param(reading(CONNECTIONS, WEU, replace(WEU, requested_at="now")), True, id="a connection"),
        pytest.param(reading(POOL_ACCESSES, identity(None), identity("now")), True, id="a pool"),
        pytest.param(
            reading(POLICIES, TO_PROD, replace(TO_PROD, requested_at="now")), True, id="a policy that is granted to"
        ),
        pytest.param(
            reading(POLICIES, TO_PROD, replace(TO_PROD, requested_at="now", priority=9)),
            True,
            id="one beyond its grant: a wider one may have been missed",
        ),
        pytest.param(
            reading(POLICIES, OF_STRANGERS, replace(OF_STRANGERS, requested_at="now")),
            False,
            id="a policy of a namespace that is granted nothing",
        ),
        pytest.param(
            reading(POLICIES, TO_PROD, replace(TO_PROD, generation=2)), False, id="an edit that asks for nothing"
        ),
        pytest.param(reading(POLICIES, None, replace(TO_PROD, requested_at="now")), False, id="an old request"),
        pytest.param(reading(CONNECTIONS, replace(WEU, requested_at="now"), None), False, id="what was deleted"),
    ],
)
def test_who_may_have_everything_read_anew(change: Reading, *, asks: bool) -> None:
    assert asks_for_reading(change, [CLOSED, RENDER_ONLY], {}) is asks
