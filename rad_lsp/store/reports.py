"""Reports as they were last read, so that a large history costs a scan of its folder, no more."""

from __future__ import annotations

import sqlite3
import sys
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Child
from rad_lsp.sources import RADIUM
from rad_lsp.store.snapshot import Entry, Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rad_lsp.store.database import Database

_BUCKETS: Final = 256
"""Files that are kept together. A row for each would take five times as long to load."""


class _Stored(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a file held: a packed session, or a problem."""

    name: str
    fingerprint: int
    id: str = ""
    last: int = 0
    packed: bytes = b""
    children: tuple[Child, ...] = ()
    problem: Problem | None = None


class Reports:
    """What each file of a sessions folder held when its fingerprint was taken.

    It only saves time: what can't be read from it or written to it is done without.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, folder: str) -> dict[str, Entry | Fault]:
        """By file name, what was found in a folder."""
        found: dict[str, Entry | Fault] = {}
        folder = sys.intern(folder)
        with suppress(sqlite3.Error):
            for (bucket,) in self._database.connection.execute(
                "SELECT found FROM report WHERE folder = ?", (folder,)
            ):
                for s in _unpacked(bucket):
                    found[s.name] = (
                        Entry(
                            s.id,
                            s.last,
                            folder,
                            s.name,
                            s.packed,
                            s.fingerprint,
                            RADIUM,
                            s.children,
                        )
                        if s.problem is None
                        else Fault(s.fingerprint, s.problem)
                    )
        return found

    def save(
        self, folder: str, changed: Mapping[str, Entry | Fault], removed: Iterable[str]
    ) -> None:
        """Keep what was found anew, unless another process is writing."""
        news: dict[int, dict[str, _Stored | None]] = {}
        for name, item in changed.items():
            news.setdefault(_bucket(name), {})[name] = _stored(name, item)
        for name in removed:
            news.setdefault(_bucket(name), {})[name] = None
        with suppress(sqlite3.Error), self._database.writing(wait=False) as db:
            for bucket, items in news.items():
                row = db.execute(
                    "SELECT found FROM report WHERE folder = ? AND bucket = ?", (folder, bucket)
                ).fetchone()
                known: dict[str, _Stored | None] = (
                    {s.name: s for s in _unpacked(row[0])} if row else {}
                )
                known |= items
                kept = [item for item in known.values() if item is not None]
                db.execute(
                    "INSERT OR REPLACE INTO report VALUES (?, ?, ?)", (folder, bucket, _pack(kept))
                )


def _bucket(name: str) -> int:
    return zlib.crc32(name.encode("utf-8", "surrogateescape")) % _BUCKETS


def _stored(name: str, item: Entry | Fault) -> _Stored:
    if isinstance(item, Fault):
        return _Stored(name, item.fingerprint, problem=item.problem)
    return _Stored(name, item.fingerprint, item.id, item.last, item.packed, item.children)


def _unpacked(bucket: bytes) -> list[_Stored]:
    try:
        return _unpack(bucket)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[_Stored]).decode
