"""The same content gives the same object: what one listing learnt is used again by the next.

A steady account then costs parsing and a digest per pool, and its pools share what they have in common: accounts of
thousands of pools are made from a few templates, and an object less is also one the garbage collector need not visit.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Final

import orjson

from batchaccess.azurebatch.convert import observed_pool
from batchaccess.core.model import (
    JsonObject,
    Network,
    ObservedPool,
)

_DIGEST_BYTES: Final = 16


class PoolMemo:
    """The pools of one listing by id, each with a digest of the JSON it was made from."""

    def __init__(self, pools: Mapping[str, tuple[bytes, ObservedPool]] | None = None) -> None:
        self._pools = pools or {}

    def __iter__(self) -> Iterator[ObservedPool]:
        return (pool for _, pool in self._pools.values())

    def recall(self, raw: JsonObject) -> ObservedPool | None:
        """The pool that was made from the same content, None if there is none."""
        return self.recall_by(raw, digest_of(raw))

    def recall_by(self, raw: JsonObject, digest: bytes) -> ObservedPool | None:
        """As `recall`, for a caller who has the digest of `raw` already."""
        pool_id = raw.get("id")
        found = self._pools.get(pool_id) if isinstance(pool_id, str) else None
        return found[1] if found is not None and found[0] == digest else None


class MemoBuilder:
    """Makes the memo of a listing with the help of the one before."""

    def __init__(self, before: PoolMemo) -> None:
        self._before = before
        self._pools: dict[str, tuple[bytes, ObservedPool]] = {}
        self._networks: dict[bytes, tuple[JsonObject, Network]] = {}

    def add(self, raw: JsonObject) -> None:
        """Take in one element of the listing.

        Raises:
            Unreadable: a key has a value this version cannot understand.
        """
        digest = digest_of(raw)
        pool = self._before.recall_by(raw, digest) or self._converted(raw)
        self._pools[pool.id] = (digest, pool)

    def finish(self) -> PoolMemo:
        """The memo of all that was added."""
        return PoolMemo(self._pools)

    def _converted(self, raw: JsonObject) -> ObservedPool:
        """The pool `raw` describes, its network shared with every pool of this listing that has the same."""
        raw_network = raw.get("networkConfiguration")
        if raw_network is None:
            return observed_pool(raw)
        key = digest_of(raw_network)
        shared = self._networks.get(key)
        if shared is None:
            pool = observed_pool(raw)
            self._networks[key] = (raw_network, pool.network)
            return pool
        return observed_pool({**raw, "networkConfiguration": shared[0]}, network=shared[1])


def digest_of(raw: JsonObject) -> bytes:
    """What stands for the content of `raw`; another order of its keys counts as another content."""
    return blake2b(orjson.dumps(raw), digest_size=_DIGEST_BYTES).digest()
