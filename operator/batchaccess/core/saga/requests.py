"""What people asked for by `batchaccess.dev/requested-at`, as one mark that a status can keep.

A mark names the value on the pool's object, on its policy and on its connection, each by a digest. A value that goes
away asks for nothing; only one that is there and is another one does.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

_DIGITS: Final = 12
POLICY: Final = "policy"


def request_mark(*, pool: str | None, policy: str | None, connection: str | None) -> str | None:
    """The mark of these three values of the annotation; None if there is none at all."""
    values = {"pool": pool, POLICY: policy, "connection": connection}
    return _mark({kind: _digest(value) for kind, value in values.items() if value is not None})


def asks_anew(now: str | None, before: str | None, *, same_policy: bool = True) -> bool:
    """Whether somebody asked since: a value of `now` that is not that of `before`.

    Of two policies the values say nothing about each other, so without `same_policy` they are passed over.
    """
    if now == before:
        return False  # Asked of every pool in every sweep, and nearly always so.
    known = _digests(before)
    return any(known.get(kind) != digest for kind, digest in _digests(now).items() if same_policy or kind != POLICY)


def known_by_now(before: str | None, now: str | None) -> str | None:
    """The mark of all that was asked for until now: a value that went away stays known."""
    return _mark({**_digests(before), **_digests(now)})


def _digest(value: str) -> str:
    return sha256(value.encode()).hexdigest()[:_DIGITS]


def _mark(digests: Mapping[str, str]) -> str | None:
    return " ".join(f"{kind}:{digest}" for kind, digest in digests.items()) or None


def _digests(mark: str | None) -> dict[str, str]:
    parts = (part.partition(":") for part in (mark or "").split())
    return {kind: digest for kind, _, digest in parts}
