"""What the index has of some sessions: those of agents in some folders, and reports."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rad_lsp.core import transcript
from rad_lsp.core.paths import folder_key
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Child
from rad_lsp.sources import RADIUM
from rad_lsp.sources import Skipped as SkippedLine
from rad_lsp.store import named, seals
from rad_lsp.store.index import Damaged, decoded, from_column, to_column
from rad_lsp.store.named import Folders
from rad_lsp.store.names import Texts
from rad_lsp.store.sessions import FORGOTTEN
from rad_lsp.store.snapshot import Entry, Skipped, duplicate
from rad_lsp.store.timeline import Window, window

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator

    from rad_lsp.core.session import Session


_LONG_AGO: Final = -(2**63)
_NEVER: Final = 2**63 - 1
"""Microseconds since the epoch."""


class Selection(msgspec.Struct, frozen=True, gc=False):
    """Which sessions a question needs; there may be others among them.

    Those active from one moment up to another (microseconds since the epoch), the `newest` ones,
    and that with an id. The others are counted where they are to be `counted`.
    """

    since: int
    until: int = 2**62
    newest: int = 1
    session_id: str = ""
    counted: bool = True


class Scope(msgspec.Struct, frozen=True, gc=False):
    """Which sessions count: those of some agents that worked in some folders or below them.

    All folders when that is None. Of agents that only keep a hash of the folder's path those
    count that worked in the folder itself. `workspace` is the folder whose reports count, if any.
    Of an agent in `named` those count whose transcripts lie in a folder that is named now.
    """

    agents: frozenset[str]
    folders: tuple[str, ...] | None = None
    workspace: str | None = None
    named: Mapping[str, Folders] = {}


class Known(msgspec.Struct, frozen=True, gc=False):
    """A session of another agent: its number, and when it was first and last active.

    The number is None where nothing is known of it. Times are in milliseconds since the epoch.
    """

    child: Child
    number: int | None = None
    first: int = 0
    last: int = 0


class Tracked(msgspec.Struct, frozen=True, gc=False):
    """When a session was tracked, and the other agents' sessions that are part of it."""

    window: Window
    children: tuple[Known, ...]


class Named(msgspec.Struct, frozen=True, gc=False):
    """A session as others know it, by its id and the folder that it worked in."""

    source: str
    session_id: str
    folder: str


def named_sessions(
    db: sqlite3.Connection,
    sources: Collection[str],
    folders: Collection[str] | None = None,
    session_id: str | None = None,
) -> list[Named]:
    """The sessions of some sources that worked in some folders or below, and have an id.

    All that the index has: those of folders that are no longer named, too.
    """
    where = f"source IN ({','.join('?' * len(sources))}) AND last <> 0"
    values = list(sources)
    if folders is not None:
        within, ends = _within(db, folders)
        where += f" AND ({within})"
        values += ends
    if session_id is not None:
        where += " AND session_id = ?"
        values.append(session_id)
    rows = db.execute(
        f"SELECT DISTINCT source, session_id, text FROM session JOIN name ON name.id = cwd "
        f"WHERE {where} ORDER BY source, text, session_id",
        values,
    )
    return [Named(*row) for row in rows]


def numbers(db: sqlite3.Connection, named: Collection[Named]) -> list[int]:
    """The numbers of these sessions; reports may have several with one id."""
    return [
        number
        for one in named
        for (number,) in db.execute(_NUMBERS, msgspec.structs.astuple(one)).fetchall()
    ]


def forgotten(db: sqlite3.Connection) -> int:
    """How many sessions were forgotten."""
    query = f"SELECT count(*) FROM session INDEXED BY session_cwd WHERE {FORGOTTEN}"
    return int(db.execute(query).fetchone()[0])


