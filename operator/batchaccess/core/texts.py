"""Texts that fit where they go: conditions, tables and names of objects."""

import re
from collections.abc import Iterable
from hashlib import sha256
from itertools import islice, pairwise
from typing import Final

LONGEST_MESSAGE: Final = 1024
"""Of a condition, in characters."""
LONGEST_VALUE: Final = 200
"""Of a value inside a message or a table."""

_MOST_LISTED: Final = 5
_DNS_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_LABEL: Final = 63


_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def duration_text(seconds: float) -> str:
    """A duration in its largest unit and the next: `5 min 3 s`, `2 h 5 min`, `12 d`, `40 s`; never rounded up."""
    whole = max(0, int(seconds))
    for (size, unit), (smaller, smaller_unit) in pairwise(_UNITS):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit}" + (f" {rest} {smaller_unit}" if rest else "")
    return f"{whole} s" if whole else "less than 1 s"


def shortened(text: str, longest: int = LONGEST_VALUE) -> str:
    """A text of at most `longest` characters; that something is cut off shows."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def listed(texts: Iterable[str]) -> str:
    """The first few texts, separated by commas; that there are more shows, their number does not."""
    first = list(islice(texts, _MOST_LISTED + 1))
    return ", ".join(first[:_MOST_LISTED]) + (" and others" if len(first) > _MOST_LISTED else "")


def pool_access_name(connection: str, pool_id: str) -> str:
    """The name of the BatchPoolAccess of a pool: `<connection>.<pool id>` if that id is a DNS label already.

    Other ids (upper case, underscores, 64 characters) give `<connection>.<slug>.<8 hex>`. Labels have no dots, so the
    two forms never meet, and ids that differ in case only are one pool to Azure.
    """
    if _DNS_LABEL.fullmatch(pool_id):
        return f"{connection}.{pool_id}"
    folded = pool_id.lower()
    slug = re.sub(r"[^a-z0-9]+", "-", folded)[:_LONGEST_LABEL].strip("-") or "pool"
    return f"{connection}.{slug}.{sha256(folded.encode()).hexdigest()[:8]}"
