"""Keeps the sessions of one or more sources fresh: a refresh reads only what changed."""

from __future__ import annotations

import os
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


class Store:
    """The sessions of `sources`, and those of other `agents`, as of the last `refresh`.

    `reports` remembers what the files of the sources held, `edited` what open buffers hold. The
    methods must not run at the same
    time; the snapshots that they return may be used anywhere.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        agents: Agents | None = None,
        reports: Reports | None = None,
        edited: dict[str, Entry | Problem] | None = None,
    ) -> None:
        self.sources = tuple(sources)
        self.agents = agents
        self.snapshot = Snapshot()
        self._reports = reports
        self._found: list[_Found] | None = None
        self._owners: dict[Child, str] = {}
        self.edited = {} if edited is None else edited

    def refresh(
        self, paths: Collection[str] | None = None, progress: Callable[[int], None] | None = None
    ) -> Snapshot:
        """Read what changed, and return the new snapshot; the same one when nothing did.

        Looks at every file, or only at `paths`. `progress` is told the number of files read so
        far. A folder that can't be read is a skipped file of its own.
        """
        changed = self._look(paths, progress)
        if changed:
            self._owners = self._found_owners()
        if self.agents is not None:
            changed |= self.agents.refresh(self._owners, paths, progress)
        if changed:
            self._assemble()
        return self.snapshot

    def _look(self, paths: Collection[str] | None, progress: Callable[[int], None] | None) -> bool:
        """Read what changed in the sources' own files; whether that was anything."""
        changed = self._found is None
        if self._found is None:
            load = self._reports.load if self._reports else _nothing
            self._found = [load(str(source.folder)) for source in self.sources]
        read = 0
        for number, source in enumerate(self.sources):
            before = self._found[number]
            found: _Found = {} if paths is None else dict(before)
            faults: list[Problem] = []
            for path in _listed(source, faults) if paths is None else _within(source, paths):
                name = path.rpartition(os.sep)[2]
                known = before.get(name)
                if known is None or known.fingerprint != source.fingerprint(path):
                    known = _read(source, path)
                    changed = True
                    read += 1
                    if progress:
                        progress(read)
                if known is None:
                    found.pop(name, None)
                else:
                    found[name] = known
            for problem in faults:
                found[""] = Fault(0, problem)
                changed |= before.get("") != found[""]
            changed |= len(found) != len(before)
            self._found[number] = found
            self._remember(source, before, found)
        return changed

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
        self._owners = self._found_owners()
        if self.agents is not None:
            self.agents.recall(self._owners)
        self._assemble()
        return self.snapshot

    def _assemble(self) -> None:
        self.snapshot = snapshot.assemble(self._items())

    def _remember(self, source: Source, before: _Found, found: _Found) -> None:
        """Keep what was read anew for the next process."""
        if self._reports is None:
            return
        changed = {
            name: item for name, item in found.items() if name and item is not before.get(name)
        }
        removed = before.keys() - found.keys() - {""}
        if changed or removed:
            self._reports.save(str(source.folder), changed, removed)

    def _items(self) -> Iterator[tuple[str, Entry | Problem]]:
        for path, item in self._own_items():
            if self.agents is not None and isinstance(item, Entry) and item.children:
                yield path, self._with_children(item, self.agents)
            else:
                yield path, item
        if self.agents is not None:
            for path, item in self.agents.items():
                if not (isinstance(item, Entry) and Child(item.source, item.id) in self._owners):
                    yield path, item

    def _own_items(self) -> Iterator[tuple[str, Entry | Problem]]:
        """What the files of the sources hold, or the buffers that are open instead."""
        for source, found in zip(self.sources, self._found or (), strict=False):
            folder = str(source.folder)
            for name, known in found.items():
                path = f"{folder}{os.sep}{name}" if name else folder
                yield path, self.edited.get(path, _item(known))

    def _found_owners(self) -> dict[Child, str]:
        """Which tracked session a session of another agent counts with.

        It may have gone on while several were tracked; it counts with that which ended first.
        """
        tracked = [
            item for _, item in self._own_items() if isinstance(item, Entry) and item.children
        ]
        tracked.sort(key=lambda entry: (entry.last_activity, entry.id))
        owners: dict[Child, str] = {}
        for entry in tracked:
            for child in entry.children:
                owners.setdefault(child, entry.id)
        return owners

    def _with_children(self, entry: Entry, agents: Agents) -> Entry:
        """A tracked session with the sessions that ran as part of it."""
        mine = [child for child in entry.children if self._owners.get(child) == entry.id]
        found = [session for child in mine if (session := agents.child(child))]
        return snapshot.pack(transcript.merged(entry.session, found), entry.fingerprint)


def _nothing(_folder: str) -> _Found:
    return {}


def _item(known: Entry | Fault) -> Entry | Problem:
    return known if isinstance(known, Entry) else known.problem


def _listed(source: Source, faults: list[Problem]) -> Iterator[str]:
    """The files of a source; what keeps them from being listed is added to `faults`."""
    try:
        yield from source.paths()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        faults.append(Problem(problems.UNREADABLE, f"The folder can't be read: {reason}"))


def _within(source: Source, paths: Collection[str]) -> list[str]:
    folder = str(source.folder)
    return [path for path in paths if path.rpartition(os.sep)[0] == folder]


def _read(source: Source, path: str) -> Entry | Fault | None:
    reading = source.read(path)
    if reading is None:
        return None
    content = reading.content
    if isinstance(content, Session):
        return snapshot.pack(content, reading.fingerprint)
    return Fault(reading.fingerprint, content)
