"""The index of transcripts: what state it is in, what could not be read, and making it new."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rad_lsp.service.sessions import Machine


class State(msgspec.Struct, frozen=True):
    """The index on disk: where it is, its bytes, and `ok` or what SQLite finds wrong with it."""

    path: Path | None
    size: int
    health: str


class Unreadable(msgspec.Struct, frozen=True):
    """A transcript, or so many `lines` of one, that can't be read, and why.

    `lines` is 0 for a whole transcript.
    """

    path: str
    reason: str
    lines: int = 0
    first_line: int = 0


def state(machine: Machine) -> State:
    """The state of the index. Only for an index that is kept on disk."""
    database = machine.database
    return State(database.path, database.size, database.health())


def folders(machine: Machine) -> dict[str, tuple[Path, ...]]:
    """Where each agent keeps its transcripts, by the source's name. They need not exist."""
    return {agent.name: agent.folders for agent in machine.agents()}


def unreadable(machine: Machine) -> Iterator[Unreadable]:
    """The transcripts that can't be read, then those of which lines can't be read.

    The latter have the number of such lines, and the first of them, counted from 1.
    """
    for path, problem in machine.index.problems(folders(machine)):
        yield Unreadable(path, problem.reason)
    for path, lines, first in machine.index.skipped_lines():
        line, reason = (first[0].line, first[0].reason) if first else (0, "")
        yield Unreadable(path, reason, lines, line)


def rebuild(machine: Machine, progress: Callable[[int], None] | None = None) -> int:
    """Read all transcripts anew; returns the number of sessions.

    Sessions whose transcript is gone stay. `progress` is told the number of files read so far.
    """
    machine.index.rebuild()
    machine.index.update(machine.agents(), progress=progress)
    return len(machine.index.entries(folders(machine), None))
