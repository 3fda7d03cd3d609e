"""The HTTP face: authenticates, authorizes, dispatches to the verbs, and writes the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
from aiohttp import web

from kubeemulator import bodies, collector, deletes, discovery, errors, openapi, rbac, writes
from kubeemulator.authn import ADMINISTRATOR, Authenticator, User
from kubeemulator.cluster import Call, Cluster
from kubeemulator.options import list_options, write_options
from kubeemulator.reads import list_page, selection
from kubeemulator.rendering import rendered_list, rendered_object, wanted_form
from kubeemulator.reviews import Reviewer
from kubeemulator.routing import Target, access_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubeemulator.jsontypes import JsonObject
    from kubeemulator.store import Entry

_JSON: Final = "application/json"
_WARNING_LENGTH: Final = 256


class Api:
    """Answers every request of the Kubernetes API but watches."""

    def __init__(self, cluster: Cluster, authenticator: Authenticator, *, enforces_roles: bool) -> None:
        self.cluster = cluster
        self._authenticator = authenticator
        self._enforces_roles = enforces_roles
        self._reviewer = Reviewer(cluster, authenticator, enforces_roles=enforces_roles)

    def user_of(self, request: web.Request) -> User:
        """The caller, or whom it impersonates.

        Raises:
            ApiError: 401 for unknown credentials, 403 for an impersonation that is not permitted.
        """
        user = self._caller(request)
        impersonated = request.headers.get("Impersonate-User")
        if not impersonated:
            return user
        access = rbac.Access(verb="impersonate", resource="users", name=impersonated)
        if not self._reviewer.allows(user, access):
            raise errors.ApiError(403, "Forbidden", f'users "{impersonated}" is forbidden: {rbac.denial(user, access)}')
        groups = tuple(request.headers.getall("Impersonate-Group", []))
        return User(name=impersonated, groups=(*groups, "system:authenticated"))

    def _caller(self, request: web.Request) -> User:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return self._authenticator.user_of(token.strip())
        if self._enforces_roles:
            raise errors.unauthorized()
        return ADMINISTRATOR

    def authorize(self, user: User, target: Target, method: str, *, watches: bool) -> None:
        """Refuse what the caller's roles do not permit.

        Raises:
            ApiError: 403.
        """
        access = access_to(target, method, watches=watches)
        if not self._reviewer.allows(user, access):
            raise errors.forbidden(target.resource, target.name, rbac.denial(user, access))

    def document(self, request: web.Request, user: User) -> web.Response:
        """The answer for a path that is no resource.

        Raises:
            ApiError: 403 or 404.
        """
        access = rbac.Access(verb=request.method.lower(), path=request.path)
        if not self._reviewer.allows(user, access):
            raise errors.ApiError(403, "Forbidden", f"forbidden: {rbac.denial(user, access)}")
        if request.path in {"/healthz", "/livez", "/readyz"}:
            return web.Response(text="ok")
        if request.path == "/openapi/v2" and request.headers.get("Accept") == openapi.V2_PROTOBUF:
            return web.Response(body=openapi.EMPTY_V2_PROTOBUF, content_type=openapi.V2_PROTOBUF.replace("@", "."))
        found = self._document(request.path.rstrip("/"))
        if found is None:
            raise errors.no_such_path()
        return answer(found)

    def _document(self, path: str) -> JsonObject | None:
        registry = self.cluster.registry
        fixed: dict[str, Callable[[], JsonObject]] = {
            "/version": lambda: discovery.VERSION,
            "/api": discovery.core_versions,
            "/apis": lambda: discovery.group_list(registry),
            "/openapi/v2": lambda: openapi.v2_document(registry),
            "/openapi/v3": lambda: openapi.v3_index(registry),
        }
        if path in fixed:
            return fixed[path]()
        match path.split("/")[1:]:
            case ["api", version]:
                return discovery.resource_list(registry, "", version)
            case ["apis", group]:
                return discovery.group(registry, group)
            case ["apis", group, version]:
                return discovery.resource_list(registry, group, version)
            case ["openapi", "v3", *place]:
                return openapi.v3_document(registry, "/".join(place))
            case _:
                return None

    def answer(self, request: web.Request, body: bytes, target: Target, user: User) -> web.Response:
        """The answer for a resource or an object.

        Raises:
            ApiError: Whatever refuses it.
        """
        if request.method == "GET":
            return self._read(request, target)
        if request.method not in {"POST", "PUT", "PATCH", "DELETE"}:
            raise errors.method_not_allowed()
        response = self._write(request, body, target, user)
        collector.settle(self.cluster)
        return response

    def _read(self, request: web.Request, target: Target) -> web.Response:
        form = wanted_form(request.headers.get("Accept", ""))
        if target.resource.write_only or target.subresource not in {"", "status"}:
            raise errors.method_not_allowed()
        if target.name:
            entry = self.cluster.find(target.resource, (target.namespace, target.name))
            if entry is None:
                raise errors.not_found(target.resource, target.name)
            return _raw(rendered_object(target.resource, entry, form, request.query))
        page = list_page(self.cluster, target.resource, target.namespace, list_options(request.query))
        return _raw(rendered_list(target.resource, page.entries, page.metadata, form, request.query))

    def _write(self, request: web.Request, body: bytes, target: Target, user: User) -> web.Response:
        content_type = request.headers.get("Content-Type", _JSON)
        if target.resource.write_only or target.subresource == "token":
            return self._review(bodies.decoded_object(body, content_type), target, user, request.method)
        self._check_subresource(target)
        call = Call(
            resource=target.resource,
            namespace=target.namespace,
            name=target.name,
            subresource=target.subresource,
            user=user,
            options=write_options(request.query, request.headers.get("User-Agent", "")),
        )
        match request.method, bool(target.name):
            case "POST", False:
                entry = writes.create(self.cluster, call, bodies.decoded_object(body, content_type))
                return self._written(request, call, entry, 201)
            case "PUT", True:
                entry = writes.replace(self.cluster, call, bodies.decoded_object(body, content_type))
                return self._written(request, call, entry, 200)
            case "PATCH", True:
                media_type = content_type.partition(";")[0].strip()
                change = bodies.decoded(body, content_type)
                entry, created = writes.patch(self.cluster, call, media_type, change)
                return self._written(request, call, entry, 201 if created else 200)
            case "DELETE", True:
                return answer(deletes.delete(self.cluster, call, _delete_options(request, body, content_type)))
            case "DELETE", False:
                return self._delete_collection(request, call)
            case _:
                raise errors.method_not_allowed()

    def _check_subresource(self, target: Target) -> None:
        if target.subresource == "status" and not target.resource.has_status:
            raise errors.no_such_path()
        if target.subresource not in {"", "status"}:
            raise errors.no_such_path()

    def _written(self, request: web.Request, call: Call, entry: Entry, code: int) -> web.Response:
        form = wanted_form(request.headers.get("Accept", ""))
        if code == web.HTTPCreated.status_code and not call.options.dry_run:
            collector.note_dangling_owners(self.cluster, entry.obj)
        response = _raw(rendered_object(call.resource, entry, form, request.query), code)
        for text in dict.fromkeys(call.warnings):
            quoted = text[:_WARNING_LENGTH].replace("\\", "\\\\").replace('"', '\\"')
            response.headers.add("Warning", f'299 - "{quoted}"')
        return response

    def _review(self, body: JsonObject, target: Target, user: User, method: str) -> web.Response:
        if method != "POST":
            raise errors.method_not_allowed()
        if target.subresource == "token":
            return answer(self._reviewer.new_token(target.namespace, target.name, body), 201)
        return answer(self._reviewer.answer(target.resource.kind, body, user), 201)

    def _delete_collection(self, request: web.Request, call: Call) -> web.Response:
        selected = selection(call.resource, call.namespace, list_options(request.query))
        deleted = deletes.delete_collection(self.cluster, call, selected)
        metadata = {"resourceVersion": str(self.cluster.store.revision)}
        form = wanted_form(request.headers.get("Accept", ""))
        return _raw(rendered_list(call.resource, deleted, metadata, form, request.query))


def _delete_options(request: web.Request, body: bytes, content_type: str) -> JsonObject:
    options = bodies.decoded_object(body, content_type) if body else {}
    in_query = {key: request.query[key] for key in ("propagationPolicy",) if key in request.query}
    return {**options, **in_query}


def answer(body: JsonObject, code: int = 200) -> web.Response:
    """A JSON answer."""
    return _raw(orjson.dumps(body), code)


def _raw(body: bytes, code: int = 200) -> web.Response:
    return web.Response(body=body, status=code, content_type=_JSON)
