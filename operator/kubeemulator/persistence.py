"""The store in one SQLite file, so that a restarted server goes on where it ended: same objects, same versions."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import orjson

from kubeemulator.store import FIRST_REVISION, Entry, Key, Store

if TYPE_CHECKING:
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT, namespace TEXT, name TEXT, body BLOB, PRIMARY KEY (bucket, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS revisions (bucket TEXT PRIMARY KEY, revision INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
"""


class SqliteJournal:
    """Every change, written through; synchronous enough to survive the process, not the machine."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)

    def write(self, bucket: str, key: Key, revision: int, entry: Entry | None) -> None:
        """Remember an object's new version, or with None its end."""
        execute = self._connection.execute
        execute("BEGIN")
        if entry is None:
            execute("DELETE FROM objects WHERE bucket=? AND namespace=? AND name=?", (bucket, *key))
        else:
            execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", (bucket, *key, entry.wire))
        execute("INSERT OR REPLACE INTO revisions VALUES (?, ?)", (bucket, revision))
        execute("COMMIT")

    def secret(self, name: str, fresh: bytes) -> bytes:
        """A secret of the server kept with its objects; the fresh value when there is none yet."""
        self._connection.execute("INSERT OR IGNORE INTO secrets VALUES (?, ?)", (name, fresh))
        row = self._connection.execute("SELECT value FROM secrets WHERE name=?", (name,)).fetchone()
        return bytes(row[0])

    def load_into(self, store: Store) -> None:
        """Fill an empty store; watches can be resumed from each bucket's last change on."""
        for bucket, namespace, name, body in self._connection.execute("SELECT * FROM objects"):
            store.restore(bucket, (namespace, name), orjson.loads(body))
        for bucket, revision in self._connection.execute("SELECT * FROM revisions"):
            store.bucket(bucket).floor = revision
            store.revision = max(store.revision, FIRST_REVISION, revision)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
