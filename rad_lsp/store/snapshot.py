"""All sessions of a workspace at one moment; never changes once made."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from rad_lsp.core import figures, problems
from rad_lsp.core.errors import NoSessions, SessionAmbiguous, SessionNotFound
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LATEST = re.compile(r"latest(?:~(\d{1,9}))?", re.ASCII)
_CANDIDATES = 5
_SEARCHED = 2_000
"""Ids compared with one that is unknown; more would make the error slow."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A session, packed: a hundred thousand of them fit into 70 MB."""

    id: str
    last_activity: datetime
    generated_at: datetime
    packed: bytes

    @property
    def session(self) -> Session:
        """The session itself."""
        return _unpack(self.packed)


class Skipped(msgspec.Struct, frozen=True, gc=False):
    """A file whose session does not count, and why."""

    path: str
    problem: Problem


class Snapshot(msgspec.Struct, frozen=True):
    """Sessions newest last activity first, ties by id, and the files that were skipped."""

    entries: tuple[Entry, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    def sessions(self) -> Iterator[Session]:
        """Every session, newest first."""
        return (entry.session for entry in self.entries)

    def latest(self) -> Session:
        """The session with the newest last activity. Raises NoSessions."""
        if not self.entries:
            raise NoSessions
        return self.entries[0].session

    def resolve(self, reference: str) -> Session:
        """The session that an id, a unique prefix, `latest` or `latest~N` names.

        An exact id wins. Raises NoSessions, SessionNotFound, SessionAmbiguous.
        """
        if not self.entries:
            raise NoSessions
        prefix = reference.removesuffix("...")
        begun = []
        for entry in self.entries:
            if entry.id == reference:
                return entry.session
            if prefix and entry.id.startswith(prefix):
                begun.append(entry)
        if match := _LATEST.fullmatch(reference):
            back = int(match[1] or 0)
            if back < len(self.entries):
                return self.entries[back].session
            raise SessionNotFound(reference, [])
        if len(begun) == 1:
            return begun[0].session
        if begun:
            raise SessionAmbiguous(reference, _ids(begun[:_CANDIDATES]), len(begun))
        raise SessionNotFound(reference, self._near(prefix))

    def _near(self, reference: str) -> list[str]:
        if not reference:
            return []
        import difflib

        ids = _ids(self.entries[:_SEARCHED])
        # Long ids are mistyped in a place or two; what was typed may also be a part of one.
        short = {session_id[: max(len(reference), 4)]: session_id for session_id in reversed(ids)}
        inside = [session_id for session_id in ids if reference.lower() in session_id.lower()]
        near = [short[name] for name in difflib.get_close_matches(reference, short, _CANDIDATES)]
        return list(dict.fromkeys([*inside, *near]))[:_CANDIDATES]


def pack(session: Session) -> Entry:
    """A session as it is kept in a snapshot."""
    last_activity = figures.last_activity(session)
    return Entry(session.id, last_activity, session.generated_at, _encoder.encode(session))


def assemble(found: Iterable[tuple[str, Entry | Problem]]) -> Snapshot:
    """The snapshot of what was found in each file.

    Of several files with one id the newest `generated_at` counts (of equal ones the first path);
    the others are skipped as its duplicates.
    """
    entries: dict[str, tuple[str, Entry]] = {}
    skipped: list[Skipped] = []
    for path, item in found:
        if isinstance(item, Problem):
            skipped.append(Skipped(path, item))
            continue
        other = entries.get(item.id)
        if other is None:
            entries[item.id] = path, item
            continue
        new, old = (item.generated_at, other[0]), (other[1].generated_at, path)
        loser, winner = (other[0], path) if new > old else (path, other[0])
        if winner == path:
            entries[item.id] = path, item
        skipped.append(Skipped(loser, _duplicate(winner)))
    ordered = sorted((entry for _, entry in entries.values()), key=lambda entry: entry.id)
    ordered.sort(key=lambda entry: entry.last_activity, reverse=True)
    skipped.sort(key=lambda item: item.path)
    return Snapshot(tuple(ordered), tuple(skipped))


def _duplicate(winner: str) -> Problem:
    name = winner.replace("\\", "/").rpartition("/")[2]
    return Problem(problems.DUPLICATE, f"It is a duplicate of {name}", "warning")


def _ids(entries: Iterable[Entry]) -> list[str]:
    return [entry.id for entry in entries]


_encoder = msgspec.json.Encoder()
_unpack = msgspec.json.Decoder(Session).decode
