"""All sessions of a workspace at one moment; never changes once made."""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import takewhile
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from rad_lsp.core import figures, problems
from rad_lsp.core.errors import NoSessions, SessionAmbiguous, SessionNotFound
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Child, Session, SessionTotals
from rad_lsp.core.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rad_lsp.core.period import Period

_LATEST = r"(?a)latest(?:~(\d{1,9}))?"
_HEX = "\0"
"""What a packed path begins with that is written as hexadecimal digits; no path has it."""
T = TypeVar("T")

_CANDIDATES = 5
_SEARCHED = 2_000
"""Ids compared with one that is unknown; more would make the error slow."""


class Entry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A session, packed: a hundred thousand of them fit into 60 MB.

    `last` is the last activity, in microseconds since the epoch; `file` the index's number of the
    file that stands for it. `project` and `branch` are the session's.
    """

    id: str
    last: int
    source: str
    packed: bytes
    file: int = 0
    children: tuple[Child, ...] = ()
    project: str = ""
    branch: str = ""

    @property
    def last_activity(self) -> datetime:
        """When the session was last active."""
        return _EPOCH + timedelta(microseconds=self.last)

    @property
    def session(self) -> Session:
        """The session itself."""
        session = self._unpacked(Session)
        if session.path.startswith(_HEX):
            path = os.fsdecode(bytes.fromhex(session.path[len(_HEX) :]))
            session = msgspec.structs.replace(session, path=path)
        # A copy of each session would double the time that it takes.
        msgspec.structs.force_setattr(session, "project", self.project)
        msgspec.structs.force_setattr(session, "branch", self.branch)
        return session

    @property
    def totals(self) -> SessionTotals:
        """What sums over many sessions need, four times as fast as the whole session."""
        return self._unpacked(SessionTotals)

    def _unpacked(self, form: type[T]) -> T:
        if self.packed.startswith(b"["):
            return msgspec.json.decode(self.packed, type=form)
        return msgspec.msgpack.decode(self.packed, type=form)


def lines_of(packed: bytes) -> tuple[int, int]:
    """Lines added and removed by a packed session; what else it holds is not decoded."""
    decode = msgspec.json.decode if packed.startswith(b"[") else msgspec.msgpack.decode
    lines: Any = decode(packed, type=_lines())
    return lines.lines_added, lines.lines_removed


@cache
def _lines() -> type[msgspec.Struct]:
    """The beginning of a packed session, up to its lines."""
    names = Session.__struct_fields__[: Session.__struct_fields__.index("lines_removed") + 1]
    fields = [(name, int if name.startswith("lines_") else msgspec.Raw) for name in names]
    return msgspec.defstruct("Lines", fields, array_like=True, gc=False)


class Skipped(msgspec.Struct, frozen=True, gc=False):
    """A file whose session does not count, and why."""

    path: str
    problem: Problem


class Snapshot(msgspec.Struct, frozen=True):
    """Sessions newest last activity first, ties by id; the same by id; and the skipped files.

    Where only some sessions were asked for, `total` is how many there are of the `sources`. Of
    sessions that `by_id` has in addition, only who asks for them by name hears.
    """

    entries: tuple[Entry, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    by_id: dict[str, Entry] = {}
    total: int = 0
    sources: frozenset[str] = frozenset()

    def sessions(self) -> Iterator[Session]:
        """Every session, newest first."""
        return (entry.session for entry in self.entries)

    def within(self, period: Period) -> tuple[Entry, ...]:
        """The entries whose last activity lies in a period, newest first."""
        return self.entries[self._older_than(period.until) or 0 : self._older_than(period.since)]

    def of_project(self, project: str) -> Snapshot:
        """The sessions of a project alone; an empty one is that of sessions which name none."""
        entries = tuple(entry for entry in self.entries if entry.project == project)
        named = frozenset(entry.source for entry in entries)
        return msgspec.structs.replace(self, entries=entries, total=len(entries), sources=named)

    def _older_than(self, moment: datetime | None) -> int | None:
        """The index of the first entry whose last activity lies before a moment."""
        if moment is None:
            return None
        last = microseconds(moment)
        return bisect_left(self.entries, True, key=lambda entry: entry.last < last)  # noqa: FBT003

    def latest(self) -> Session:
        """The session with the newest last activity. Raises NoSessions."""
        if not self.entries:
            raise NoSessions
        return self.entries[0].session

    @property
    def newest(self) -> Session | None:
        """The session that a status is about; None where there is none.

        That is the most recent one. Many reports tell time in whole seconds: of sessions with the
        same last activity it is the one whose report was written last, else the first in order.
        """
        alike = takewhile(lambda entry: entry.last == self.entries[0].last, self.entries)
        return max(
            (entry.session for entry in alike), key=lambda session: session.written, default=None
        )

    def previous(self, session_id: str) -> str | None:
        """The id of the session of the same agent before one, or None when there is none."""
        entries = iter(self.entries)
        for entry in entries:
            if entry.id == session_id:
                return next((older.id for older in entries if older.source == entry.source), None)
        return None

    def resolve(self, reference: str) -> Session:
        """The session that an id, a unique prefix, `latest` or `latest~N` names.

        An exact id wins. Raises NoSessions, SessionNotFound, SessionAmbiguous.
        """
        return self.named(reference).session

    def named(self, reference: str) -> Entry:
        """The entry of the session that `resolve` returns. Raises the same."""
        exact = self.by_id.get(reference)
        if exact is not None:
            return exact
        if not self.entries:
            raise NoSessions
        if match := re.fullmatch(_LATEST, reference):
            back = int(match[1] or 0)
            if back < len(self.entries):
                return self.entries[back]
            raise SessionNotFound(reference, [])
        prefix = reference.removesuffix("...")
        begun = [entry for entry in self.entries if prefix and entry.id.startswith(prefix)]
        if len(begun) == 1:
            return begun[0]
        if begun:
            raise ambiguous(reference, begun)
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


def is_position(reference: str) -> bool:
    """Whether a reference is `latest` or `latest~N`, which tells a place among the sessions."""
    return re.fullmatch(_LATEST, reference) is not None


def ambiguous(reference: str, entries: Sequence[Entry]) -> SessionAmbiguous:
    """What is wrong with the beginning of several sessions' ids."""
    return SessionAmbiguous(reference, _ids(entries[:_CANDIDATES]), len(entries))