def entries(
    db: sqlite3.Connection, scope: Scope, selection: Selection | None, latest: int = _NEVER
) -> list[Entry]:
    """The sessions of a scope, or the selected ones. Raises Damaged.

    Those with a last activity after `latest` are none of the newest ones, and come in addition. One
    of which all times are later is only found by its id: it counts as older than all others.
    """
    found: list[Entry] = []
    for condition, values in conditions(db, scope):
        if selection is None:
            found += _all(db, condition, values)
            continue
        row = db.execute(
            f"SELECT last FROM session WHERE {condition} AND last <= ? "
            "ORDER BY last DESC LIMIT 1 OFFSET ?",
            (*values, latest, max(selection.newest, 1) - 1),
        ).fetchone()
        newest, latest_first = (row[0], latest) if row else (_LONG_AGO, _NEVER)
        since = min(selection.since, newest)
        touched = "last >= ? AND (last >= ? OR first < ?) AND first <= ?"
        ends = (since, newest, selection.until, latest_first)
        found += _all(db, f"{condition} AND {touched}", (*values, *ends))
        if selection.session_id:
            named = f"{condition} AND session_id = ? AND NOT ({touched})"
            found += _entries(db, named, (*values, selection.session_id, *ends))
    return found


def entries_of(
    db: sqlite3.Connection, scope: Scope, names: Iterable[tuple[str, str]]
) -> Iterator[Entry]:
    """Those of a scope's sessions that have one of these sources and ids. Raises Damaged."""
    for condition, values in conditions(db, scope):
        for name in names:
            yield from _entries(db, f"{condition} AND {_NAMED}", (*values, *name))


def counts(db: sqlite3.Connection, scope: Scope, left_out: Collection[int] = ()) -> Counter[str]:
    """The number of sessions of a scope by source, without those with some numbers."""
    found: Counter[str] = Counter()
    others = f"id NOT IN ({','.join(map(str, left_out))})"
    for condition, values in conditions(db, scope):
        query = f"SELECT source, count(*) FROM session WHERE {condition} AND {others} GROUP BY 1"
        found.update(dict(db.execute(query, values).fetchall()))
    return found


def entry(db: sqlite3.Connection, child: Child) -> Entry | None:
    """One session of another agent; None when it is not known. Raises Damaged."""
    where = "source = ? AND session_id = ? AND last <> 0"
    return next(_entries(db, where, msgspec.structs.astuple(child)), None)


