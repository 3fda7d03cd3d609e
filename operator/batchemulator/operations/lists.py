"""List answers: filtered, cut into pages, with an absolute link to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from batchemulator.operations.call import Call, metadata_url, raw_document
from batchemulator.wire.odata_query import Page, filter_of, next_link, select_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from batchemulator.wire.messages import JsonObject, Response

Entry = tuple[str, "Callable[[], JsonObject]"]
"""A resource's key, by which lists are ordered and continued, and what renders it."""


def list_documents(call: Call, fragment: str, entries: Iterable[Entry]) -> Response:
    """A list of rendered resources, in the order of their keys.

    Raises:
        ServiceError: InvalidQueryParameterValue.
    """
    page = Page.of(call.query)
    matches = filter_of(call.query)
    select = select_of(call.query)

    def selected() -> Iterator[tuple[str, bytes]]:
        for key, render in sorted(entries, key=lambda entry: entry[0]):
            if page.after is not None and key <= page.after:
                continue
            item = render()
            if matches is None or matches(item):
                shown = item if select is None else {name: item[name] for name in item if name in select}
                yield key, orjson.dumps(shown)

    return list_answer(call, fragment, selected(), page.size)


def list_answer(call: Call, fragment: str, items: Iterator[tuple[str, bytes]], size: int) -> Response:
    """The answer made of the first `size` items, and a link if there are more."""
    taken: list[bytes] = []
    last = ""
    link = b""
    for key, item in items:
        if len(taken) == size:
            link = b',"odata.nextLink":' + orjson.dumps(next_link(call.request, last))
            break
        taken.append(item)
        last = key
    head = b'{"odata.metadata":' + orjson.dumps(metadata_url(call, fragment))
    return raw_document(call, head + b',"value":[' + b",".join(taken) + b"]" + link + b"}")
