from dataclasses import replace
from typing import Any

import pytest

from batchaccess.control.wakeups import connections_to_wake
from batchaccess.core.declared import (
    Grant,
    NameSelector,
    NamespaceSelector,
)
from batchaccess.kube.cache import CachedObject, Change
from batchaccess.kube.catalogue import PoolIdentity, Reading
from batchaccess.kube.packed import PackedObject
from batchaccess.kube.resources import CONNECTIONS, NAMESPACES, POLICIES, POOL_ACCESSES, Resource
from batchaccess.ports import InvalidObject, StoredStatus
from tests.support.build import connection, policy

WEU = connection("weu", labels={"env": "prod"})
NEU = connection("neu", labels={"env": "test"})
BY_LABELS = connection(
    "labelled", grants=[Grant(namespaces=NamespaceSelector(match_labels={"team": "render"}))], labels={"env": "x"}
)
ALL = [WEU, NEU, BY_LABELS]
INVALID = InvalidObject(uid="u", generation=1, problems=(("spec", "wrong"),))


def entry(value: object, uid: str = "u") -> CachedObject[Any]:
    stored = StoredStatus(name="x", namespace=None, uid=uid, generation=1, status=PackedObject({}))
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
    assert connections_to_wake(change, ALL) == woken
