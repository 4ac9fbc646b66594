"""All sources of a user and the one index: what is new in any file is read once, by any process.

Facts only: counts, times, names of models and tools. A transcript that has grown is read from
where reading stopped; one that was replaced is read anew; one that is gone leaves its sessions,
marked as such.
"""

from __future__ import annotations

import math
import os
import sqlite3
import time
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from rad_lsp import sources
from rad_lsp.core.problems import UNREADABLE, Problem
from rad_lsp.core.session import Child
from rad_lsp.pricing import Prices
from rad_lsp.sources.radium import Radium
from rad_lsp.store import files, glance, names, query, seals, snapshot, touched
from rad_lsp.store.index import (
    FILE,
    Damaged,
    Index,
    from_column,
    is_busy,
    put_aside_path,
    to_column,
)
from rad_lsp.store.named import Folders
from rad_lsp.store.prices import KnownPrices
from rad_lsp.store.query import Scope
from rad_lsp.store.touched import Touched
from rad_lsp.store.workspace import spellings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from rad_lsp.core.price import Override
    from rad_lsp.core.session import Session
    from rad_lsp.sources import Source
    from rad_lsp.store import prices
    from rad_lsp.store.ingest import Ingest

T = TypeVar("T")

_BATCH_BYTES: Final = 256 << 20
_BATCH_FILES: Final = 20_000
"""After so many bytes or files what was read is stored for good."""

_PRICES: Final = "prices "
_SALVAGED: Final = "salvaged "


