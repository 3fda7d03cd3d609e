"""What becomes of a sent object before it is stored: type and names checked, metadata completed, content admitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubeemulator import errors, fielderrors, kindrules, serverside
from kubeemulator.clock import now_text
from kubeemulator.identity import new_uid
from kubeemulator.jsontypes import JsonObject, list_at, object_at, same_json
from kubeemulator.names import generated_name, metadata_errors

if TYPE_CHECKING:
    from kubeemulator.cluster import Call
    from kubeemulator.fielderrors import FieldError
    from kubeemulator.kinds import Resource

_KEPT_METADATA: Final = (
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "generateName",
)


def typed(resource: Resource, body: JsonObject) -> JsonObject:
    """A sent body with its type: clients may leave it out for built-in kinds, where the path tells it.

    Raises:
        ApiError: 400, the body is of another kind than the path's.
    """
    if not resource.is_custom:
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **body}
    check_type(resource, body)
    return body


def check_type(resource: Resource, body: JsonObject) -> None:
    """Refuse a body of another kind than the URL's.

    Raises:
        ApiError: 400.
    """
    kind, api_version = body.get("kind"), body.get("apiVersion")
    if not kind:
        raise errors.bad_request("Object 'Kind' is missing in the request body")
    if api_version != resource.api_version:
        wanted = resource.api_version
        raise errors.bad_request(
            f"the API version in the data ({api_version}) does not match the expected API version ({wanted})"
        )
    if kind != resource.kind:
        raise errors.bad_request(
            f'the kind in the data ("{kind}") does not match the expected kind ("{resource.kind}")'
        )


def check_sent_names(call: Call, sent: JsonObject) -> None:
    """Refuse metadata of another object than the URL's.

    Raises:
        ApiError: 400.
    """
    if sent.get("name", call.name) != call.name:
        raise errors.bad_request(
            f"the name of the object ({sent['name']}) does not match the name on the URL ({call.name})"
        )
    _check_sent_namespace(call, sent)


def _check_sent_namespace(call: Call, sent: JsonObject) -> None:
    if (sent.get("namespace") or call.namespace) != call.namespace:
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def new_metadata(call: Call, sent: JsonObject) -> JsonObject:
    """The metadata of an object about to be created.

    Raises:
        ApiError: 400, the sent metadata is that of a stored object.
    """
    _check_sent_namespace(call, sent)
    if sent.get("resourceVersion"):
        raise errors.bad_request("resourceVersion should not be set on objects to be created")
    name, prefix = sent.get("name", ""), sent.get("generateName", "")
    kept = {
        key: value
        for key, value in sent.items()
        if key not in {"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion"}
    }
    metadata = {
        **kept,
        "name": name or (generated_name(prefix) if prefix else call.name),
        "uid": new_uid(),
        "creationTimestamp": now_text(),
    }
    if call.namespace:
        metadata["namespace"] = call.namespace
    else:
        metadata.pop("namespace", None)
    if call.resource.has_generation:
        metadata["generation"] = 1
    return metadata


def merged_with_old(call: Call, old: JsonObject, new: JsonObject) -> JsonObject:
    """What the endpoint may change of an object: all but the status, or with `/status` nothing else."""
    if call.subresource == "status":
        sent = object_at(new, "metadata")
        metadata = {**old["metadata"], "managedFields": sent.get("managedFields")}
        merged = {**old, "metadata": {key: value for key, value in metadata.items() if value is not None}}
        if "status" in new:
            return {**merged, "status": new["status"]}
        return {key: value for key, value in merged.items() if key != "status"}
    fixed = {key: old["metadata"][key] for key in _KEPT_METADATA if key in old["metadata"]}
    sent = {key: value for key, value in object_at(new, "metadata").items() if key not in _KEPT_METADATA}
    metadata = {**fixed, **sent, "resourceVersion": old["metadata"]["resourceVersion"]}
    merged = {**new, "metadata": {key: value for key, value in metadata.items() if value not in (None, {}, [])}}
    if call.resource.has_status:
        merged.pop("status", None)
        if "status" in old:
            merged["status"] = old["status"]
    return merged


def admitted(call: Call, obj: JsonObject, old: JsonObject | None) -> JsonObject:
    """The object as it may be stored: pruned, defaulted, completed by its kind's rules, and valid.

    Raises:
        ApiError: 422 with every error of the object, or 400 for unknown fields under strict field validation.
    """
    resource = call.resource
    if resource.schema is not None:
        obj, dropped = resource.schema.shape(obj)
        _report_unknown(call, dropped)
    obj = kindrules.completed(resource, obj)
    found: list[FieldError] = [*metadata_errors(resource, obj["metadata"])]
    if old is not None:
        found += _finalizer_errors(old, obj)
    found += kindrules.errors_of(resource, obj, old)
    if resource.schema is not None:
        found += resource.schema.errors(obj, old)
    if found:
        raise errors.invalid(resource, obj["metadata"]["name"], found)
    return obj


def _report_unknown(call: Call, dropped: tuple[str, ...]) -> None:
    if not dropped:
        return
    texts = [f'unknown field "{path}"' for path in dropped]
    match call.options.field_validation:
        case "Strict":
            kind, version = call.resource.kind, call.resource.version
            listed = ", ".join(texts)
            raise errors.bad_request(
                f'{kind} in version "{version}" cannot be handled as a {kind}: strict decoding error: {listed}'
            )
        case "Warn":
            call.warnings.extend(texts)
        case _:
            pass


def _finalizer_errors(old: JsonObject, new: JsonObject) -> list[FieldError]:
    if not old["metadata"].get("deletionTimestamp"):
        return []
    before = list_at(old["metadata"], "finalizers")
    added = [name for name in list_at(new["metadata"], "finalizers") if name not in before]
    if not added:
        return []
    listed = ", ".join(f'"{name}"' for name in added)
    detail = f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{listed}}}"
    return [fielderrors.forbidden("metadata.finalizers", detail)]


def with_generation(resource: Resource, old: JsonObject, new: JsonObject) -> JsonObject:
    """The object with its generation, which counts the changes of everything but metadata and status."""
    if not resource.has_generation:
        return new
    outside = {"metadata", "status"} if resource.has_status else {"metadata"}
    before = {key: value for key, value in old.items() if key not in outside}
    after = {key: value for key, value in new.items() if key not in outside}
    generation = int(old["metadata"].get("generation", 1)) + (not same_json(before, after))
    return {**new, "metadata": {**new["metadata"], "generation": generation}}


def writer(call: Call) -> serverside.Writer:
    """Who writes, for the managed fields."""
    return serverside.Writer(
        manager=call.options.field_manager,
        api_version=call.resource.api_version,
        time=now_text(),
        subresource=call.subresource,
    )


def claimed(call: Call, obj: JsonObject, old: JsonObject | None) -> JsonObject:
    """The object with what it changes claimed by its writer."""
    schema = call.resource.schema.source if call.resource.schema is not None else {}
    return serverside.after_update(schema, old, obj, writer(call))


def same_but_times(old: JsonObject, new: JsonObject) -> bool:
    """Whether a write changes nothing: then it is not stored and the resource version stays."""
    return same_json(_unclaimed(old), _unclaimed(new)) and _timeless_claims(old) == _timeless_claims(new)


def _unclaimed(obj: JsonObject) -> JsonObject:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


def _timeless_claims(obj: JsonObject) -> list[str]:
    claims = list_at(obj["metadata"], "managedFields")
    return sorted(str({key: value for key, value in claim.items() if key != "time"}) for claim in claims)
