"""What the transcripts of all agents hold, kept on disk: each byte is read once.

Facts only: counts, times, names of models. A transcript that has grown is read from where it was
left; one that was replaced is read anew; one that is gone leaves its sessions, marked as such.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from typing import TYPE_CHECKING, Final

import msgspec

from rad_lsp.core.problems import Problem
from rad_lsp.sources import Skipped
from rad_lsp.store.batch import GONE, Batch, File
from rad_lsp.store.snapshot import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from rad_lsp.core.session import Child, Session
    from rad_lsp.core.spending import PriceList
    from rad_lsp.sources import Transcripts
    from rad_lsp.store.database import Database

_BATCH_BYTES: Final = 128 << 20
"""After so many bytes what was read is stored for good."""


class Index:
    """The sessions of all agents' transcripts, priced by `price_list`.

    `price_key` changes when the prices may have: then all sessions are priced anew.
    """

    def __init__(self, database: Database, price_list: PriceList, price_key: str) -> None:
        self.database = database
        self._price_list = price_list
        self._price_key = price_key
        self._updates = 0

    def update(
        self,
        sources: Sequence[Transcripts],
        paths: Collection[str] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Read what is new in all transcripts, or only in `paths`.

        `progress` is told the number of files read so far. Only one process of this user does
        this at a time; others wait. Where the index can't be written it goes on in memory.
        """
        try:
            self._update(sources, paths, progress)
        except sqlite3.DatabaseError as error:
            self.database.recover(error)
            self._update(sources, None, progress)

    def entries(self, sources: Collection[str], folders: Sequence[str] | None) -> list[Entry]:
        """The sessions of the named sources that worked in one of the folders or below it.

        None stands for every folder of this machine.
        """
        if folders is None:
            found = self._entries("", ())
        else:
            within = " AND (cwd = ? OR (cwd >= ? AND cwd < ?))"
            found = (e for folder in folders for e in self._entries(within, _range(folder)))
        # The folders may be spellings of one, or lie within each other.
        return [*{(e.source, e.id): e for e in found if e.source in sources}.values()]

    def session(self, child: Child) -> Session | None:
        """One session, by its source and id; None when it is not known."""
        for entry in self._entries(
            " AND source = ? AND session_id = ?", (*msgspec.structs.astuple(child),)
        ):
            return entry.session
        return None

    def version(self) -> tuple[int, int]:
        """What changes when a session may have, here or by another process."""
        return self._updates, self.database.version()

    def problems(self, sources: Collection[str]) -> list[tuple[str, Problem]]:
        """The transcripts that could not be read, and why."""
        rows = self.database.connection.execute(
            "SELECT source, path, problem FROM file WHERE problem IS NOT NULL ORDER BY path"
        )
        return [(path, _to_problem(problem)) for source, path, problem in rows if source in sources]

    def skipped_lines(self) -> list[tuple[str, int, list[Skipped]]]:
        """Path, number of lines that could not be read, and the first few of them."""
        rows = self.database.connection.execute(
            "SELECT path, skipped, first_skipped FROM file WHERE skipped > 0 ORDER BY path"
        )
        return [(path, count, _to_skipped(first)) for path, count, first in rows]

    def rebuild(self) -> None:
        """Forget how far transcripts were read, so that the next update reads all of them.

        Sessions whose transcript is gone stay.
        """
        with self.database.writing() as db:
            db.execute("UPDATE file SET mtime = 0, offset = 0 WHERE size >= 0")
            db.execute("DELETE FROM report")

    def _entries(self, condition: str, values: tuple[str, ...]) -> Iterator[Entry]:
        query = (
            "SELECT source, session_id, path, last_activity, packed FROM session "
            "WHERE packed IS NOT NULL"
        )
        rows = self.database.connection.execute(query + condition, values)
        for source, session_id, path, last, packed in rows:
            folder, _, name = path.rpartition(os.sep)
            yield Entry(
                session_id,
                last * 1000,
                sys.intern(folder),
                name,
                packed,
                source=sys.intern(source),
            )

    def _update(
        self,
        sources: Sequence[Transcripts],
        paths: Collection[str] | None,
        progress: Callable[[int], None] | None,
    ) -> None:
        priced_by = self._priced_by()
        read = 0
        for source in sources:
            changed, gone = self._changes(source, paths)
            if not (changed or gone):
                continue
            self._updates += 1
            while changed:
                with self.database.writing() as db:
                    batch = Batch(db, self._price_list, source)
                    # Another process may have been here while this one waited.
                    known = _files(db, source.name)
                    while changed and batch.bytes < _BATCH_BYTES:
                        path = changed.pop()
                        batch.read(path, known.get(path))
                        read += 1
                        if progress:
                            progress(read)
                    batch.finish()
            if gone:
                with self.database.writing() as db:
                    batch = Batch(db, self._price_list, source)
                    batch.lose(gone)
                    batch.finish()
        if priced_by != self._price_key:
            if priced_by is not None:
                self._price_anew(sources)
            with self.database.writing() as db:
                db.execute("INSERT OR REPLACE INTO meta VALUES ('prices', ?)", (self._price_key,))

    def _changes(
        self, source: Transcripts, paths: Collection[str] | None
    ) -> tuple[list[str], list[int]]:
        """The files of a source that must be read, newest last, and the ids of those gone."""
        known = _files(self.database.connection, source.name)
        if paths is not None:
            mine = _below(source, paths)
            if all(path in known for path in mine):
                return [path for path in mine if _differs(path, known[path])], []
        changed: list[str] = []
        missing = dict(known)
        for path in source.paths():
            file = missing.pop(path, None)
            if file is None or _differs(path, file):
                changed.append(path)
        # What is new is read in the order of names, which is that of time for some agents.
        changed.sort(reverse=True)
        return changed, [file.id for file in missing.values() if file.size != GONE]

    def _priced_by(self) -> str | None:
        """The key of the prices that the sessions have; None while there are no sessions."""
        select = "SELECT value FROM meta WHERE key = 'prices'"
        row = self.database.connection.execute(select).fetchone()
        return row and str(row[0])

    def _price_anew(self, sources: Sequence[Transcripts]) -> None:
        self._updates += 1
        for source in sources:
            with self.database.writing() as db:
                batch = Batch(db, self._price_list, source)
                batch.touch_all()
                batch.finish()


def _files(db: sqlite3.Connection, source: str) -> dict[str, File]:
    return {
        row[1]: File(*row)
        for row in db.execute(
            "SELECT id, path, size, mtime, inode, offset, tail, state FROM file WHERE source = ?",
            (source,),
        )
    }


def _differs(path: str, known: File) -> bool:
    try:
        status = os.stat(path)  # noqa: PTH116  (a Path each would slow the scan)
    except OSError:
        return True
    return (status.st_size, status.st_mtime_ns, status.st_ino) != (
        known.size,
        known.mtime,
        known.inode,
    )


def _below(source: Transcripts, paths: Collection[str]) -> list[str]:
    folders = tuple(str(folder) + os.sep for folder in source.folders)
    return [path for path in paths if path.startswith(folders)]


def _range(folder: str) -> tuple[str, str, str]:
    """The values between which the folder itself and all folders below it are."""
    return folder, folder + os.sep, folder + chr(ord(os.sep) + 1)


_to_problem = msgspec.msgpack.Decoder(Problem).decode
_to_skipped = msgspec.msgpack.Decoder(list[Skipped]).decode
