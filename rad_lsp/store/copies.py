"""Which files of an agent hold which requests: several may hold copies of one, which count once."""

from __future__ import annotations

from array import array
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Final
from zlib import crc32

from rad_lsp.store.database import Damaged, sealed, unsealed

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

_FILE_BITS: Final = 32
_FILE: Final = (1 << _FILE_BITS) - 1
_BUCKET_SHIFT: Final = _FILE_BITS + 24
"""A key's first eight bits tell its bucket: a row for each key would take ten times as long."""

_MANY: Final = 100_000
"""Keys that are kept in memory before they are stored: each time, all buckets are written."""


class Copies:
    """Notes which files hold which keys, within a transaction.

    Of a key only a checksum is kept. After `store`, `keys` are the checksums of those that were
    added or removed and that a file holds besides, and `files` are the ids of these files.
    """

    def __init__(self, db: sqlite3.Connection, source: str) -> None:
        self._db = db
        self._source = source
        self._added: list[int] = []
        self._removed: set[int] = set()
        self.keys: set[int] = set()
        self.files: set[int] = set()

    def add(self, file: int, keys: Iterable[str]) -> None:
        """A file holds these keys."""
        self._added += [crc32(key.encode()) << _FILE_BITS | file for key in keys]
        if len(self._added) > _MANY:
            self.store()

    def remove(self, file: int, keys: Iterable[str]) -> None:
        """A file no longer holds these keys, unless they are added again."""
        self._removed.update([crc32(key.encode()) << _FILE_BITS | file for key in keys])

    def store(self) -> None:
        """Write down what was added and removed."""
        added: defaultdict[int, list[int]] = defaultdict(list)
        for pair in self._added:
            added[pair >> _BUCKET_SHIFT].append(pair)
        removed = {pair >> _FILE_BITS for pair in self._removed}
        for bucket in added.keys() | {pair >> _BUCKET_SHIFT for pair in self._removed}:
            held = {*self._load(bucket)}
            held -= self._removed
            held.update(added[bucket])
            pairs = sorted(held)
            self._note(pairs, added[bucket], removed)
            row = (self._source, bucket, sealed(array("Q", pairs).tobytes()))
            self._db.execute("INSERT OR REPLACE INTO copy VALUES (?, ?, ?)", row)
        self._added.clear()
        self._removed.clear()

    def _note(self, pairs: list[int], added: list[int], removed: set[int]) -> None:
        keys = [pair >> _FILE_BITS for pair in pairs]
        if removed:
            for pair, key in zip(pairs, keys, strict=True):
                if key in removed:
                    self._found(pair)
        if len({*keys}) < len(keys):
            new = {pair >> _FILE_BITS for pair in added}
            for (pair, key), (other, next_key) in pairwise(zip(pairs, keys, strict=True)):
                if key == next_key and key in new:
                    self._found(pair)
                    self._found(other)

    def _found(self, pair: int) -> None:
        self.keys.add(pair >> _FILE_BITS)
        self.files.add(pair & _FILE)

    def _load(self, bucket: int) -> array[int]:
        select = "SELECT pairs FROM copy WHERE source = ? AND bucket = ?"
        row = self._db.execute(select, (self._source, bucket)).fetchone()
        pairs = array("Q")
        try:
            pairs.frombytes(unsealed(row[0]) if row else b"")
        except ValueError as error:
            raise Damaged(str(error)) from None
        return pairs
