"""The questions that the API answers instead of storing: who am I, may I, whose token is this; and new tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from kubeemulator import errors, rbac
from kubeemulator.authn import Authenticator, User
from kubeemulator.builtin import SERVICE_ACCOUNTS
from kubeemulator.jsontypes import JsonObject, list_at, object_at

if TYPE_CHECKING:
    from kubeemulator.cluster import Cluster

_HOUR: Final = 3600


class Reviewer:
    """Answers reviews for one cluster."""

    def __init__(self, cluster: Cluster, authenticator: Authenticator, *, enforces_roles: bool) -> None:
        self._cluster = cluster
        self._authenticator = authenticator
        self._enforces_roles = enforces_roles

    def answer(self, kind: str, body: JsonObject, user: User) -> JsonObject:
        """The review with its status filled in.

        Raises:
            ApiError: 404, there is no such kind of review.
        """
        spec = object_at(body, "spec")
        match kind:
            case "SelfSubjectReview":
                status = {"userInfo": _user_info(user)}
            case "SelfSubjectAccessReview":
                status = self._access_status(spec, user)
            case "SubjectAccessReview":
                groups = tuple(str(group) for group in list_at(spec, "groups"))
                status = self._access_status(spec, User(name=str(spec.get("user", "")), groups=groups))
            case "SelfSubjectRulesReview":
                status = self._rules_status(str(spec.get("namespace", "")), user)
            case "TokenReview":
                status = self._token_status(str(spec.get("token", "")))
            case _:
                raise errors.no_such_path()
        metadata = {"creationTimestamp": None, **object_at(body, "metadata")}
        return {**body, "metadata": metadata, "spec": spec, "status": status}

    def new_token(self, namespace: str, name: str, body: JsonObject) -> JsonObject:
        """A TokenRequest with its token.

        Raises:
            ApiError: 404, there is no such service account.
        """
        account = self._cluster.find(SERVICE_ACCOUNTS, (namespace, name))
        if account is None:
            raise errors.not_found(SERVICE_ACCOUNTS, name)
        spec = object_at(body, "spec")
        seconds = int(spec.get("expirationSeconds") or _HOUR)
        token = self._authenticator.token_for(
            namespace, name, account.obj["metadata"]["uid"], seconds=seconds, audiences=list_at(spec, "audiences")
        )
        expiry = datetime.now(UTC) + timedelta(seconds=seconds)
        return {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": name, "namespace": namespace, "creationTimestamp": None},
            "spec": {**spec, "expirationSeconds": seconds},
            "status": {"token": token, "expirationTimestamp": expiry.strftime("%Y-%m-%dT%H:%M:%SZ")},
        }

    def allows(self, user: User, access: rbac.Access) -> bool:
        """Whether the cluster lets the user do it; everything is permitted where roles are not enforced."""
        return not self._enforces_roles or rbac.is_allowed(self._cluster.store, user, access)

    def _access_status(self, spec: JsonObject, user: User) -> JsonObject:
        wanted, path = object_at(spec, "resourceAttributes"), object_at(spec, "nonResourceAttributes")
        subresource = wanted.get("subresource")
        access = rbac.Access(
            verb=str(wanted.get("verb") or path.get("verb", "")),
            group=str(wanted.get("group", "")),
            resource=str(wanted.get("resource", "")) + (f"/{subresource}" if subresource else ""),
            namespace=str(wanted.get("namespace", "")),
            name=str(wanted.get("name", "")),
            path=str(path.get("path", "")),
        )
        return {"allowed": self.allows(user, access)}

    def _rules_status(self, namespace: str, user: User) -> JsonObject:
        everything = [
            {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
            {"nonResourceURLs": ["*"], "verbs": ["*"]},
        ]
        limited = self._enforces_roles and not user.is_administrator
        rules = list(rbac.rules_for(self._cluster.store, user, namespace)) if limited else everything
        return {
            "resourceRules": [rule for rule in rules if "resources" in rule],
            "nonResourceRules": [rule for rule in rules if "nonResourceURLs" in rule],
            "incomplete": False,
        }

    def _token_status(self, token: str) -> JsonObject:
        try:
            user = self._authenticator.user_of(token)
        except errors.ApiError:
            return {"authenticated": False, "error": "invalid bearer token"}
        return {"authenticated": True, "user": _user_info(user)}


def _user_info(user: User) -> JsonObject:
    info: JsonObject = {"username": user.name, "groups": list(user.groups)}
    return {**info, "uid": user.uid} if user.uid else info