def tracked(
    db: sqlite3.Connection, workspace: str, left_out: Collection[int] = ()
) -> list[Tracked]:
    """The sessions of a workspace that others are part of. Raises Damaged.

    Of these, nothing is known of those with the numbers `left_out`.
    """
    found = []
    for (name, since, last, until), rows in groupby(db.execute(_TRACKED, (workspace,)), _window_of):
        times = Window(name, since // _MS, last // _MS, until)
        children = []
        for _, _, _, _, owner, check, source, session_id, *known in rows:
            if not seals.is_whole((source, session_id, owner, until, check)):
                raise Damaged("a part of a tracked session is not as it was stored")
            children.append(_known(source, session_id, *known, left_out=left_out))
        found.append(Tracked(times, tuple(children)))
    return found


def tracked_as(db: sqlite3.Connection, session: Session, left_out: Collection[int] = ()) -> Tracked:
    """The same of a session that is not as the index has it."""
    children = []
    for child in map(msgspec.structs.astuple, session.children):
        row = db.execute(_KNOWN, child).fetchone() or (None, None, None)
        children.append(_known(*child, *row, left_out=left_out))
    return Tracked(window(session), tuple(children))


def workspaces(db: sqlite3.Connection, session_id: str) -> list[str]:
    """The workspaces with a report whose id begins like this."""
    values = (RADIUM, session_id, session_id + chr(sys.maxunicode))
    return [workspace for (workspace,) in db.execute(_WORKSPACES, values)]


def child_sources(db: sqlite3.Connection, workspace: str) -> set[str]:
    """The agents whose sessions are part of tracked ones of a workspace."""
    return {source for (source,) in db.execute(_CHILD_SOURCES, (workspace,))}


def problems(db: sqlite3.Connection, source: str, folder: str | None = None) -> list[Skipped]:
    """The files of a source that can't be read: all, or those in a folder and the folder itself."""
    rows = _files(db, "source = ? AND problem IS NOT NULL", source)
    found = [Skipped(path, decoded(problem, Problem)) for path, *_, problem in rows]
    _once(found).sort(key=lambda skipped: skipped.path)
    if folder is None:
        return found
    return [one for one in found if folder in {one.path, os.path.dirname(one.path)}]  # noqa: PTH120


def duplicates(db: sqlite3.Connection, workspace: str) -> list[Skipped]:
    """The reports of a workspace that do not count because another one has their id.

    Raises Damaged.
    """
    rows = db.execute(_DUPLICATES, (RADIUM, workspace)).fetchall()
    if not all(are_whole and path != other for path, other, are_whole in rows):
        raise Damaged("a report is there twice, or not as it was stored")
    return _once([duplicate(from_column(path), from_column(other)) for path, other, _ in rows])


def file_number(db: sqlite3.Connection, source: str, path: str) -> int | None:
    """The number of a file; None when it is not known."""
    query = "SELECT id FROM file WHERE source = ? AND path = ?"
    row = db.execute(query, (source, to_column(path))).fetchone()
    return row[0] if row else None


def skipped_lines(db: sqlite3.Connection) -> list[tuple[str, int, list[SkippedLine]]]:
    """Path, number of lines that could not be read, and the first few of them."""
    rows = _files(db, "skipped > 0")
    found = [(path, count, decoded(first, list[SkippedLine])) for path, count, first, _ in rows]
    return sorted(found, key=lambda row: row[0])


def conditions(
    db: sqlite3.Connection, scope: Scope
) -> Iterator[tuple[str, tuple[str | int | None, ...]]]:
    """Conditions on `session`, and their values, of which its sessions fulfil one.

    Of sessions without any activity nothing is known but their name.
    """
    if scope.workspace is not None:
        own = "+source = ? AND cwd = (SELECT id FROM name WHERE text = ?) "
        own += "AND session.counts AND session.last <> 0"
        yield own, (RADIUM, scope.workspace)
    if not scope.agents:
        return
    # A plus keeps SQLite from going by an index where another one narrows more.
    listed = f"+source IN ({','.join('?' * len(scope.agents))}) AND session.last <> 0"
    if left_out := named.unnamed(db, scope.named):
        db.execute("CREATE TEMP TABLE IF NOT EXISTS unnamed(id INTEGER PRIMARY KEY)")
        db.execute("DELETE FROM unnamed")
        db.executemany("INSERT INTO unnamed VALUES (?)", ((number,) for number in left_out))
        listed += " AND session.id NOT IN (SELECT id FROM unnamed)"
    agents: tuple[str | None, ...] = tuple(sorted(scope.agents))
    if scope.folders is None:
        yield listed, agents
        return
    within, values = _within(db, scope.folders)
    yield f"{listed} AND {within}", (*agents, *values)


def _within(db: sqlite3.Connection, folders: Collection[str]) -> tuple[str, list[str]]:
    """A condition on `session`, and its values: it worked in some folders or below them."""
    keys = [*folders]
    if _knows_hashes(db):
        keys += map(transcript.hashed, folders)
    # The folder of a report is stored as it is written.
    written = ((one, one + os.sep, one + chr(ord(os.sep) + 1)) for one in folders)
    ranges = list(dict.fromkeys([*map(_range, keys), *written]))
    within = " OR ".join(["text = ? OR (text >= ? AND text < ?)"] * len(ranges))
    values = [value for one in ranges for value in one]
    return f"cwd IN (SELECT id FROM name WHERE {within})", values


def _files(
    db: sqlite3.Connection, condition: str, *values: str
) -> Iterator[tuple[str, int, bytes, bytes]]:
    """Path, skipped lines and what is wrong of some files. Raises Damaged."""
    query = f"SELECT {_BY_PATH}, {seals.FILE}, checksum FROM file WHERE {condition}"
    for by_path, *row in db.execute(query, values):
        if not seals.is_whole(row) or by_path != row[0]:
            raise Damaged("what is known of a file is not as it was stored")
        _, _, path, *_, skipped, first_skipped, problem, _ = row
        yield from_column(path), skipped, first_skipped, problem


def _once(found: list[Skipped]) -> list[Skipped]:
    """These files, each of which is there once. Raises Damaged."""
    if len({skipped.path for skipped in found}) < len(found):
        raise Damaged("a file is there twice")
    return found


def _all(db: sqlite3.Connection, where: str, values: tuple[Any, ...]) -> list[Entry]:
    """The sessions that fulfil a condition: as many as by the table's order. Raises Damaged."""
    found = list(_entries(db, where, values))
    if len({(one.source, one.id) for one in found}) < len(found):
        raise Damaged("a session is there twice")
    count = f"SELECT count(*) FROM session INDEXED BY session_cwd WHERE {where}"
    if db.execute(count, values).fetchone() != (len(found),):
        raise Damaged("a session can't be found any more")
    return found


def _knows_hashes(db: sqlite3.Connection) -> bool:
    """Whether there is an agent that keeps a hash: making some takes a while."""
    query = "SELECT 1 FROM name WHERE text >= ? AND text < ? LIMIT 1"
    hashes = transcript.HASHED, transcript.HASHED + chr(sys.maxunicode)
    return db.execute(query, hashes).fetchone() is not None


def _range(folder: str) -> tuple[str, str, str]:
    """A folder, and the values between which all folders below it are."""
    key = folder_key(folder)
    below = key.removesuffix("/")
    return key, below + "/", below + chr(ord("/") + 1)


def _known(source: str, session_id: str, *found: int | None, left_out: Collection[int]) -> Known:
    number, first, last = found
    if number in left_out:
        return Known(Child(source, session_id))
    return Known(Child(source, session_id), number, (first or 0) // _MS, (last or 0) // _MS)


def _entries(db: sqlite3.Connection, where: str, values: tuple[Any, ...]) -> Iterator[Entry]:
    name = Texts(db)
    query = f"SELECT {seals.SESSION}, checksum FROM session WHERE {where}"
    for row in db.execute(query, values):
        _, source, session_id, _, file, _, project, branch, _, last, _, packed, _ = row
        if packed is None or not seals.is_whole(row):
            raise Damaged("a session is not as it was stored")
        yield Entry(
            session_id, last, sys.intern(source), packed, file, (), name[project], name[branch]
        )


# One that is not found by its path would be read as another one, and stay as it was.
_BY_PATH: Final = """(SELECT max(same.id) FROM file AS same INDEXED BY file_path
    WHERE same.source = file.source AND same.path = file.path)"""
_NAMED: Final = "source = ? AND session_id = ?"
_MS: Final = 1_000
"""Microseconds in a millisecond."""

_NUMBERS: Final = """
SELECT session.id FROM session JOIN name ON name.id = cwd
WHERE source = ? AND session_id = ? AND text = ? AND last <> 0
"""
# CROSS JOIN keeps SQLite from going through all sessions of a workspace.
_TRACKED: Final = """
SELECT tracked.session_id, tracked.first, tracked.last, until, owner, child.checksum,
    child.source, child.session_id, other.id, other.first, other.last
FROM child CROSS JOIN session AS tracked ON tracked.id = owner
    LEFT JOIN session AS other ON other.source = child.source
        AND other.session_id = child.session_id AND other.place = 0 AND other.last <> 0
WHERE tracked.counts AND tracked.cwd = (SELECT id FROM name WHERE text = ?) ORDER BY 1, 7, 8
"""
_window_of = itemgetter(0, 1, 2, 3)
_KNOWN: Final = """
SELECT id, first, last FROM session
WHERE source = ? AND session_id = ? AND place = 0 AND last <> 0
"""
_CHILD_SOURCES: Final = """
SELECT DISTINCT child.source FROM child CROSS JOIN session ON session.id = owner
WHERE counts AND cwd = (SELECT id FROM name WHERE text = ?)
"""
_WORKSPACES: Final = """
SELECT DISTINCT text FROM session JOIN name ON name.id = cwd
WHERE source = ? AND session_id >= ? AND session_id < ? AND counts AND last <> 0 ORDER BY 1
"""
_ARE_WHOLE: Final = " AND ".join(
    f"{table}.checksum = {seals.of(columns, table)}"
    for columns, tables in (
        (seals.SESSION, ("session", "other")),
        (seals.FILE, ("file", "other_file")),
    )
    for table in tables
)
_DUPLICATES: Final = f"""
SELECT file.path, other_file.path, {_ARE_WHOLE}
FROM session CROSS JOIN session AS other USING (source, session_id, cwd)
    LEFT JOIN file ON file.id = session.file
    LEFT JOIN file AS other_file ON other_file.id = other.file
WHERE session.source = ? AND session.cwd = (SELECT id FROM name WHERE text = ?)
    AND NOT session.counts AND other.counts
"""
