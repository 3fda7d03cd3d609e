"""The Azure copy of a journal: items of the pool's own metadata list, beside everybody else's.

Form: items named `batchaccess.dev/journal-<index>`. The first one's value begins with a header, `v1 <items> <digest> `;
what follows, joined over all items, is JSON, or `z` and base64 of deflated JSON where that is long or would leave a
value with a space at an end, which a service may trim. A lost, changed or added item shows in the header, so a damaged
copy is never taken for a whole one.
"""

import json
import re
import zlib
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Final

from batchaccess.core.model import MetadataItem
from batchaccess.core.saga.journal import Journal, JournalError, UnreadableJournal, journal_document, read_journal
from batchaccess.core.selection import OWN_METADATA_PREFIX

ITEM_PREFIX: Final = f"{OWN_METADATA_PREFIX}journal-"
LONGEST_VALUE: Final = 256
"""Characters of one value. Not documented for pool metadata; the strictest limit that is told of elsewhere in Azure."""

PLAIN_UP_TO: Final = 2 * LONGEST_VALUE
"""JSON of up to this length stays readable for people in the portal."""

LONGEST_JOURNAL: Final = 1 << 20
"""Of inflated JSON, in bytes; a bomb in somebody's metadata is not inflated."""

NO_JOURNAL: Final = MetadataItem(name=f"{ITEM_PREFIX}0", value="none")
"""What is left where the service ignores an empty list: says that there is no journal."""

_HEADER: Final = re.compile(r"v(?P<version>\d{1,9}) (?P<items>\d{1,9}) (?P<digest>[0-9a-f]{8}) ", re.ASCII)


def is_ours(item: MetadataItem) -> bool:
    """Whether an item is part of a journal."""
    return item.name.startswith(ITEM_PREFIX)


def metadata_with(metadata: Iterable[MetadataItem], journal: Journal) -> tuple[MetadataItem, ...]:
    """The whole list with this journal instead of any other; everybody else's items in their order."""
    return (*_others(metadata), *journal_items(journal))


def metadata_without(metadata: Iterable[MetadataItem], *, empty_is_ignored: bool = False) -> tuple[MetadataItem, ...]:
    """The whole list without a journal.

    Args:
        metadata: the list as it is now.
        empty_is_ignored: the service was seen to leave the list as it is when told to make it empty.
    """
    others = _others(metadata)
    return others or ((NO_JOURNAL,) if empty_is_ignored else ())


def _others(metadata: Iterable[MetadataItem]) -> tuple[MetadataItem, ...]:
    return tuple(item for item in metadata if not is_ours(item))


def journal_items(journal: Journal) -> tuple[MetadataItem, ...]:
    """The items that hold a journal."""
    plain = json.dumps(journal_document(journal), separators=(",", ":"), ensure_ascii=True)
    parts = _parts(plain)
    if len(plain) > PLAIN_UP_TO or any(part != part.strip() for part in parts):
        parts = _parts("z" + b64encode(zlib.compress(plain.encode(), 9)).decode("ascii"))
    return tuple(MetadataItem(name=f"{ITEM_PREFIX}{index}", value=part) for index, part in enumerate(parts))


def _parts(payload: str) -> list[str]:
    """The values of the items that hold a payload, its header in front."""
    digest = sha256(payload.encode()).hexdigest()[:8]
    # The header names the number of items and is itself part of them, so it is first measured at its longest.
    room = len(payload) + len("v1 99999 01234567 ")
    count = -(-room // LONGEST_VALUE)
    text = f"v1 {count:05d} {digest} {payload}"
    return [text[start : start + LONGEST_VALUE] for start in range(0, len(text), LONGEST_VALUE)]


def journal_in(metadata: Iterable[MetadataItem]) -> Journal | UnreadableJournal | None:
    """The journal in a metadata list, None if there is none."""
    items = [item for item in metadata if is_ours(item)]
    if not items or items == [NO_JOURNAL]:
        return None
    try:
        return read_journal(_document(_payload(items)))
    except JournalError as error:
        return UnreadableJournal(problem=str(error))


def _payload(items: Sequence[MetadataItem]) -> str:
    by_name = {item.name: item.value for item in items}
    names = [f"{ITEM_PREFIX}{index}" for index in range(len(items))]
    if len(by_name) != len(items) or set(names) != by_name.keys():
        raise JournalError("its items do not count from 0 without a gap")
    text = "".join(by_name[name] for name in names)
    header = _HEADER.match(text)
    if header is None:
        raise JournalError("it does not begin as a journal does")
    if header["version"] != "1":
        raise JournalError(f"its form is version {int(header['version'])}, this operator reads 1")
    payload = text[header.end() :]
    if int(header["items"]) != len(items) or sha256(payload.encode()).hexdigest()[:8] != header["digest"]:
        raise JournalError("a part of it is missing or changed")
    return payload


def _document(payload: str) -> Any:  # noqa: ANN401 any JSON value
    try:
        if payload.startswith("z"):
            payload = _inflated(b64decode(payload[1:], validate=True)).decode()
        return json.loads(payload)
    except JournalError:
        raise
    except (ValueError, Base64Error, zlib.error, RecursionError):
        raise JournalError("it is no JSON") from None


def _inflated(packed: bytes) -> bytes:
    inflater = zlib.decompressobj()
    inflated = inflater.decompress(packed, LONGEST_JOURNAL)
    if not inflater.eof:
        raise JournalError("it is longer than any journal")
    return inflated
