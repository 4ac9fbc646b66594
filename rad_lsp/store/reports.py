"""Reports as they were last read, so that a large history costs a scan of its folder, no more."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from zlib import crc32

import msgspec

from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Child
from rad_lsp.sources import RADIUM
from rad_lsp.store.database import decoded, is_damage, to_column
from rad_lsp.store.snapshot import Entry, Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rad_lsp.store.database import Database


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
        try:
            for (
                name,
                fingerprint,
                session_id,
                last,
                packed,
                checksum,
                children,
                problem,
            ) in self._database.connection.execute(_SELECT, (to_column(folder),)):
                if problem is not None:
                    found[name] = Fault(fingerprint, decoded(_to_problem, problem))
                    continue
                if crc32(packed) != checksum:
                    continue
                found[name] = Entry(
                    session_id,
                    last,
                    folder,
                    name,
                    packed,
                    fingerprint,
                    RADIUM,
                    decoded(_to_children, children) if children else (),
                )
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                self._database.recover(error)
        return found

    def save(
        self, folder: str, changed: Mapping[str, Entry | Fault], removed: Iterable[str]
    ) -> None:
        """Keep what was found anew, unless another process is writing."""
        with suppress(sqlite3.Error), self._database.writing(wait=False) as db:
            path = (to_column(folder),)
            db.execute("INSERT OR IGNORE INTO folder(path) VALUES (?)", path)
            number = db.execute("SELECT id FROM folder WHERE path = ?", path).fetchone()[0]
            db.executemany(
                "INSERT OR REPLACE INTO report VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                ((number, name, *_row(item)) for name, item in changed.items() if _is_text(name)),
            )
            db.executemany(
                "DELETE FROM report WHERE folder = ? AND name = ?",
                ((number, name) for name in removed if _is_text(name)),
            )


def _is_text(name: str) -> bool:
    """Whether a name can be stored; the few that can't are read each time."""
    return isinstance(to_column(name), str)


def _row(item: Entry | Fault) -> tuple[object, ...]:
    if isinstance(item, Fault):
        return item.fingerprint, None, None, None, None, None, _to_bytes(item.problem)
    children = _to_bytes(item.children) if item.children else None
    return item.fingerprint, item.id, item.last, item.packed, crc32(item.packed), children, None


_SELECT: Final = (
    "SELECT name, fingerprint, session_id, last_activity, packed, checksum, children, problem "
    "FROM report JOIN folder ON folder.id = folder WHERE folder.path = ?"
)

_to_bytes = msgspec.msgpack.Encoder().encode
_to_problem = msgspec.msgpack.Decoder(Problem).decode
_to_children = msgspec.msgpack.Decoder(tuple[Child, ...]).decode
