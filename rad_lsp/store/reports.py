"""Reports as they were last read, so that a large history costs a scan of its folder, no more."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import suppress
from operator import attrgetter
from typing import TYPE_CHECKING, Final
from zlib import crc32

import msgspec

from rad_lsp.core import decoders
from rad_lsp.store.database import decoded, is_damage, to_column
from rad_lsp.store.snapshot import Entry, Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

from rad_lsp.store.database import Database

_BUCKETS: Final = 256
"""Files are kept together in so many rows: one for each would take five times as long to load."""


class _Bucket(msgspec.Struct, frozen=True, array_like=True):
    """What some files of a folder held; the entries' own folder is left out."""

    entries: list[Entry] = []
    faults: list[tuple[str, Fault]] = []


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
        select = "SELECT found, checksum FROM report WHERE folder = ?"
        try:
            for stored, checksum in self._database.connection.execute(select, (to_column(folder),)):
                bucket = _unpacked(stored, checksum)
                for entry in bucket.entries:
                    _set(entry, "folder", folder)
                    _set(entry, "source", sys.intern(entry.source))
                    found[entry.name] = entry
                found.update(bucket.faults)
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                self._database.recover(error)
        return found

    def save(
        self, folder: str, changed: Mapping[str, Entry | Fault], removed: Iterable[str]
    ) -> None:
        """Keep what was found anew, unless another process is writing."""
        news: dict[int, dict[str, Entry | Fault | None]] = {}
        for name, item in (*changed.items(), *((name, None) for name in removed)):
            if isinstance(to_column(name), str):  # the few that are no text are read each time
                news.setdefault(crc32(name.encode()) % _BUCKETS, {})[name] = item
        select = "SELECT found, checksum FROM report WHERE folder = ? AND bucket = ?"
        with suppress(sqlite3.Error), self._database.writing(wait=False) as db:
            for number, items in news.items():
                place = (to_column(folder), number)
                known = _unpacked(*(db.execute(select, place).fetchone() or (b"", 0)))
                found: dict[str, Entry | Fault | None] = {e.name: e for e in known.entries}
                stored = _packed({**found, **dict(known.faults), **items})
                row = (*place, stored, crc32(stored))
                db.execute("INSERT OR REPLACE INTO report VALUES (?, ?, ?, ?)", row)


def _packed(items: Mapping[str, Entry | Fault | None]) -> bytes:
    entries = [item for item in items.values() if isinstance(item, Entry)]
    # All of them are to be ordered in time: what is in order in part takes half as long.
    return _pack(
        _Bucket(
            [
                msgspec.structs.replace(item, folder="")
                for item in sorted(entries, key=attrgetter("last"))
            ],
            [(name, item) for name, item in items.items() if isinstance(item, Fault)],
        )
    )


def _unpacked(stored: bytes, checksum: int) -> _Bucket:
    return decoded(_BUCKET, stored) if crc32(stored) == checksum and stored else _Bucket()


_set = msgspec.structs.force_setattr
_pack = msgspec.msgpack.Encoder().encode
_BUCKET: Final = decoders.msgpack(_Bucket)
