"""The query parameters of a request, read as strictly as the real server does."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from kubeemulator.errors import ApiError, bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubeemulator.store import Key

_STRICTNESS: Final = ("", "Ignore", "Warn", "Strict")
_TRUE: Final = {"1", "t", "T", "true", "TRUE", "True"}
_FALSE: Final = {"", "0", "f", "F", "false", "FALSE", "False"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """How a write is meant."""

    dry_run: bool
    field_validation: str
    field_manager: str
    force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """What a list or a watch asks for."""

    label_selector: str
    field_selector: str
    limit: int
    after: Key | None
    """The last key of the previous page."""

    page_revision: int | None
    """The revision of the first page, when this is a later one."""

    resource_version: int | None
    version_match: str
    watch: bool
    timeout_seconds: int | None
    bookmarks: bool
    send_initial_events: bool


def write_options(query: Mapping[str, str], user_agent: str) -> WriteOptions:
    """The options of a create, update, patch or apply.

    Raises:
        ApiError: 400, a parameter has no meaning.
    """
    strictness = query.get("fieldValidation", "")
    if strictness not in _STRICTNESS:
        raise bad_request(f"fieldValidation: Unsupported value: {strictness!r}: supported values: Ignore, Warn, Strict")
    dry_run = query.get("dryRun", "")
    if dry_run not in {"", "All"}:
        raise bad_request(f'dryRun: Unsupported value: "{dry_run}": supported values: "All"')
    return WriteOptions(
        dry_run=dry_run == "All",
        field_validation=strictness or "Warn",
        field_manager=query.get("fieldManager") or user_agent.partition("/")[0].partition(" ")[0] or "unknown",
        force=_boolean(query, "force"),
    )


def list_options(query: Mapping[str, str]) -> ListOptions:
    """The options of a list, watch or delete-collection.

    Raises:
        ApiError: 400, a parameter has no meaning; 410, the continue token is none of ours.
    """
    version = query.get("resourceVersion", "")
    if version and not version.isdecimal():
        raise bad_request(
            f'resourceVersion: Invalid value: "{version}": strconv.ParseUint: parsing "{version}": invalid syntax'
        )
    after, revision = _continued(query.get("continue", ""))
    return ListOptions(
        label_selector=query.get("labelSelector", ""),
        field_selector=query.get("fieldSelector", ""),
        limit=integer(query, "limit") or 0,
        after=after,
        page_revision=revision,
        resource_version=int(version) if version else None,
        version_match=query.get("resourceVersionMatch", ""),
        watch=_boolean(query, "watch"),
        timeout_seconds=integer(query, "timeoutSeconds"),
        bookmarks=_boolean(query, "allowWatchBookmarks"),
        send_initial_events=_boolean(query, "sendInitialEvents"),
    )


def integer(query: Mapping[str, str], name: str) -> int | None:
    """An integer parameter; `60.0` is none.

    Raises:
        ApiError: 400, it is no integer.
    """
    text = query.get(name, "")
    if not text:
        return None
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def _boolean(query: Mapping[str, str], name: str) -> bool:
    text = query.get(name, "")
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise bad_request(f'strconv.ParseBool: parsing "{text}": invalid syntax')


def continue_token(last: Key, revision: int) -> str:
    """The token with which the page after the last key is asked for."""
    return base64.urlsafe_b64encode(orjson.dumps([*last, revision])).decode()


def _continued(token: str) -> tuple[Key | None, int | None]:
    if not token:
        return None, None
    try:
        namespace, name, revision = orjson.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, orjson.JSONDecodeError, ValueError) as error:
        raise ApiError(410, "Expired", "continue key is not valid: the list must start again") from error
    return (str(namespace), str(name)), int(revision)