def warned(snapshot: Snapshot) -> Iterator[tuple[Entry, tuple[Problem, ...]]]:
    """The entries that have warnings or notes, with them."""
    for entry in snapshot.entries:
        if problems_of := entry.totals.problems:
            yield entry, problems_of


def pack(session: Session) -> Entry:
    """A session as it is kept in a snapshot."""
    if not session.path.isprintable():  # it may not be Unicode, and then can't be packed
        path = _HEX + os.fsencode(session.path).hex()
        session = msgspec.structs.replace(session, path=path)
    try:
        packed = _to_msgpack(session)
    except OverflowError:  # a duration of over 584 years: more nanoseconds than msgpack can hold
        packed = _to_json(session)
    last = microseconds(figures.last_activity(session))
    return Entry(
        session.id,
        last,
        session.source,
        packed,
        children=session.children,
        project=session.project,
        branch=session.branch,
    )


def assemble(
    found: Sequence[Entry], skipped: Iterable[Skipped] = (), unlisted: Counter[str] | None = None
) -> Snapshot:
    """The snapshot of these sessions, and of the files that can't be read.

    Of several sessions with one id the newest `generated_at` counts (of equal ones the first
    path); the others are skipped as its duplicates. `unlisted` sessions were not asked for, by
    source.
    """
    entries = {entry.id: entry for entry in found}
    skipped = list(skipped)
    if len(entries) < len(found):
        for entry in found:
            other = entries[entry.id]
            if _counts_before(entry.session, other.session):
                entries[entry.id] = entry
        losers = [entry for entry in found if entries[entry.id] is not entry]
        skipped += [duplicate(one.session.path, entries[one.id].session.path) for one in losers]
    counts = Counter(entry.source for entry in entries.values()) + (unlisted or Counter())
    return Snapshot(
        ordered(entries.values()), _by_path(skipped), entries, counts.total(), frozenset(counts)
    )


