"""What the transcripts of all agents hold, kept on disk: each byte is read once.

Facts only: counts, times, names of models. A transcript that has grown is read from where it was
left; one that was replaced is read anew; one that is gone leaves its sessions, marked as such.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from rad_lsp.core import decoders, transcript
from rad_lsp.core.problems import Problem
from rad_lsp.sources import Skipped
from rad_lsp.store.database import GONE, Damaged, checksum, decoded, from_column, is_busy
from rad_lsp.store.growing import Stamp, stamp
from rad_lsp.store.prices import KnownPrices
from rad_lsp.store.snapshot import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from rad_lsp.core.session import Child
    from rad_lsp.pricing import Prices
    from rad_lsp.sources import Transcripts
    from rad_lsp.store.batch import Batch
    from rad_lsp.store.database import Database

T = TypeVar("T")

_BATCH_BYTES: Final = 256 << 20
"""After so many bytes what was read is stored for good."""


class Recent(msgspec.Struct, frozen=True, gc=False):
    """Sessions that were active since a moment, and always the newest one and that with an id.

    `since` is in milliseconds since the epoch.
    """

    since: int
    session_id: str = ""


class Index:
    """The sessions of all agents' transcripts, priced by `prices`.

    `price_key` changes when the prices may have: then all sessions are priced anew.
    """

    def __init__(self, database: Database, prices: Prices, price_key: str) -> None:
        self.database = database
        self._prices = KnownPrices(database, prices, price_key)
        self._price_key = price_key
        self._updates = 0

    def stop(self) -> None:
        """Let an update that another thread is at end soon, and read no more.

        What has been read is kept; the next process goes on from there.
        """
        self.database.stopped.set()

    def update(
        self,
        sources: Sequence[Transcripts],
        paths: Collection[str] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Read what is new in all transcripts, or only in `paths`.

        `progress` is told the number of files read so far. Only one process of this user does
        this at a time; others wait, and go on with what there is when that takes too long. Where
        the index can't be written it goes on in memory.
        """
        self.updated(sources, lambda: None, paths, progress)

    def updated(
        self,
        sources: Sequence[Transcripts],
        look: Callable[[], T],
        paths: Collection[str] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> T:
        """What `look` finds after an update. Where it finds damage the index is made anew."""
        while True:
            try:
                try:
                    self._update(sources, paths, progress)
                except sqlite3.DatabaseError as error:
                    if not is_busy(error):
                        raise
                return look()
            except sqlite3.DatabaseError as error:
                if self.database.in_memory:
                    raise
                self._recover(error)
                paths = None

    def entries(
        self,
        sources: Collection[str],
        folders: Sequence[str] | None,
        recent: Recent | None = None,
    ) -> list[Entry]:
        """The sessions of the named sources that worked in one of the folders or below it.

        None stands for every folder of this machine. Of agents that only keep a hash of the
        folder's path those count that worked in the folder itself. When only `recent` ones are
        asked for there may be others among them.
        """
        listed = ",".join("?" * len(sources))
        if folders is None:
            # A plus keeps SQLite from going by an index where nearly all rows are wanted.
            column = "+source" if recent is None else "source"
            return self._entries(f"{column} IN ({listed})", sources, recent)
        if self._knows_hashes():
            folders = [*folders, *map(transcript.hashed, folders)]
        # And here, from going by the source, where the folder narrows more.
        within = f"+source IN ({listed}) AND (cwd = ? OR (cwd >= ? AND cwd < ?))"
        found = (
            entry
            for folder in folders
            for entry in self._entries(within, (*sources, *_range(folder)), recent)
        )
        # The folders may be spellings of one, or lie within each other.
        return [*{(e.source, e.id): e for e in found}.values()]

    def entry(self, child: Child) -> Entry | None:
        """One session, by its source and id; None when it is not known."""
        with contextlib.suppress(sqlite3.DatabaseError):
            found = self._entries("source = ? AND session_id = ?", msgspec.structs.astuple(child))
            return found[0] if found else None
        return None

    def version(self) -> tuple[int, int]:
        """What changes when a session may have, here or by another process."""
        return self._updates, self.database.version()

    def problems(self, sources: Collection[str]) -> list[tuple[str, Problem]]:
        """The transcripts that could not be read, and why."""
        rows = self.database.connection.execute(
            "SELECT source, path, problem FROM file WHERE problem IS NOT NULL ORDER BY path"
        )
        return [
            (from_column(path), decoded(_PROBLEM, problem))
            for source, path, problem in rows
            if source in sources
        ]

    def skipped_lines(self) -> list[tuple[str, int, list[Skipped]]]:
        """Path, number of lines that could not be read, and the first few of them."""
        rows = self.database.connection.execute(
            "SELECT path, skipped, first_skipped FROM file WHERE skipped > 0 ORDER BY path"
        )
        return [(from_column(path), count, decoded(_SKIPPED, first)) for path, count, first in rows]

    def rebuild(self) -> None:
        """Forget how far transcripts were read, so that the next update reads all of them.

        Sessions whose transcript is gone stay.
        """
        try:
            with self.database.writing() as db:
                db.execute("UPDATE file SET changed = 0, offset = 0 WHERE size <> ?", (GONE,))
                db.execute("DELETE FROM report")
        except sqlite3.DatabaseError as error:
            self._recover(error)

    def _entries(
        self, condition: str, values: Iterable[str | int], recent: Recent | None = None
    ) -> list[Entry]:
        db = self.database.connection
        where = f"WHERE last_activity IS NOT 0 AND {condition}"
        values = [*values]
        if recent is not None:
            ((last,),) = db.execute(f"SELECT max(last_activity) FROM session {where}", values)
            where += " AND (last_activity >= ? OR session_id = ?)"
            values += [min(recent.since, last or 0), recent.session_id]
        query = (
            "SELECT source, session_id, path, cwd, last_activity, packed, checksum FROM session "
        )
        rows = db.execute(query + where, values)
        found = []
        for source, session_id, path, cwd, last, packed, check in rows:
            if packed is None or checksum(packed, source, session_id, cwd, last) != check:
                raise Damaged("a session is not as it was stored")
            folder, _, name = from_column(path).rpartition(os.sep)
            found.append(
                Entry(
                    session_id,
                    last * 1000,
                    sys.intern(folder),
                    name,
                    packed,
                    source=sys.intern(source),
                )
            )
        return found

    def _knows_hashes(self) -> bool:
        """Whether there is an agent that keeps a hash: making some takes a while."""
        query = "SELECT 1 FROM session WHERE cwd >= ? AND cwd < ? LIMIT 1"
        hashes = transcript.HASHED, transcript.HASHED + chr(sys.maxunicode)
        return self.database.connection.execute(query, hashes).fetchone() is not None

    def _update(
        self,
        sources: Sequence[Transcripts],
        paths: Collection[str] | None,
        progress: Callable[[int], None] | None,
    ) -> None:
        read = 0
        stopped = self.database.stopped.is_set
        for source in sources:
            done = self._is_done(source)
            changed, gone = self._changes(source, paths if done else None)
            if done and not (changed or gone):
                continue
            self._updates += 1
            while changed and not stopped():
                with self._batch(source) as batch:
                    while changed and batch.bytes < _BATCH_BYTES and not stopped():
                        batch.read(changed.pop())
                        read += 1
                        if progress:
                            progress(read)
            if stopped() or (done and not gone):
                continue
            with self._batch(source) as batch:
                batch.lose(gone)
                if not done:
                    self._take_over(source, batch)

    def _changes(
        self, source: Transcripts, paths: Collection[str] | None
    ) -> tuple[list[str], list[str]]:
        """The files of a source that must be read, newest last, and those that are gone."""
        known = self._known(source)
        if paths is not None:
            mine = _below(source, paths)
            if all(path in known and os.path.exists(path) for path in mine):  # noqa: PTH110
                return [path for path in mine if stamp(path) != known[path]], []
        missing = dict(known)
        changed = [path for path in source.paths() if stamp(path) != missing.pop(path, None)]
        # What is new is read in the order of names, which is that of time for some agents.
        changed.sort(reverse=True)
        gone = ((from_column(path), was) for path, was in missing.items())
        return changed, [path for path, was in gone if _is_gone(path, was)]

    def _known(self, source: Transcripts) -> dict[str, Stamp]:
        rows = self.database.connection.execute(
            "SELECT path, size, modified, changed FROM file WHERE source = ?", (source.name,)
        )
        known = {row[0]: row[1:] for row in rows}
        for path in [path for path in known if isinstance(path, bytes)]:
            known[from_column(path)] = known.pop(path)
        return known

    def _is_done(self, source: Transcripts) -> bool:
        """Whether a source's sessions are all there, with the prices that hold."""
        rows = self.database.connection.execute(
            "SELECT value FROM meta WHERE key IN (?, ?)",
            (_PRICES + source.name, _EARLIER + source.name),
        )
        return {value for (value,) in rows} == {self._price_key, _TAKEN}

    @contextlib.contextmanager
    def _batch(self, source: Transcripts) -> Iterator[Batch]:
        from rad_lsp.store.batch import Batch  # not needed where nothing is new

        with self.database.writing() as db:
            batch = Batch(db, self._prices, source, self.database.stopped.is_set)
            key = _PRICES + source.name
            priced_by = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
            if priced_by != (self._price_key,):
                batch.touch_all()
                db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, self._price_key))
            yield batch
            batch.finish()
            self._prices.save(db)

    def _take_over(self, source: Transcripts, batch: Batch) -> None:
        """Keep the sessions that only the index before this one knows."""
        earlier = self.database.earlier()
        if earlier is not None:
            with contextlib.closing(earlier):
                batch.take_over(earlier)
        values = (_EARLIER + source.name, _TAKEN)
        self.database.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", values)

    def _recover(self, error: sqlite3.DatabaseError) -> None:
        self.database.recover(error)
        self._updates += 1


_PRICES: Final = "prices "
_EARLIER: Final = "earlier "
_TAKEN: Final = "taken over"


def _is_gone(path: str, was: Stamp) -> bool:
    """Whether a file that the source does not list is gone, or no longer within reach.

    Processes with another environment may look in other folders: those files are still there.
    """
    return was[0] != GONE and stamp(path) != was and not os.path.isfile(path)  # noqa: PTH113


def _below(source: Transcripts, paths: Collection[str]) -> list[str]:
    folders = [str(folder) for folder in source.folders]
    folders += [os.path.realpath(folder) for folder in folders]
    beginnings = tuple(folder + os.sep for folder in folders)
    return [path for path in paths if path.startswith(beginnings)]


def _range(folder: str) -> tuple[str, str, str]:
    """The values between which the folder itself and all folders below it are."""
    below = folder.removesuffix(os.sep)
    return folder, below + os.sep, below + chr(ord(os.sep) + 1)


_PROBLEM: Final = decoders.msgpack(Problem)
_SKIPPED: Final = decoders.msgpack(list[Skipped])
