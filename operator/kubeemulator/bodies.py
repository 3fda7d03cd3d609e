"""Request bodies: JSON, YAML or the few protobuf messages, by their content type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
import yaml

from kubeemulator import protobuf
from kubeemulator.errors import bad_request, unsupported_media_type

if TYPE_CHECKING:
    from kubeemulator.jsontypes import JsonObject, JsonValue

_YAML_TYPES: Final = frozenset({"application/yaml", "application/apply-patch+yaml"})
_ACCEPTED: Final = ("application/json", "application/yaml", protobuf.MEDIA_TYPE)


class _JsonLoader(yaml.SafeLoader):
    """YAML as JSON: dates stay the strings they were written as."""


_JsonLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def decoded(body: bytes, content_type: str) -> JsonValue:
    """The value in a body.

    Raises:
        ApiError: 400 for a body that cannot be read, 415 for a type that is not taken.
    """
    media_type = content_type.partition(";")[0].strip()
    if media_type == protobuf.MEDIA_TYPE:
        return protobuf.decode(body)
    if media_type in _YAML_TYPES:
        try:
            return yaml.load(body, Loader=_JsonLoader)  # noqa: S506 -- a SafeLoader without dates
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise bad_request(f"error converting YAML to JSON: {error}") from error
    if media_type and media_type != "application/json" and not media_type.endswith("+json"):
        raise unsupported_media_type(media_type, _ACCEPTED)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"couldn't get version/kind; json parse error: {error}") from error


def decoded_object(body: bytes, content_type: str) -> JsonObject:
    """The object in a body.

    Raises:
        ApiError: 400, it holds something else.
    """
    value = decoded(body, content_type)
    if not isinstance(value, dict):
        raise bad_request("the body of the request is no object")
    return value
