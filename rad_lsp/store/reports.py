"""Reports as they were last read, so that a large history costs a scan of its folder, no more."""

from __future__ import annotations

import sqlite3
import sys
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
        with suppress(sqlite3.Error, msgspec.DecodeError):
            for (
                name,
                fingerprint,
                session_id,
                last,
                packed,
                children,
                problem,
            ) in self._database.connection.execute(_SELECT, (folder,)):
                if problem is not None:
                    found[name] = Fault(fingerprint, _to_problem(problem))
                    continue
                found[name] = Entry(
                    session_id,
                    last,
                    folder,
                    name,
                    packed,
                    fingerprint,
                    RADIUM,
                    _to_children(children) if children else (),
                )
        return found

    def save(
        self, folder: str, changed: Mapping[str, Entry | Fault], removed: Iterable[str]
    ) -> None:
        """Keep what was found anew, unless another process is writing."""
        with suppress(sqlite3.Error), self._database.writing(wait=False) as db:
            db.execute("INSERT OR IGNORE INTO folder(path) VALUES (?)", (folder,))
            number = db.execute("SELECT id FROM folder WHERE path = ?", (folder,)).fetchone()[0]
            db.executemany(
                "INSERT OR REPLACE INTO report VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                ((number, name, *_row(item)) for name, item in changed.items()),
            )
            db.executemany(
                "DELETE FROM report WHERE folder = ? AND name = ?",
                ((number, name) for name in removed),
            )


def _row(item: Entry | Fault) -> tuple[object, ...]:
    if isinstance(item, Fault):
        return item.fingerprint, None, None, None, None, _to_bytes(item.problem)
    children = _to_bytes(item.children) if item.children else None
    return item.fingerprint, item.id, item.last, item.packed, children, None


_SELECT: Final = (
    "SELECT name, fingerprint, session_id, last_activity, packed, children, problem "
    "FROM report JOIN folder ON folder.id = folder WHERE folder.path = ?"
)

_to_bytes = msgspec.msgpack.Encoder().encode
_to_problem = msgspec.msgpack.Decoder(Problem).decode
_to_children = msgspec.msgpack.Decoder(tuple[Child, ...]).decode