class Machine:
    """The sources of this user, and the index of what they hold.

    `data` is the folder for the index; None keeps it in memory. `price_list` is what requests
    cost, by default the library's.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        home: Path,
        data: Path | None,
        *,
        price_list: prices.Prices | None = None,
        patience: float | None = None,
    ) -> None:
        self._environ = environ
        self._home = home
        self._agents: dict[str, Source] = {}
        path = data and data / FILE
        self.index = Index(path) if patience is None else Index(path, patience)
        self._prices = KnownPrices(self.index, price_list or Prices())
        self._shown_prices: list[KnownPrices] = []
        self._updates = 0
        self._touched = Touched()
        self._looked: dict[str, float] = {}

    def prices(self, own: Mapping[str, Override]) -> KnownPrices:
        """The user's own prices, then those of the price list; what is looked up is remembered."""
        known = KnownPrices(self.index, Prices(own), own)
        self._shown_prices.append(known)
        return known

    def close(self) -> None:
        """Close the index. It is not waited for to remember prices."""
        self.index.stopped.set()
        for known in self._shown_prices:
            if known.has_new and not self.index.abandoned:
                with suppress(sqlite3.Error), self.index.writing() as db:
                    known.save(db)
        self.index.close()

    def agents(self, names: Collection[str] | None = None) -> list[Source]:
        """The sources of the named agents, or of all."""
        return [self._agent(name) for name in sources.AGENTS if names is None or name in names]

    def named(self, names: Collection[str] | None = None) -> dict[str, Folders]:
        """The folders that the transcripts of the named agents, or of all, are read from."""
        return {agent.name: Folders(agent.folders) for agent in self.agents(names)}

    def stop(self) -> None:
        """Let an update that another thread runs end soon, and read no more.

        What has been read is kept; the next process goes on from there.
        """
        self.index.stopped.set()

    def version(self) -> tuple[int, int]:
        """What changes when a session may have, here or by another process."""
        return self._updates, self.index.version()

    def touched_since(self, version: tuple[int, int]) -> list[tuple[str, str]] | None:
        """Source and id of the sessions that have changed since a version, or may have.

        None where that is not known, as when another process has changed something.
        """
        updates, others = version
        return self._touched.since(updates) if others == self.index.version() else None

    def update(
        self,
        sources: Iterable[Source],
        paths: Collection[str] | None = None,
        count: Callable[[], None] | None = None,
        asked: float = math.inf,
    ) -> None:
        """Read what is new in all files of the sources, or only in `paths`.

        A source whose files were all looked at since `asked`, in seconds of `time.monotonic`, is
        left out. `count` is called for each file that was read. Only one process of this user does
        this at a time; others wait, and go on with what there is when that takes too long. Where
        the index can't be written it goes on in memory. Raises sqlite3.DatabaseError where it is
        damaged.
        """
        try:
            for source in sources:
                if self._looked.get(source.name, -math.inf) < asked:
                    begun = time.monotonic()
                    self._update(source, paths, count or _ignore)
                    if paths is None:
                        self._looked[source.name] = begun
        except sqlite3.DatabaseError as error:
            if not is_busy(error):
                raise

    def overwritten(self, source: Source, likely: Iterable[str]) -> list[str] | None:
        """Of a source's files, most often, those that changed; None where all must be listed.

        Finds at once what was added, removed or replaced, and which of the `likely` files were
        written in place; of the others within a few calls.
        """
        return glance.overwritten(self.index.connection, source, likely)

    def guarded(self, work: Callable[[], T]) -> T:
        """What `work` on the index returns. Where it finds damage the index is made anew."""
        if self.index.connection.in_transaction:  # what is around it begins anew
            return work()
        was_damaged = False
        while True:
            try:
                return work()
            except UnicodeDecodeError as error:  # that is how an error reads that quotes damage
                problem: sqlite3.DatabaseError = Damaged(str(error))
            except sqlite3.DatabaseError as error:
                problem = error
            if self.index.in_memory:
                raise problem
            self._begin_anew()
            self._looked.clear()
            self.index.recover(problem, again=was_damaged)
            was_damaged = True

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A transaction in which all that is read is of one moment.

        Raises Damaged where rows are lost by which others are found.
        """
        is_within_another = self.index.connection.in_transaction
        with self.index.reading() as db:
            if not is_within_another:
                seals.verify_tables(db)
            yield db

    def has_read(self, sources: Iterable[Source]) -> bool:
        """Whether what these sources have was read since the index was made."""
        return all(map(self._is_done, sources))

    def health(self) -> str:
        """`ok`, or what is wrong with the index: all of it is looked at."""
        try:
            with self.index.reading() as db:
                found = [str(row[0]) for row in db.execute("PRAGMA integrity_check(1)")]
                return next((fault for fault in (*found, *seals.faults(db)) if fault != "ok"), "ok")
        except sqlite3.DatabaseError as error:
            return str(error)

    def rebuild(self) -> None:
        """Begin a new index; the next update reads all files.

        Of the one before only sessions stay whose transcript is gone. What was forgotten and is
        still there counts again.
        """
        from rad_lsp.store.salvage import REBUILT

        with suppress(sqlite3.DatabaseError):
            self.guarded(self._take_over)
        self._begin_anew()
        with suppress(sqlite3.Error), self.index.writing() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, 'yes')", (REBUILT,))
        self.index.remake()

    def forget(self, chosen: Collection[query.Named]) -> int:
        """Keep nothing of some sessions, and never read them again; returns how many there were.

        Names that no other session has are removed from the index, too.
        """
        by_source: dict[str, list[query.Named]] = {}
        for one in chosen:
            by_source.setdefault(one.source, []).append(one)

        def work() -> int:
            self.update(self.agents())
            self._updates += 1
            count = 0
            for name, listed in by_source.items():
                source = Radium(self._home) if name == sources.RADIUM else self._agent(name)
                with self._ingest(source) as ingest:
                    for number in query.numbers(ingest.db, listed):
                        ingest.forget(number)
                        count += 1
            with self.index.writing() as db:
                seals.watch_tables(db)
                names.remove_unused(db)
                seals.seal_tables(db)
            return count

        return self.guarded(work)

    def active_since(self, folder: Path, moment: datetime) -> list[Child]:
        """The other agents' sessions that worked in a folder or below it at or after a moment.

        Reads what is new in their transcripts first.
        """
        scope = Scope(frozenset(sources.AGENTS), spellings([folder]), named=self.named())

        def look() -> list[Child]:
            self.update(self.agents())
            with self.reading() as db:
                found = query.entries(db, scope, None)
            found = snapshot.without_future(found, datetime.now(UTC))
            return [Child(one.source, one.id) for one in found if one.last_activity >= moment]

        return self.guarded(look)

    def title(self, session: Session) -> str:
        """The title that an agent keeps of a session, on one line; empty where there is none.

        It is read now, and kept nowhere.
        """
        if session.source not in sources.AGENTS:
            return ""
        source = self._agent(session.source)
        for path in source.titled_in(session.path):
            by_line = source.by_line(path)
            with suppress(OSError), files.File(path) as file:
                if not (source.refuses(path) or file.problem(whole=not by_line)):
                    read = file.lines(0) if by_line else file.whole()
                    title = source.title(path, session.id, (piece for piece, _ in read))
                    if words := title.split():
                        return " ".join(words)
        return ""

    def _begin_anew(self) -> None:
        self._updates += 1
        self._touched.forget(self._updates)

    def _agent(self, name: str) -> Source:
        if name not in self._agents:
            self._agents[name] = sources.agent(name, self._environ, self._home)
        return self._agents[name]

    def _update(
        self, source: Source, paths: Collection[str] | None, count: Callable[[], None]
    ) -> None:
        is_done = self._is_done(source)
        if not is_done:
            paths = None
        folder_stamp = glance.stamp(source) if paths is None else 0
        is_whole = self._read_changes(source, paths, count, is_done=is_done)
        if folder_stamp and is_whole:
            self._remember(source, folder_stamp)

    def _read_changes(
        self,
        source: Source,
        paths: Collection[str] | None,
        count: Callable[[], None],
        *,
        is_done: bool,
    ) -> bool:
        """Whether it was not stopped before all was read."""
        changed, gone, problem = self._changes(source, paths)
        if is_done and not (changed or gone or problem):
            return True
        self._updates += 1
        stopped = self.index.stopped.is_set
        while changed and not stopped():
            with self._ingest(source) as ingest:
                for _ in range(min(len(changed), _BATCH_FILES)):
                    ingest.read(changed.pop())
                    count()
                    if ingest.bytes > _BATCH_BYTES or stopped():
                        break
        if stopped():
            return False
        if is_done and not (gone or problem):
            return True
        with self._ingest(source) as ingest:
            for path in gone:
                ingest.lose(path)
            if problem:
                folder = str(source.folders[0])
                ingest.explain(folder, files.stamp(folder), problem)
            if not is_done:
                self._salvage(source, ingest)
        return True

    def _remember(self, source: Source, folder_stamp: int) -> None:
        """Let the next glance be a short one. This is not waited for, nor an error if it fails."""
        if not glance.is_known(self.index.connection, source, folder_stamp):
            with suppress(sqlite3.Error), self.index.writing(patience=0) as db:
                glance.remember(db, source, folder_stamp)

    def _changes(
        self, source: Source, paths: Collection[str] | None
    ) -> tuple[list[str], list[str], Problem | None]:
        """The files of a source that must be read, newest last, and those that are gone.

        And what keeps its folder from being read, unless that is known.
        """
        if paths is not None:
            named = self._changes_at(source, _below(source, paths))
            if named is not None:
                return (*named, None)
        known = self._known(source)
        try:
            listed = list(source.paths())
        except OSError as error:
            folder = str(source.folders[0])
            reason = (error.strerror or type(error).__name__).lower()
            problem = Problem(UNREADABLE, f"The folder can't be read: {reason}")
            is_new = known.get(folder) != files.stamp(folder)
            return [], [], problem if is_new else None
        now = dict(zip(listed, map(files.stamp, listed), strict=True))
        if now == known:
            return [], [], None
        changed = [path for path, stamp in now.items() if known.get(path) != stamp]
        # What is new is read in the order of names, which is that of time for some agents.
        changed.sort(reverse=True)
        missing = map(from_column, known.keys() - now.keys())
        gone = [path for path in missing if files.is_gone(path) or source.refuses(path)]
        return changed, gone, None

    def _changes_at(self, source: Source, paths: list[str]) -> tuple[list[str], list[str]] | None:
        """The same for some paths; None where all files must be listed to tell."""
        gone = []
        if all(map(source.stands_alone, paths)):
            gone = [path for path in paths if not os.path.lexists(path)]
        elif any(files.is_gone(path) or not self._stamp(source, path) for path in paths):
            return None
        there = [path for path in paths if path not in gone]
        changed = [path for path in there if files.stamp(path) != self._stamp(source, path)]
        return changed, gone

    def _known(self, source: Source) -> dict[str, int]:
        """The stamps of a source's files when they were last read, but for those that are gone."""
        select = "SELECT path, stamp FROM file WHERE source = ? AND NOT gone AND"
        known: dict[str, int] = {}
        for folder in map(str, source.folders):
            begin, end = folder + os.sep, folder + chr(ord(os.sep) + 1)
            if isinstance(to_column(folder), str):
                values = (source.name, begin, end, folder)
                within = "((path >= ? AND path < ?) OR path = ?)"
                known.update(self.index.connection.execute(f"{select} {within}", values).fetchall())
            # Paths that are not Unicode are stored as bytes, which come after all text.
            rows = self.index.connection.execute(f"{select} path >= x''", (source.name,))
            for path, stamp in rows:
                if (text := from_column(path)).startswith(begin):
                    known[text] = stamp
        return known

    def _stamp(self, source: Source, path: str) -> int:
        """A file's stamp when it was last read; 0 when it is not known or gone."""
        row = self.index.connection.execute(
            "SELECT stamp FROM file WHERE source = ? AND path = ? AND NOT gone",
            (source.name, to_column(path)),
        ).fetchone()
        return row[0] if row else 0

    def _is_done(self, source: Source) -> bool:
        """Whether a source's sessions are all there, with the prices that hold."""
        rows = self.index.connection.execute(
            "SELECT value FROM meta WHERE key IN (?, ?)",
            (_PRICES + source.name, _SALVAGED + source.name),
        )
        return {value for (value,) in rows} == {self._prices.key, "yes"}

    @contextmanager
    def _ingest(self, source: Source) -> Iterator[Ingest]:
        from rad_lsp.store.ingest import Ingest  # not needed where nothing is new

        with self.index.writing() as db:
            seals.watch_tables(db)
            touched.watch(db)
            ingest = Ingest(db, source, self._prices, self.index.stopped.is_set)
            key = _PRICES + source.name
            priced_by = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
            if priced_by != (self._prices.key,):
                ingest.reprice()
                db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, self._prices.key))
            yield ingest
            ingest.settle()
            self._prices.save(db)
            seals.seal_tables(db)
            names = touched.names(db)
        self._touched.add(names, self._updates)

    def _take_over(self) -> None:
        """Keep what an index that was put aside knows, as the next one takes its place."""
        path = self.index.path
        if path and put_aside_path(path).exists() and not self.has_read(self.agents()):
            self.update(self.agents())

    def _salvage(self, source: Source, ingest: Ingest) -> None:
        """Keep the sessions that only an index that was put aside knows."""
        before = self.index.put_aside()
        if before is not None:
            from rad_lsp.store.salvage import forgotten, salvage

            with closing(before):
                salvage(before, source.name, ingest)
                for session_id, path, is_report in forgotten(before, source.name):
                    ingest.forget_again(session_id, path, is_report=is_report)
        values = (_SALVAGED + source.name, "yes")
        self.index.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", values)


def _below(source: Source, paths: Collection[str]) -> list[str]:
    folders = [str(folder) for folder in source.folders]
    folders += [os.path.realpath(folder) for folder in folders]
    beginnings = tuple(folder + os.sep for folder in folders)
    return [path for path in paths if path.startswith(beginnings) and not source.ignores(path)]


def _ignore() -> None:
    """Nobody is told of progress."""
