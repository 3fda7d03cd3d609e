from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kubeemulator.authn import ADMINISTRATOR, Authenticator, User, service_account
from kubeemulator.cluster import Cluster
from kubeemulator.errors import ApiError
from kubeemulator.rbac import Access, denial, is_allowed
from kubeemulator.store import Store

if TYPE_CHECKING:
    from tests.kubeemulator.definitions import Json

ROBOT = service_account("team", "robot")
GROUP = "demo.example.com"


def _cluster(kind: str, rules: list[Json], *, bound_in: str = "", subject: Json | None = None) -> Cluster:
    cluster = Cluster(Store())
    subjects = [subject or {"kind": "ServiceAccount", "namespace": "team", "name": "robot"}]
    role_key = ("" if kind == "ClusterRole" else bound_in, "role")
    buckets = {"Role": "roles", "ClusterRole": "clusterroles"}
    suffix = ".rbac.authorization.k8s.io"
    cluster.store.put(f"{buckets[kind]}{suffix}", role_key, {"metadata": {"uid": "r"}, "rules": rules})
    binding = {
        "metadata": {"uid": "b", "namespace": bound_in},
        "subjects": subjects,
        "roleRef": {"kind": kind, "name": "role"},
    }
    bucket = "rolebindings" if bound_in else "clusterrolebindings"
    cluster.store.put(f"{bucket}{suffix}", (bound_in, "role"), binding)
    return cluster


def _access(verb: str = "list", resource: str = "policies", namespace: str = "team", name: str = "") -> Access:
    return Access(verb=verb, group=GROUP, resource=resource, namespace=namespace, name=name)


LIST = {"apiGroups": [GROUP], "resources": ["policies"], "verbs": ["list"]}


@pytest.mark.parametrize(
    ("rule", "access", "allowed"),
    [
        pytest.param(LIST, _access(), True, id="what a rule names"),
        pytest.param(LIST, _access("delete"), False, id="another verb"),
        pytest.param(LIST, _access(resource="secrets"), False, id="another resource"),
        pytest.param(LIST, _access(resource="policies/status"), False, id="a subresource is a resource of its own"),
        pytest.param(
            {**LIST, "resources": ["*/status"]}, _access(resource="policies/status"), True, id="a subresource of all"
        ),
        pytest.param({**LIST, "apiGroups": ["other"]}, _access(), False, id="another group"),
        pytest.param({**LIST, "verbs": ["*"], "resources": ["*"], "apiGroups": ["*"]}, _access("x"), True, id="stars"),
        pytest.param({**LIST, "resourceNames": ["p1"]}, _access(name="p1"), True, id="a named object"),
        pytest.param({**LIST, "resourceNames": ["p1"]}, _access(name="p2"), False, id="another object"),
        pytest.param({**LIST, "resourceNames": ["p1"]}, _access(), False, id="a list of named objects"),
        pytest.param(
            {"nonResourceURLs": ["/metrics/*"], "verbs": ["get"]},
            Access(verb="get", path="/metrics/x"),
            True,
            id="a path",
        ),
    ],
)
def test_a_cluster_role_permits_what_its_rules_say(rule: Json, access: Access, *, allowed: bool) -> None:
    assert is_allowed(_cluster("ClusterRole", [rule]).store, ROBOT, access) is allowed


@pytest.mark.parametrize("kind", ["Role", "ClusterRole"])
def test_a_role_binding_permits_in_its_own_namespace_only(kind: str) -> None:
    store = _cluster(kind, [LIST], bound_in="team").store
    assert is_allowed(store, ROBOT, _access())
    assert not is_allowed(store, ROBOT, _access(namespace="other"))
    assert not is_allowed(store, ROBOT, _access(namespace=""))


@pytest.mark.parametrize(
    ("subject", "allowed"),
    [
        pytest.param({"kind": "User", "name": "system:serviceaccount:team:robot"}, True, id="as a user"),
        pytest.param({"kind": "Group", "name": "system:serviceaccounts:team"}, True, id="as a group"),
        pytest.param({"kind": "ServiceAccount", "name": "robot", "namespace": "other"}, False, id="of elsewhere"),
        pytest.param({"kind": "User", "name": "robot"}, False, id="by its short name"),
    ],
)
def test_a_binding_names_its_subjects_in_several_ways(subject: Json, *, allowed: bool) -> None:
    assert is_allowed(_cluster("ClusterRole", [LIST], subject=subject).store, ROBOT, _access()) is allowed


def test_a_refusal_says_who_cannot_do_what_where() -> None:
    assert denial(User(name="me", groups=()), _access(namespace="")) == (
        'User "me" cannot list resource "policies" in API group "demo.example.com" at the cluster scope'
    )


def test_tokens_end_with_their_time_their_account_and_their_secret() -> None:
    accounts = {("team", "robot"): "uid-1"}
    authenticator = Authenticator(b"secret", lambda namespace, name: accounts.get((namespace, name)))
    token = authenticator.token_for("team", "robot", "uid-1", seconds=60, audiences=[])
    assert authenticator.user_of(token).name == "system:serviceaccount:team:robot"
    assert authenticator.user_of(authenticator.administrator_token) == ADMINISTRATOR
    expired = authenticator.token_for("team", "robot", "uid-1", seconds=-1, audiences=[])
    forged = Authenticator(b"other", lambda *_: "uid-1").token_for("team", "robot", "uid-1", seconds=60, audiences=[])
    accounts.clear()
    for bad in (token, expired, forged, "", "a.b.c", token[:-2]):
        with pytest.raises(ApiError) as caught:
            authenticator.user_of(bad)
        assert caught.value.code == 401
