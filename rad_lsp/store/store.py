"""Keeps the sessions of a workspace fresh: a refresh reads only what changed."""

from __future__ import annotations

import math
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import msgspec

from rad_lsp.core import transcript
from rad_lsp.core.session import Session
from rad_lsp.pricing import Prices
from rad_lsp.sources import RADIUM, radium
from rad_lsp.sources.radium import Radium
from rad_lsp.store import files, named, query, snapshot
from rad_lsp.store.children import Children
from rad_lsp.store.names import as_text
from rad_lsp.store.query import Scope, Selection
from rad_lsp.store.snapshot import Entry, Skipped, Snapshot
from rad_lsp.store.workspace import folders_of, spellings

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import tzinfo
    from pathlib import Path

    from rad_lsp.core.period import Period
    from rad_lsp.core.price import Override
    from rad_lsp.core.problems import Problem
    from rad_lsp.store.machine import Machine
    from rad_lsp.store.totals import Dimension, Sums, ToolTotal, UsageTotal

T = TypeVar("T")


class Store:
    """The sessions of a workspace from the named sources, or from all, as of the last `refresh`.

    `everywhere` adds the other agents' sessions of all folders. Where only some are asked for by
    a `selection`, most of the others are left out. `prices` are the user's own. `edited` are the
    sessions that open buffers hold, by the path of their report. The methods but `stop` must not
    run at the same time; the snapshots that they return may be used anywhere.
    """

    def __init__(
        self,
        machine: Machine,
        workspace: Path,
        names: Collection[str] | None = None,
        prices: Mapping[str, Override] | None = None,
        *,
        everywhere: bool = False,
        selection: Selection | None = None,
    ) -> None:
        self.machine = machine
        self.snapshot = Snapshot()
        self.edited: dict[str, Entry] = {}
        self._prices = prices or {}
        self._own_prices = Prices(self._prices)
        self._selection = selection
        has_reports = names is None or RADIUM in names
        self._radium = Radium(workspace) if has_reports else None
        self._agents = machine.agents(names)
        self._scope = Scope(
            frozenset(agent.name for agent in self._agents),
            None if everywhere else spellings(folders_of(workspace)),
            as_text(workspace) if has_reports else None,
            machine.named(names),
        )
        self._seen: tuple[int, int] | None = None
        self._holds_until = 0

    def stop(self) -> None:
        """Let a refresh that another thread runs end soon, and read no more.

        What has been read counts, and is kept for the next process.
        """
        self.machine.stop()

    def refresh(
        self,
        paths: Collection[str] | None = None,
        progress: Callable[[int], None] | None = None,
        asked: float = math.inf,
    ) -> Snapshot:
        """Read what changed, and return the new snapshot; the same one when nothing did.

        Looks at every file, or only at `paths`. `progress` is told the number of files read so
        far. A folder that can't be read is a skipped file of its own. Where another store of the
        machine has looked at all transcripts since a refresh was `asked` for, in seconds of
        `time.monotonic`, that is not done again.
        """

        def look() -> Snapshot:
            self._update(paths, counter(progress), asked)
            return self._recalled()

        return self.machine.guarded(look)

    def glance(self) -> Snapshot:
        """What `refresh` returns, in a fraction of its time where there are many reports.

        A report that was written in place, rather than replaced, and that is none of the snapshot
        may be read only by one of the next calls.
        """

        def shown() -> Iterator[str]:
            known = self._recalled()
            yield from [one.session.path for one in known.entries if one.source == RADIUM]
            yield from [skipped.path for skipped in known.skipped]

        def look() -> Snapshot:
            if self._radium:
                likely = filter(self._radium.stands_alone, shown())
                reports = self.machine.overwritten(self._radium, likely)
                self._update_reports(reports, counter(None))
            self._update_agents(None, counter(None), math.inf)
            return self._recalled()

        return self.machine.guarded(look)

    def update(self, progress: Callable[[int], None] | None = None) -> None:
        """Read what changed, for sums of it: no snapshot is put together."""
        self.machine.guarded(lambda: self._update(None, counter(progress)))

    def recall(self) -> Snapshot:
        """The sessions as they were known last, without a look at any file."""
        try:
            return self._recalled()
        except sqlite3.DatabaseError:
            return self.snapshot

    def edit(self, path: str, content: Session | Problem | None) -> Snapshot:
        """Let an open buffer win over the report at `path`, or no longer when `content` is None.

        While the buffer can't be read, its last good session counts, else that of the file.
        """
        self.edit_all({path: content})
        return self.recall()

    def edit_all(self, contents: Mapping[str, Session | Problem | None]) -> None:
        """The same for many buffers, by path; the next refresh puts a snapshot together."""
        for path, content in contents.items():
            if content is None:
                self.edited.pop(path, None)
            elif isinstance(content, Session) and radium.refusal(path) is None:
                # To open a file is not to write it.
                content = msgspec.structs.replace(content, written=files.written(path))  # noqa: PLW2901
                self.edited[path] = snapshot.pack(content)
            self._seen = None

    def ask(self, work: Callable[[Sums], T], progress: Callable[[int], None] | None = None) -> T:
        """What `work` makes of sums of these sessions, once what changed has been read.

        Where it finds the index damaged it is called again, with one that was made anew.
        """

        def look() -> T:
            self._update(None, counter(progress))
            with self.machine.reading():
                return work(self.sums)

        return self.machine.guarded(look)

    def ask_known(self, work: Callable[[Sums], T]) -> T:
        """The same of what the index has; where it had to be made anew, all is read first."""

        def look() -> T:
            if not self.machine.has_read(self._agents):
                self._update(None, counter(None))
            with self.machine.reading():
                return work(self.sums)

        return self.machine.guarded(look)

    @property
    def sums(self) -> Sums:
        """Sums of what the index has of these sessions; its methods raise sqlite3.DatabaseError."""
        from rad_lsp.store.totals import Sums

        return Sums(self.machine.index.connection, self._scope, self._prices)

    def elsewhere(self) -> int:
        """The number of the agents' sessions in all folders, of what the index has."""
        scope = Scope(self._scope.agents, named=self._scope.named)
        return self.machine.guarded(
            lambda: query.counts(self.machine.index.connection, scope).total()
        )

    def usage_totals(
        self, by: Sequence[Dimension], period: Period, zone: tzinfo | None
    ) -> list[UsageTotal]:
        """What the requests of these sessions in a period come to, by some dimensions.

        Of what the index has: `update` reads what is new. Days are those of `zone`.
        """
        from rad_lsp.store.totals import When

        return self.ask_known(lambda sums: sums.usage(by, When(period, zone)))

    def tool_totals(
        self, by: Sequence[Dimension], period: Period, zone: tzinfo | None
    ) -> list[ToolTotal]:
        """The same of their tool calls."""
        from rad_lsp.store.totals import When

        return self.ask_known(lambda sums: sums.tools(by, When(period, zone)))

    def _update(
        self, paths: Collection[str] | None, count: Callable[[], None], asked: float = math.inf
    ) -> None:
        self._update_reports(paths, count)
        self._update_agents(paths, count, asked)

    def _update_reports(self, paths: Collection[str] | None, count: Callable[[], None]) -> None:
        if self._radium:
            self.machine.update([self._radium], paths, count)

    def _update_agents(
        self, paths: Collection[str] | None, count: Callable[[], None], asked: float
    ) -> None:
        self.machine.update(self._agents, paths, count, asked)
        if self._scope.workspace is not None:
            names = query.child_sources(self.machine.index.connection, self._scope.workspace)
            others = self.machine.agents(names - self._scope.agents)
            self.machine.update(others, paths, count, asked)

    def _recalled(self) -> Snapshot:
        seen = self.machine.version()
        if seen != self._seen:
            made = self._followed()
            if made is None:
                with self.machine.reading() as db:
                    made = self._assembled(db)
            if made != self.snapshot:
                self.snapshot = made
            self._seen = seen
        return self.snapshot

    def _followed(self) -> Snapshot | None:
        """The snapshot after the one before; None where all of it must be put together.

        That is where sessions depend on others: of open buffers, as parts of tracked ones, by an
        id that several have, or because all may be of the future.
        """
        latest = snapshot.latest_possible(datetime.now(UTC))
        if self._seen is None or latest >= self._holds_until:
            return None
        names = self.machine.touched_since(self._seen)
        if names is None:
            return None
        with self.machine.index.reading() as db:
            if self._has_children(db):
                return None
            found = [self._repriced(entry) for entry in query.entries_of(db, self._scope, names)]
            skipped = self._skipped(db)
        made = snapshot.followed(self.snapshot, names, found, skipped)
        if made is None:
            return None
        newest = (*self.snapshot.entries[:1], *made.entries[:1])
        if any(entry.last > latest for entry in (*newest, *found)):
            return None
        # Where no session is left that is not of the future, it is our clock that is wrong.
        return None if all(map(snapshot.is_dated_back, made.entries)) else made

    def _assembled(self, db: sqlite3.Connection) -> Snapshot:
        now = datetime.now(UTC)
        skipped, edited = self._skipped(db), self._edited(db)
        workspace = self._scope.workspace
        left_out = self._unnamed_children(db)
        stored = query.tracked(db, workspace, left_out) if workspace is not None else []
        replaced = {entry.id for entry in edited.values()}
        tracked = [one for one in stored if one.window.id not in replaced]
        children = {one.window.id: tuple(known.child for known in one.children) for one in tracked}
        tracked += [
            query.tracked_as(db, one.session, left_out) for one in edited.values() if one.children
        ]
        parts = Children(db, tracked)
        selection = self._selection
        if selection is not None:
            selection = msgspec.structs.replace(selection, newest=selection.newest + len(parts))
        entries = []
        for entry in query.entries(db, self._scope, selection, snapshot.latest_possible(now)):
            if entry.source == RADIUM:
                if entry.file in edited:
                    place = {"project": entry.project, "branch": entry.branch}
                    buffer = msgspec.structs.replace(edited[entry.file], **place)
                    edited[entry.file] = buffer
                    continue
                if entry.id in children:
                    entry = msgspec.structs.replace(entry, children=children[entry.id])  # noqa: PLW2901
                entries.append(entry)
            elif (left := parts.left_of(entry)) is not None:
                entries.append(self._repriced(left))
        entries += edited.values()
        if parts:
            entries = [self._merged(one, parts) if one.children else one for one in entries]
        unlisted = self._unlisted(db, entries, parts)
        holds_until = snapshot.first_future(entries, now)
        made = snapshot.assemble(snapshot.without_future(entries, now), skipped, unlisted)
        is_alone = selection is None and not (self.edited or parts)
        is_plain = is_alone and len(made.entries) == len(entries)
        self._holds_until = holds_until if is_plain else 0
        return made

    def _unlisted(
        self, db: sqlite3.Connection, entries: list[Entry], parts: Children
    ) -> Counter[str] | None:
        """How many sessions were not asked for, by source."""
        if self._selection is None or not self._selection.counted:
            return None
        unlisted = query.counts(db, self._scope, parts.used_up())
        unlisted.subtract(entry.source for entry in entries)
        return unlisted

    def skipped(self) -> list[Skipped]:
        """The files that can't be read, as the index knows. Raises sqlite3.DatabaseError."""
        return self._skipped(self.machine.index.connection)

    def _unnamed_children(self, db: sqlite3.Connection) -> set[int]:
        """Those of all sessions that may be part of tracked ones that don't count.

        Another source than those that are shown may have them.
        """
        if self._scope.workspace is None:
            return set()
        names = {child.source for one in self.edited.values() for child in one.children}
        names |= query.child_sources(db, self._scope.workspace)
        return named.unnamed(db, self.machine.named(names))

    def _has_children(self, db: sqlite3.Connection) -> bool:
        workspace = self._scope.workspace
        return workspace is not None and bool(query.child_sources(db, workspace))

    def _skipped(self, db: sqlite3.Connection) -> list[Skipped]:
        """The files that can't be read, but for those whose buffers can be.

        Those of transcripts where all folders count: it is not known where the others worked.
        """
        found: list[Skipped] = []
        if self._radium is not None and self._scope.workspace is not None:
            found += query.problems(db, RADIUM, str(self._radium.folders[0]))
            found += query.duplicates(db, self._scope.workspace)
        if self._scope.folders is None:
            for agent in self._agents:
                folders = self._scope.named[agent.name]
                found += [one for one in query.problems(db, agent.name) if one.path in folders]
        return [skipped for skipped in found if skipped.path not in self.edited]

    def _edited(self, db: sqlite3.Connection) -> dict[int, Entry]:
        """What open buffers hold in place of their files, by the files' numbers."""
        numbers = {path: query.file_number(db, RADIUM, path) for path in self.edited}
        return {number: self.edited[path] for path, number in numbers.items() if number is not None}

    def _merged(self, entry: Entry, children: Children) -> Entry:
        """A tracked session with those of other agents that are part of it."""
        found, missing = children.of(entry)
        parts = list(map(self._with_own_prices, found))
        packed = snapshot.pack(transcript.merged(entry.session, parts, missing)).packed
        return msgspec.structs.replace(entry, packed=packed)

    def _repriced(self, entry: Entry) -> Entry:
        """A session of another agent with the user's own prices."""
        if not self._prices or entry.source == RADIUM:
            return entry
        found = entry.session
        session = self._with_own_prices(found)
        if session is found:
            return entry
        return msgspec.structs.replace(entry, packed=snapshot.pack(session).packed)

    def _with_own_prices(self, session: Session) -> Session:
        if not any(usage.name.lower() in self._prices for usage in session.models):
            return session
        return transcript.repriced(session, self._own_prices)


def counter(progress: Callable[[int], None] | None) -> Callable[[], None]:
    """What tells `progress` the number of files read so far; it is called for each."""
    read = 0

    def count() -> None:
        nonlocal read
        read += 1
        if progress:
            progress(read)

    return count
