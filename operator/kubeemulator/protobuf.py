"""The few objects that kubectl sends as protobuf, decoded.

They come from `kubectl create namespace|configmap|secret|serviceaccount|token` and `kubectl auth can-i|whoami`. Field
numbers: the `generated.proto` files of `k8s.io/api`. Everything else is told to use `kubectl apply -f`.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from kubeemulator import protowire
from kubeemulator.errors import bad_request

if TYPE_CHECKING:
    from kubeemulator.jsontypes import JsonObject
    from kubeemulator.protowire import Message

MEDIA_TYPE: Final = "application/vnd.kubernetes.protobuf"
_MAGIC: Final = b"k8s\x00"


def decode(body: bytes) -> JsonObject:
    """The object in a body.

    Raises:
        ApiError: 400, it is no protobuf, or of a kind that is not decoded here.
    """
    if not body.startswith(_MAGIC):
        raise bad_request("the body is no Kubernetes protobuf")
    try:
        envelope = protowire.decode(body[len(_MAGIC) :])
        type_meta = protowire.child(envelope, 1)
        raw = protowire.child(envelope, 2)
        kind = protowire.text(type_meta, 2)
        obj: JsonObject = {"apiVersion": protowire.text(type_meta, 1), "kind": kind}
        return obj | _content(kind, raw)
    except protowire.WireError as error:
        raise bad_request(f"the protobuf body cannot be read: {error}") from error


def _content(kind: str, raw: Message) -> JsonObject:  # noqa: PLR0911 -- one line for each decoded kind
    metadata = _metadata(protowire.child(raw, 1))
    match kind:
        case "Namespace" | "ServiceAccount" | "SelfSubjectReview":
            return {"metadata": metadata}
        case "ConfigMap":
            binary = {key: _base64(value) for key, value in _entries(raw, 3)}
            plain = {key: value.decode() for key, value in _entries(raw, 2)}
            return {"metadata": metadata, "data": plain} | ({"binaryData": binary} if binary else {})
        case "Secret":
            encoded = {key: _base64(value) for key, value in _entries(raw, 2)}
            return {"metadata": metadata, "data": encoded, "type": protowire.text(raw, 3, absent="Opaque")}
        case "SelfSubjectAccessReview":
            return {"metadata": metadata, "spec": _access(protowire.child(raw, 2))}
        case "SelfSubjectRulesReview":
            return {"metadata": metadata, "spec": {"namespace": protowire.text(protowire.child(raw, 2), 1)}}
        case "TokenRequest":
            return {"metadata": metadata, "spec": _token_spec(protowire.child(raw, 2))}
        case "DeleteOptions":
            return _delete_options(raw)
        case _:
            raise bad_request(f"kubeemulator does not read {kind} as protobuf: use `kubectl apply -f` with a manifest")


def _metadata(raw: Message) -> JsonObject:
    names = {"name": 1, "generateName": 2, "namespace": 3}
    texts = {key: protowire.text(raw, number) for key, number in names.items()}
    maps = {
        "labels": {key: value.decode() for key, value in _entries(raw, 11)},
        "annotations": {key: value.decode() for key, value in _entries(raw, 12)},
    }
    return {key: value for key, value in (texts | maps).items() if value}


def _entries(raw: Message, number: int) -> list[tuple[str, bytes]]:
    pairs = protowire.children(raw, number)
    return [(protowire.text(pair, 1), protowire.raw(pair, 2)) for pair in pairs]


def _access(raw: Message) -> JsonObject:
    if 1 in raw:
        keys = ("namespace", "verb", "group", "version", "resource", "subresource", "name")
        attributes = protowire.child(raw, 1)
        named = {key: protowire.text(attributes, number) for number, key in enumerate(keys, start=1)}
        return {"resourceAttributes": {key: value for key, value in named.items() if value}}
    attributes = protowire.child(raw, 2)
    return {"nonResourceAttributes": {"path": protowire.text(attributes, 1), "verb": protowire.text(attributes, 2)}}


def _token_spec(raw: Message) -> JsonObject:
    seconds = raw.get(4, [0])[-1]
    return {"audiences": protowire.texts(raw, 1)} | ({"expirationSeconds": seconds} if seconds else {})


def _delete_options(raw: Message) -> JsonObject:
    policy = protowire.text(raw, 4)
    conditions = protowire.child(raw, 2)
    named = {"uid": protowire.text(conditions, 1), "resourceVersion": protowire.text(conditions, 2)}
    preconditions = {key: value for key, value in named.items() if value}
    options: JsonObject = {"propagationPolicy": policy} if policy else {}
    return options | ({"preconditions": preconditions} if preconditions else {})


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
