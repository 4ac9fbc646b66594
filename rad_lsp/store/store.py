"""Keeps the sessions of one or more sources fresh: a refresh reads only what changed."""

from __future__ import annotations

import os
import threading
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

from rad_lsp.core import problems, transcript
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Child, Session
from rad_lsp.store import snapshot
from rad_lsp.store.snapshot import Entry, Fault, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from rad_lsp.sources import Source
    from rad_lsp.store.agents import Agents
    from rad_lsp.store.reports import Reports


_Found: TypeAlias = dict[str, Entry | Fault]
"""What is known of a source's files, by name."""

_News: TypeAlias = dict[str, Entry | Fault | None]
"""What was read anew, by name; None for a file that is gone."""


class Store:
    """The sessions of `sources`, and those of other `agents`, as of the last `refresh`.

    `reports` remembers what the files of the sources held, `edited` what open buffers hold. The
    methods but `stop` must not run at the same time; the snapshots that they return may be used
    anywhere.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        agents: Agents | None = None,
        reports: Reports | None = None,
    ) -> None:
        self.sources = tuple(sources)
        self.agents = agents
        self.snapshot = Snapshot()
        self._reports = reports
        self._found: list[_Found] | None = None
        self._entries: list[Entry] = []
        self._faults: list[tuple[str, Problem]] = []
        self._owners: dict[Child, str] = {}
        self.edited: dict[str, Entry | Problem] = {}
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let a refresh that another thread is at end soon, and read no more.

        What has been read counts, and is kept for the next process.
        """
        self._stopped.set()
        if self.agents is not None:
            self.agents.machine.index.stop()

    def refresh(
        self, paths: Collection[str] | None = None, progress: Callable[[int], None] | None = None
    ) -> Snapshot:
        """Read what changed, and return the new snapshot; the same one when nothing did.

        Looks at every file, or only at `paths`. `progress` is told the number of files read so
        far. A folder that can't be read is a skipped file of its own.
        """
        changed = self._found is None
        if self._found is None:
            load = self._reports.load if self._reports else _nothing
            self._found = [load(str(source.folder)) for source in self.sources]
        count = _Counter(progress)
        for number, source in enumerate(self.sources):
            before = self._found[number]
            if paths is None:
                found, news = _scanned(source, before, count, self._stopped.is_set)
            else:
                found, news = _checked(source, before, paths, count)
            if news:
                changed = True
                self._remember(source, news)
            self._found[number] = found
        if changed:
            self._take_apart()
        if self.agents is not None:
            changed |= self.agents.refresh(self._owners, paths, progress)
        if changed:
            self._assemble()
        return self.snapshot

    def recall(self) -> Snapshot:
        """The sessions as they were known last, without a look at any file."""
        if self._reports is not None:
            self._found = [self._reports.load(str(source.folder)) for source in self.sources]
        return self._recalled()

    def edit(self, path: str, content: Session | Problem | None) -> Snapshot:
        """Let an open buffer win over the file at `path`, or no longer when `content` is None.

        While the buffer can't be read, its last good session counts, else that of the file.
        """
        if content is None:
            self.edited.pop(path, None)
        elif isinstance(content, Session):
            self.edited[path] = snapshot.pack(content)
        elif not isinstance(self.edited.get(path), Entry):
            folder, _, name = path.rpartition(os.sep)
            for source, found in zip(self.sources, self._found or (), strict=False):
                if str(source.folder) == folder:
                    known = found.get(name, Fault(0, content))
                    self.edited[path] = _item(known)
        return self._recalled()

    def _recalled(self) -> Snapshot:
        self._take_apart()
        if self.agents is not None:
            self.agents.recall(self._owners)
        self._assemble()
        return self.snapshot

    def _remember(self, source: Source, news: _News) -> None:
        """Keep what was read anew for the next process."""
        if self._reports is not None:
            changed = {name: item for name, item in news.items() if name and item is not None}
            removed = [name for name, item in news.items() if name and item is None]
            self._reports.save(str(source.folder), changed, removed)

    def _assemble(self) -> None:
        entries, faults = self._entries, self._faults
        if self.agents is not None:
            entries = self._with_agents(entries, self.agents)
            faults = faults + self.agents.problems
        self.snapshot = snapshot.assemble(entries, faults)

    def _take_apart(self) -> None:
        """Tell sessions, faults and tracked sessions apart."""
        self._entries = []
        self._faults = []
        tracked = []
        for folder, items in self._own_items():
            for name, item in items.items():
                if type(item) is Fault:
                    path = f"{folder}{os.sep}{name}" if name else folder
                    self._faults.append((path, item.problem))
                elif isinstance(item, Entry):
                    self._entries.append(item)
                    if item.children:
                        tracked.append(item)
        self._owners = _owners_among(tracked)

    def _own_items(self) -> Iterator[tuple[str, _Found]]:
        """By folder, what the files of the sources hold, or the buffers that are open instead."""
        for source, found in zip(self.sources, self._found or (), strict=False):
            folder = str(source.folder)
            yield folder, self._with_edits(folder, found) if self.edited else found

    def _with_edits(self, folder: str, found: _Found) -> _Found:
        """What open buffers hold in place of their files."""
        edited = {}
        for path, item in self.edited.items():
            place, _, name = path.rpartition(os.sep)
            if place == folder and name in found:
                edited[name] = Fault(0, item) if isinstance(item, Problem) else item
        return {**found, **edited}

    def _with_agents(self, entries: list[Entry], agents: Agents) -> list[Entry]:
        """The sessions, and those of other agents that are not part of a tracked one."""
        owners = self._owners
        if not owners:
            return entries + agents.entries
        others = [entry for entry in agents.entries if Child(entry.source, entry.id) not in owners]
        return [
            self._merged(entry, agents) if entry.children else entry for entry in entries
        ] + others

    def _merged(self, entry: Entry, agents: Agents) -> Entry:
        """A tracked session with those of other agents that are part of it."""
        mine = [child for child in entry.children if self._owners.get(child) == entry.id]
        found = [session for child in mine if (session := agents.child(child))]
        return snapshot.pack(transcript.merged(entry.session, found), entry.fingerprint)


