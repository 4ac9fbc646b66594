"""The sessions of other agents in a workspace, out of the index of all of this user's."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING

import msgspec

from rad_lsp import sources
from rad_lsp.core import transcript
from rad_lsp.core.session import Child
from rad_lsp.pricing import Prices, list_key
from rad_lsp.sources.radium import Radium
from rad_lsp.store import snapshot
from rad_lsp.store.database import FILE, Database
from rad_lsp.store.index import Index
from rad_lsp.store.reports import Reports
from rad_lsp.store.store import Store
from rad_lsp.store.workspace import folders_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from rad_lsp.core.price import Override
    from rad_lsp.core.problems import Problem
    from rad_lsp.core.session import Session
    from rad_lsp.sources import Transcripts
    from rad_lsp.store.index import Recent
    from rad_lsp.store.snapshot import Entry


class Machine:
    """What all workspaces of this user share: the agents' transcripts, and the index of them.

    `data` is the folder for the index; None keeps it in memory.
    """

    def __init__(self, environ: Mapping[str, str], home: Path, data: Path | None) -> None:
        self._environ = environ
        self._home = home
        self._agents: dict[str, Transcripts] = {}
        self.database = Database(data and data / FILE)
        self.index = Index(self.database, Prices(), list_key())

    def agents(self, names: Collection[str] | None = None) -> list[Transcripts]:
        """The named agents' transcripts, or those of all."""
        return [self._agent(name) for name in sources.AGENTS if names is None or name in names]

    def store(
        self,
        workspace: Path,
        names: Collection[str] | None,
        overrides: Mapping[str, Override],
        *,
        everywhere: bool = False,
        recent: Recent | None = None,
    ) -> Store:
        """The sessions of a workspace from the named sources, or from all.

        `everywhere` adds the other agents' sessions of all folders. Where only `recent` ones are
        asked for, most of the other agents' sessions are left out.
        """
        reports = [Radium(workspace)] if names is None or sources.RADIUM in names else []
        folders = None if everywhere else folders_of(workspace)
        agents = Agents(self, names, folders, overrides, recent)
        return Store(reports, agents, Reports(self.database))

    def active_since(self, folder: Path, moment: datetime) -> list[Child]:
        """The other agents' sessions that worked in a folder or below it at or after a moment.

        Reads what is new in their transcripts first.
        """
        agents = self.agents()
        names = {source.name for source in agents}
        folders = _spellings([folder])
        entries = self.index.updated(agents, lambda: self.index.entries(names, folders))
        return [Child(entry.source, entry.id) for entry in entries if entry.last_activity >= moment]

    def _agent(self, name: str) -> Transcripts:
        if name not in self._agents:
            self._agents[name] = sources.agent(name, self._environ, self._home)
        return self._agents[name]


class Agents:
    """The sessions of some agents that worked in some folders; everywhere when that is None.

    All of them, or `recent` ones.
    `entries` are the sessions, `problems` what keeps transcripts from being read, by path.
    """

    def __init__(
        self,
        machine: Machine,
        names: Collection[str] | None,
        folders: Sequence[Path] | None,
        overrides: Mapping[str, Override] | None = None,
        recent: Recent | None = None,
    ) -> None:
        self.machine = machine
        self._recent = recent
        self.transcripts = machine.agents(names)
        self._folders = None if folders is None else _spellings(folders)
        self._overrides = overrides or {}
        self.entries: list[Entry] = []
        self.problems: list[tuple[str, Problem]] = []
        self._children: dict[Child, Entry] = {}
        self._seen: object = None

    def refresh(
        self,
        children: Collection[Child],
        paths: Collection[str] | None,
        progress: Callable[[int], None] | None,
    ) -> bool:
        """Read what is new; whether that, or another process, changed any session.

        The `children` are wanted as well, wherever they worked and whoever their agents are.
        """
        names = {source.name for source in self.transcripts}
        others = self.machine.agents({child.source for child in children} - names)
        transcripts = [*self.transcripts, *others]
        index = self.machine.index
        return index.updated(transcripts, lambda: self._recall(children), paths, progress)

    def recall(self, children: Collection[Child]) -> bool:
        """Take what the index has, if it can be read; whether that changed any session."""
        with contextlib.suppress(sqlite3.DatabaseError):
            return self._recall(children)
        return False

    def _recall(self, children: Collection[Child]) -> bool:
        index = self.machine.index
        seen = (index.version(), frozenset(children))
        if seen == self._seen:
            return False
        names = {source.name for source in self.transcripts}
        entries = [
            self._repriced(entry) for entry in index.entries(names, self._folders, self._recent)
        ]
        found = {child: entry for child in children if (entry := index.entry(child))}
        parts = {child: self._repriced(entry) for child, entry in found.items()}
        problems = index.problems(names) if self._folders is None else []
        changed = (entries, parts, problems) != (self.entries, self._children, self.problems)
        self.entries, self._children, self.problems = entries, parts, problems
        self._seen = seen
        return changed

    def child(self, child: Child) -> Session | None:
        """One of the children that were wanted last; None when it is not known."""
        entry = self._children.get(child)
        return None if entry is None else entry.session

    def _repriced(self, entry: Entry) -> Entry:
        if not self._overrides:
            return entry
        session = entry.session
        if not any(usage.name.lower() in self._overrides for usage in session.models):
            return entry
        priced = transcript.repriced(session, Prices(self._overrides))
        return msgspec.structs.replace(entry, packed=snapshot.pack(priced).packed)


def _spellings(folders: Sequence[Path]) -> list[str]:
    """How transcripts may write these folders: as they were called, and as they really are."""
    written = []
    for folder in folders:
        written += [str(folder.absolute()), os.path.realpath(folder)]
    # A name that is not Unicode is one nowhere else.
    return list(dict.fromkeys(os.fsencode(path).decode(errors="replace") for path in written))
