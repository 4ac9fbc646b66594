"""A quick look at the files of a folder, which a status line can afford at every prompt.

What is added to a folder, removed from it or replaced in it changes the stamp of the folder. While
that is what it was when all files were looked at, only files that were written in place can be new.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from rad_lsp.store import files
from rad_lsp.store.index import to_column

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from rad_lsp.sources import Source

FILES: Final = 10_000
"""How many files are looked at besides those that are asked for: they take some 30 ms."""

_LOOKED: Final = "looked at "
_RACY_NS: Final = 2_000_000_000
"""What happens within the granularity of a file system's clock need not change a stamp."""


def stamp(source: Source) -> int:
    """The stamp of a source's folder; 0 where that tells nothing, or not for sure yet."""
    if not source.is_flat:
        return 0
    try:
        status = os.stat(source.folders[0])  # noqa: PTH116  (it raises for a path with NUL, too)
    except (OSError, ValueError):
        return 0
    changed = max(status.st_mtime_ns, status.st_ctime_ns)
    return files.stamp_of(status) if changed < time.time_ns() - _RACY_NS else 0


def is_known(db: sqlite3.Connection, source: Source, folder_stamp: int) -> bool:
    """Whether all files of a source were looked at when its folder had this stamp."""
    query = "SELECT 1 FROM meta WHERE key = ? AND value = ?"
    return db.execute(query, (_key(source), str(folder_stamp))).fetchone() is not None


def remember(db: sqlite3.Connection, source: Source, folder_stamp: int) -> None:
    """All files were looked at after the folder of a source had this stamp."""
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_key(source), str(folder_stamp)))


def overwritten(
    db: sqlite3.Connection, source: Source, likely: Iterable[str], most: int = FILES
) -> list[str] | None:
    """The files that were written in place since they were read; None where all must be listed.

    Looks at the `likely` ones, and at up to `most` others: where there are more, at a part of them
    that is drawn by lot, so that each is looked at within a few calls.
    """
    folder = str(source.folders[0])
    if (
        not is_known(db, source, files.stamp(folder))
        or source.refuses(folder)
        or not isinstance(to_column(folder), str)
    ):
        return None
    named = (source.name, folder)
    within = (source.name, folder + os.sep, folder + chr(ord(os.sep) + 1))
    # A folder that could not be read is tried again; paths that are not Unicode are rare.
    if db.execute(_UNREADABLE, named).fetchone() or db.execute(_NO_TEXT, named[:1]).fetchone():
        return None
    (count,) = db.execute(f"SELECT count(*) {_FILES}", within).fetchone()
    parts = -(-count // most) or 1
    part = int.from_bytes(os.urandom(4)) % parts
    place = (*within, most, part * most)
    known = dict(db.execute(f"SELECT path, stamp {_FILES} LIMIT ? OFFSET ?", place).fetchall())
    for path in likely:
        row = db.execute(f"SELECT stamp {_ONE}", (source.name, path)).fetchone()
        known[path] = row[0] if row else 0
    return [path for path, then in known.items() if files.stamp(path) != then]


def _key(source: Source) -> str:
    return f"{_LOOKED}{source.name} {os.fsencode(source.folders[0]).hex()}"


_ONE: Final = "FROM file WHERE source = ? AND path = ? AND NOT gone"
_UNREADABLE: Final = f"SELECT 1 {_ONE}"
_NO_TEXT: Final = "SELECT 1 FROM file WHERE source = ? AND path >= x'' LIMIT 1"
_FILES: Final = "FROM file WHERE source = ? AND path >= ? AND path < ? AND NOT gone"
