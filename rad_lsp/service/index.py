"""The index of transcripts: what could not be read, and making it new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from rad_lsp.core.errors import IndexNotWritable
from rad_lsp.store import query
from rad_lsp.store.store import counter

if TYPE_CHECKING:
    from collections.abc import Callable

    from rad_lsp.service import Machine


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


def rebuild(machine: Machine, progress: Callable[[int], None] | None = None) -> int:
    """Read all transcripts anew; returns the number of sessions.

    Sessions whose transcript is gone stay. `progress` is told the number of files read so far.
    Raises IndexNotWritable.
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