def _owners_among(tracked: list[Entry]) -> dict[Child, str]:
    """Which tracked session a session of another agent counts with.

    It may have gone on while several were tracked; it counts with that which ended first.
    """
    owners: dict[Child, str] = {}
    for entry in sorted(tracked, key=lambda entry: (entry.last, entry.id)):
        for child in entry.children:
            owners.setdefault(child, entry.id)
    return owners


class _Counter:
    """Files read so far."""

    def __init__(self, progress: Callable[[int], None] | None) -> None:
        self._progress = progress
        self._read = 0

    def __call__(self) -> None:
        self._read += 1
        if self._progress:
            self._progress(self._read)


def _scanned(
    source: Source, before: _Found, count: Callable[[], None], stopped: Callable[[], bool]
) -> tuple[_Found, _News]:
    """What is known of all of a source's files now, and what of it is new.

    Once it is `stopped`, the files that it has not come to are what they were.
    """
    news: _News = {}
    try:
        now = source.scan()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        fault = Fault(0, Problem(problems.UNREADABLE, f"The folder can't be read: {reason}"))
        return {"": fault}, {} if before == {"": fault} else {**dict.fromkeys(before), "": fault}
    known = zip(before, map(_fingerprint, before.values()), strict=True)
    # Of a hundred thousand files most are as they were. Adding up hashes of them all is three
    # times as fast as looking each of them up, and goes wrong once in 2 ** 60 times.
    if len(now) == len(before) and sum(map(hash, now)) == sum(map(hash, known)):
        return before, news
    for name, fingerprint in now:
        known_item = before.get(name)
        if known_item is None or known_item.fingerprint != fingerprint:
            news[name] = _read(source, f"{source.folder}{os.sep}{name}")
            count()
            if stopped():
                return _with(before, news), news
    news.update(dict.fromkeys(before.keys() - dict(now)))
    return _with(before, news), news


def _checked(
    source: Source, before: _Found, paths: Collection[str], count: Callable[[], None]
) -> tuple[_Found, _News]:
    """What is known of a source's files once these were looked at, and what of it is new."""
    news: _News = {}
    for path in paths:
        folder, _, name = path.rpartition(os.sep)
        if folder != str(source.folder):
            continue
        known = before.get(name)
        if known is None or known.fingerprint != source.fingerprint(path):
            read = _read(source, path)
            count()
            if read is not None or known is not None:
                news[name] = read
    return _with(before, news), news


def _with(before: _Found, news: _News) -> _Found:
    found = {**before, **news}
    return {name: item for name, item in found.items() if item is not None}


_fingerprint = attrgetter("fingerprint")


def _nothing(_folder: str) -> _Found:
    return {}


def _item(known: Entry | Fault) -> Entry | Problem:
    return known if isinstance(known, Entry) else known.problem


def _read(source: Source, path: str) -> Entry | Fault | None:
    reading = source.read(path)
    if reading is None:
        return None
    content = reading.content
    if isinstance(content, Session):
        return snapshot.pack(content, reading.fingerprint)
    return Fault(reading.fingerprint, content)
