"""All sessions of a workspace at one moment; never changes once made."""

from __future__ import annotations

import os
import re
import sys
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from rad_lsp.core import decoders, figures, problems
from rad_lsp.core.errors import NoSessions, SessionAmbiguous, SessionNotFound
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Bill, Child, Gist, Session
from rad_lsp.core.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rad_lsp.core.period import Period

_LATEST = r"(?a)latest(?:~(\d{1,9}))?"
_CANDIDATES = 5
_SEARCHED = 2_000
"""Ids compared with one that is unknown; more would make the error slow."""


class Entry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A session, packed: a hundred thousand of them fit into 60 MB.

    `folder` and `name` are its file's; the folder's text is shared by all entries. The
    `fingerprint` changes when the file does. `last` is the last activity, in microseconds since
    the epoch.
    """

    id: str
    last: int
    folder: str
    name: str
    packed: bytes
    fingerprint: int = 0
    source: str = "radium"
    children: tuple[Child, ...] = ()

    @property
    def last_activity(self) -> datetime:
        """When the session was last active."""
        return _EPOCH + timedelta(microseconds=self.last)

    @property
    def path(self) -> str:
        """The file that the session was read from."""
        return self.folder + os.sep + self.name

    @property
    def session(self) -> Session:
        """The session itself."""
        session = (_SESSION_JSON if self._is_json else _SESSION).decode(self.packed)
        _set_path(session, self.path)
        return session

    @property
    def gist(self) -> Gist:
        """What is asked of every session at once, four times as fast as the whole session."""
        return (_GIST_JSON if self._is_json else _GIST).decode(self.packed)

    @property
    def bill(self) -> Bill:
        """What is asked of the sessions of a day."""
        return (_BILL_JSON if self._is_json else _BILL).decode(self.packed)

    @property
    def _is_json(self) -> bool:
        return self.packed[:1] == b"["


class Fault(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What keeps a file from being read; the `fingerprint` changes when the file does."""

    fingerprint: int
    problem: Problem


class Skipped(msgspec.Struct, frozen=True, gc=False):
    """A file whose session does not count, and why."""

    path: str
    problem: Problem


class Snapshot(msgspec.Struct, frozen=True):
    """Sessions newest last activity first, ties by id; the same by id; and the skipped files."""

    entries: tuple[Entry, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    by_id: dict[str, Entry] = {}

    def sessions(self) -> Iterator[Session]:
        """Every session, newest first."""
        return (entry.session for entry in self.entries)

    def within(self, period: Period) -> tuple[Entry, ...]:
        """The entries whose last activity lies in a period, newest first."""
        return self.entries[self._older_than(period.until) or 0 : self._older_than(period.since)]

    def _older_than(self, moment: datetime | None) -> int | None:
        """The index of the first entry whose last activity lies before a moment."""
        if moment is None:
            return None
        last = _microseconds(moment)
        return bisect_left(self.entries, True, key=lambda entry: entry.last < last)  # noqa: FBT003

    def latest(self) -> Session:
        """The session with the newest last activity. Raises NoSessions."""
        if not self.entries:
            raise NoSessions
        return self.entries[0].session

    def previous(self, session_id: str) -> str | None:
        """The id of the session before one, or None when there is none."""
        return next(
            (older.id for newer, older in pairwise(self.entries) if newer.id == session_id), None
        )

    def resolve(self, reference: str) -> Session:
        """The session that an id, a unique prefix, `latest` or `latest~N` names.

        An exact id wins. Raises NoSessions, SessionNotFound, SessionAmbiguous.
        """
        if not self.entries:
            raise NoSessions
        exact = self.by_id.get(reference)
        if exact is not None:
            return exact.session
        if match := re.fullmatch(_LATEST, reference):
            back = int(match[1] or 0)
            if back < len(self.entries):
                return self.entries[back].session
            raise SessionNotFound(reference, [])
        prefix = reference.removesuffix("...")
        begun = [entry for entry in self.entries if prefix and entry.id.startswith(prefix)]
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


def warned(snapshot: Snapshot) -> Iterator[tuple[Entry, tuple[Problem, ...]]]:
    """The entries that have warnings, with them."""
    for entry in snapshot.entries:
        if problems_of := entry.gist.problems:
            yield entry, problems_of


def pack(session: Session, fingerprint: int = 0) -> Entry:
    """A session as it is kept in a snapshot."""
    path = session.path
    folder, _, name = path.rpartition(os.sep)
    _set_path(session, "")  # for the time of packing: a copy would cost too much
    try:
        packed = _to_msgpack(session)
    except OverflowError:  # a duration of over 584 years: more nanoseconds than msgpack can hold
        packed = _to_json(session)
    finally:
        _set_path(session, path)
    return Entry(
        session.id,
        _microseconds(figures.last_activity(session)),
        sys.intern(folder),
        name,
        packed,
        fingerprint,
        session.source,
        session.children,
    )


def assemble(found: Sequence[Entry], faults: Iterable[tuple[str, Problem]] = ()) -> Snapshot:
    """The snapshot of what was found in each file, and of the files that can't be read.

    Of several files with one id the newest `generated_at` counts (of equal ones the first path);
    the others are skipped as its duplicates.
    """
    entries = {entry.id: entry for entry in found}
    skipped = [Skipped(path, problem) for path, problem in faults]
    if len(entries) < len(found):
        for entry in found:
            other = entries[entry.id]
            if _counts_before(entry, other):
                entries[entry.id] = entry
        losers = [entry for entry in found if entries[entry.id] is not entry]
        skipped += [Skipped(loser.path, _duplicate(entries[loser.id])) for loser in losers]
    skipped.sort(key=lambda item: item.path)
    return Snapshot(_ordered(entries.values()), tuple(skipped), entries)


def _ordered(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Newest last activity first, ties by id, of which there are few."""
    ordered = sorted(entries, key=_last, reverse=True)
    if len(set(map(_last, ordered))) < len(ordered):
        ordered.sort(key=_id)
        ordered.sort(key=_last, reverse=True)
    return tuple(ordered)


def _counts_before(one: Entry, other: Entry) -> bool:
    mine, theirs = one.session.generated_at, other.session.generated_at
    return mine > theirs or (mine == theirs and one.path < other.path)


def _duplicate(winner: Entry) -> Problem:
    return Problem(problems.DUPLICATE, f"It is a duplicate of {printable(winner.name)}", "warning")


def _set_path(session: Session, path: str) -> None:
    msgspec.structs.force_setattr(session, "path", path)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_id = attrgetter("id")
_last = attrgetter("last")


def _ids(entries: Iterable[Entry]) -> list[str]:
    return [entry.id for entry in entries]


_to_msgpack = msgspec.msgpack.Encoder().encode
_to_json = msgspec.json.Encoder().encode
_SESSION = decoders.msgpack(Session)
_SESSION_JSON = decoders.json(Session)
_GIST = decoders.msgpack(Gist)
_GIST_JSON = decoders.json(Gist)
_BILL = decoders.msgpack(Bill)
_BILL_JSON = decoders.json(Bill)