def followed(
    before: Snapshot,
    names: Iterable[tuple[str, str]],
    found: Iterable[Entry],
    skipped: Iterable[Skipped],
) -> Snapshot | None:
    """The snapshot after one in which each session has an id of its own.

    The sessions with these sources and ids are as they were `found`, or gone. None where two have
    one id now.
    """
    entries, by_id = list(before.entries), dict(before.by_id)
    for source, session_id in names:
        old = by_id.get(session_id)
        if old is not None and old.source == source:
            del entries[_place(entries, old)]
            del by_id[session_id]
    for entry in found:
        if entry.id in by_id:
            return None
        entries.insert(_place(entries, entry), entry)
        by_id[entry.id] = entry
    sources = frozenset(map(_source, entries))
    return Snapshot(tuple(entries), _by_path(skipped), by_id, len(entries), sources)


def ordered(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Newest last activity first, ties by id, of which there are few."""
    listed = sorted(entries, key=_last, reverse=True)
    if len(set(map(_last, listed))) < len(listed):
        listed.sort(key=_id)
        listed.sort(key=_last, reverse=True)
    return tuple(listed)


def without_future(entries: list[Entry], now: datetime) -> list[Entry]:
    """The entries, none of them last active in the future.

    One that says so would be the latest for ever. It counts as last active at the latest of its
    other times, with a warning. Where all of them say so, it is our clock that is wrong.
    """
    limit = latest_possible(now)
    future = [number for number, entry in enumerate(entries) if entry.last > limit]
    if len(future) < len(entries):
        for number in future:
            entries[number] = _before(entries[number], now + figures.CLOCK_SKEW)
    return entries


def is_dated_back(entry: Entry) -> bool:
    """Whether `without_future` has changed when it was last active."""
    return any(problem.code == problems.IN_FUTURE for problem in entry.totals.problems)


def first_future(entries: Iterable[Entry], now: datetime) -> int:
    """The latest last activity that is possible when `without_future` gives something else."""
    latest = latest_possible(now)
    times = [
        microseconds(time)
        for session in [entry.session for entry in entries if entry.last > latest]
        for time in (session.start_time, session.generated_at, session.end_time)
        if time is not None
    ]
    return min([time for time in times if time > latest], default=_NEVER)


def latest_possible(now: datetime) -> int:
    """The latest last activity that is taken for true, in microseconds since the epoch."""
    return microseconds(now + figures.CLOCK_SKEW)


def duplicate(path: str, other: str) -> Skipped:
    """A file that does not count because another one has its session."""
    name = printable(other.rpartition(os.sep)[2])
    return Skipped(path, Problem(problems.DUPLICATE, f"It is a duplicate of {name}", "warning"))


def microseconds(moment: datetime) -> int:
    """A time in microseconds since the epoch."""
    return (moment - _EPOCH) // _MICROSECOND


def _before(entry: Entry, limit: datetime) -> Entry:
    session = entry.session
    path = ("generated_at",) if session.end_time is None else ("metrics", "end_time")
    said = f"It was last active in the future: {figures.last_activity(session):%Y-%m-%d}"
    warning = Problem(problems.IN_FUTURE, said, "warning", path)
    packed = pack(msgspec.structs.replace(session, problems=(*session.problems, warning))).packed
    last = microseconds(figures.last_before(session, limit) or _EPOCH)
    return msgspec.structs.replace(entry, last=last, packed=packed)


def _place(entries: Sequence[Entry], entry: Entry) -> int:
    """Where an entry is, or is to be, among some that are ordered."""
    return bisect_left(entries, _rank(entry), key=_rank)


def _rank(entry: Entry) -> tuple[int, str]:
    return -entry.last, entry.id


def _by_path(skipped: Iterable[Skipped]) -> tuple[Skipped, ...]:
    return tuple(sorted(skipped, key=attrgetter("path")))


def _counts_before(one: Session, other: Session) -> bool:
    mine, theirs = one.generated_at, other.generated_at
    return mine > theirs or (mine == theirs and one.path < other.path)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NEVER = 2**63 - 1
_id = attrgetter("id")
_source = attrgetter("source")
_last = attrgetter("last")


def _ids(entries: Iterable[Entry]) -> list[str]:
    return [entry.id for entry in entries]


_to_msgpack = msgspec.msgpack.Encoder().encode
_to_json = msgspec.json.Encoder().encode
