"""The index of transcripts: what could not be read, what it must forget, and making it new."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from rad_lsp.core.errors import IndexNotWritable
from rad_lsp.sources import NAMES
from rad_lsp.store import query
from rad_lsp.store.store import Store, counter
from rad_lsp.store.workspace import spellings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from rad_lsp.service import Machine
    from rad_lsp.store.query import Named


class Unreadable(msgspec.Struct, frozen=True):
    """A transcript, or so many `lines` of one, that can't be read, and why.

    `lines` is 0 for a whole transcript.
    """

    path: str
    reason: str
    lines: int = 0
    first_line: int = 0


def unreadable(machine: Machine) -> list[Unreadable]:
    """The transcripts that can't be read, then those of which lines can't be read.

    The latter have the number of such lines, and the first of them, counted from 1.
    """

    def look() -> list[Unreadable]:
        machine.update(machine.agents())
        named = machine.named()
        with machine.reading() as db:
            problems = [one for name in named for one in query.problems(db, name)]
            skipped = query.skipped_lines(db)
        found = [Unreadable(one.path, one.problem.reason) for one in problems]
        for path, lines, first in skipped:
            line, reason = (first[0].line, first[0].reason) if first else (0, "")
            found.append(Unreadable(path, reason, lines, line))
        return [one for one in found if any(one.path in folders for folders in named.values())]

    return machine.guarded(look)


class Forgotten(msgspec.Struct, frozen=True):
    """So many sessions of a source that worked in a folder, which is empty where none is known."""

    source: str
    folder: str
    sessions: int


def found_by_id(machine: Machine, workspace: Path, references: Sequence[str]) -> list[Named]:
    """The sessions of all agents, and of the workspace's reports, that some references name.

    Raises NoSessions, SessionNotFound, SessionAmbiguous.
    """
    snapshot = Store(machine, workspace, everywhere=True).refresh()

    def look(reference: str) -> list[Named]:
        # One that is part of a tracked session is listed only there, and found by its whole id.
        with machine.reading() as db:
            found = query.named_sessions(db, NAMES, session_id=reference)
            if not found:
                session = snapshot.resolve(reference)
                found = query.named_sessions(db, [session.source], session_id=session.id)
            return found

    found = [one for name in references for one in machine.guarded(partial(look, name))]
    return list(dict.fromkeys(found))


def found_within(
    machine: Machine, workspace: Path, sources: Collection[str], folders: Iterable[Path] | None
) -> list[Named]:
    """All sessions of some sources that worked in some folders or below them, or anywhere.

    Reports are those of the workspace, and those of others that the index has.
    """
    Store(machine, workspace, everywhere=True).update()
    within = None if folders is None else spellings(folders)

    def look() -> list[Named]:
        with machine.reading() as db:
            return query.named_sessions(db, sources, within)

    return machine.guarded(look)


def by_folder(sessions: Iterable[Named]) -> list[Forgotten]:
    """How many there are of each source in each folder."""
    counts = Counter((one.source, one.folder) for one in sessions)
    return [Forgotten(*place, count) for place, count in sorted(counts.items())]


def forget(machine: Machine, sessions: Collection[Named]) -> str:
    """Keep nothing of some sessions, and never read them again until the index is rebuilt.

    Returns why what was deleted may still be in free space of the index, else nothing. Raises
    IndexNotWritable.
    """
    _check_kept(machine)
    machine.forget(sessions)
    _check_kept(machine)
    return machine.index.scrub()


def forgotten(machine: Machine) -> int:
    """How many sessions the user had forgotten."""

    def look() -> int:
        with machine.reading() as db:
            return query.forgotten(db)

    return machine.guarded(look)


def rebuild(machine: Machine, progress: Callable[[int], None] | None = None) -> int:
    """Read all transcripts anew; returns the number of sessions.

    Sessions whose transcript is gone stay, and those that were forgotten come back. `progress` is
    told the number of files read so far. Raises IndexNotWritable.
    """
    machine.rebuild()
    _check_kept(machine)
    named = machine.named()
    scope = query.Scope(frozenset(named), named=named)

    def update() -> int:
        machine.update(machine.agents(), count=counter(progress))
        return query.counts(machine.index.connection, scope).total()

    sessions = machine.guarded(update)
    _check_kept(machine)
    return sessions


def _check_kept(machine: Machine) -> None:
    """What is only in memory, no other command will find. Raises IndexNotWritable."""
    if machine.index.in_memory:
        raise IndexNotWritable(machine.index.trouble)
