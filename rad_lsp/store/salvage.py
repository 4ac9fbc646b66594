"""What an index that was put aside, perhaps damaged, still has of transcripts that are gone."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rad_lsp.core.transcript import Facts
from rad_lsp.store import seals
from rad_lsp.store.index import from_column
from rad_lsp.store.sessions import FORGOTTEN, stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rad_lsp.store.ingest import Ingest
    from rad_lsp.store.names import Names


REBUILT: Final = "rebuilt"
"""In `meta` of an index that the user had made anew."""


def salvage(before: sqlite3.Connection, source: str, ingest: Ingest) -> None:
    """Keep what another index tells of a source's files that this one does not know.

    What is not as it was stored is left out, and so is a session without facts.
    """
    is_new = False
    name = {row[0]: row[1] for row in filter(seals.is_whole, _rows(before, _NAMES))}
    for row in filter(seals.is_whole, _rows(before, _FILES, source)):
        file, path = row[0], from_column(row[2])
        parts = [part for part in _rows(before, _PARTS, file) if _is_whole(*part)]
        if not parts or ingest.known(path) is not None or _is_told(ingest.db, source, path, parts):
            continue
        is_new = True
        number = ingest.lost_file(row[:-1])
        for session, session_id, *facts in parts:
            with suppress(KeyError):
                told = [
                    list(_renamed(_rows(before, query, session, file), count, name, ingest.names))
                    for query, _, count in _TABLES
                ]
                place = (ingest.session(session_id), number)
                put = "INSERT OR IGNORE INTO part VALUES (?, ?, ?, ?, 1, 0)"
                ingest.db.execute(put, (*place, *facts))
                requests, _ = told
                ingest.changed.touch_keys([row[3] for row in requests])
                for rows, (_, put, _) in zip(told, _TABLES, strict=True):
                    ingest.db.executemany(put, [(*place, *row) for row in rows])
                keys = ingest.db.execute(f"SELECT key FROM request {_WITHIN}", place)
                ingest.changed.keys.update([key for (key,) in keys])
    if is_new:
        ingest.reprice()  # by the price list of now


def forgotten(before: sqlite3.Connection, source: str) -> list[tuple[str, str, bool]]:
    """The sessions of a source that another index had forgotten: id, path, whether by a report.

    None where the user had that index made anew.
    """
    if _rows(before, _REBUILT):
        return []
    return [
        (row[2], from_column(path), row[3] != 0)
        for *row, path in _rows(before, _FORGOTTEN, source)
        if seals.is_whole(tuple(row))
    ]


def _is_told(db: sqlite3.Connection, source: str, path: str, parts: list[tuple[Any, ...]]) -> bool:
    """Whether another file of the same transcript, moved or compressed, tells as much.

    What an earlier version read of a transcript may have other keys, so it must not count beside.
    """
    for _, session_id, last, _ in parts:
        others = db.execute(_OTHERS, (source, session_id, last))
        if all(stem(from_column(other)) != stem(path) for (other,) in others):
            return False
    return True


def _renamed(
    rows: Iterable[tuple[Any, ...]], count: int, texts: dict[int, str], names: Names
) -> Iterator[list[Any]]:
    """The rows with other numbers for the names in their first columns.

    Raises KeyError where one of these is lost.
    """
    for row in rows:
        yield [*(names[texts[number]] for number in row[:count]), *row[count:]]


def _is_whole(_: int, session_id: str, last: int, facts: bytes | None) -> bool:
    """Whether the facts that a transcript tells are those of the session."""
    try:
        told = msgspec.msgpack.decode(facts or b"", type=Facts)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return told.end == last != 0 and told.session_id == session_id


def _rows(db: sqlite3.Connection, query: str, *values: str | int) -> list[tuple[Any, ...]]:
    """What an index that may be damaged has, as far as it can be read."""
    found: list[tuple[Any, ...]] = []
    # Some errors quote what is damaged, so that their text is none.
    with suppress(sqlite3.DatabaseError, UnicodeDecodeError):
        found.extend(db.execute(query, values))
    return found


_NAMES: Final = "SELECT id, text, checksum FROM name"
_FILES: Final = f"SELECT {seals.FILE}, checksum FROM file WHERE source = ?"
_PARTS: Final = (
    "SELECT session, session_id, part.last, facts FROM part JOIN session ON id = session "
    f"WHERE part.file = ? AND part.checksum = {seals.PART}"
)
_REBUILT: Final = f"SELECT 1 FROM meta WHERE key = '{REBUILT}'"
_FORGOTTEN: Final = (
    f"SELECT {', '.join(f'session.{column}' for column in seals.SESSION.split(', '))}, "
    "session.checksum, path FROM session JOIN part ON session = session.id "
    "JOIN file ON file.id = part.file "
    f"WHERE session.source = ? AND {FORGOTTEN}"
)
_OTHERS: Final = (
    "SELECT path FROM session JOIN part ON session = session.id JOIN file ON file.id = part.file "
    "WHERE session.source = ? AND session_id = ? AND part.last >= ? AND NOT gone"
)
_WITHIN: Final = "WHERE session = ? AND file = ?"


def _copying(table: str, columns: str, names: int) -> tuple[str, str, int]:
    """Statements that read a session's rows of a table and write them, and the number of names."""
    select = f"SELECT {columns} FROM {table} {_WITHIN}"
    values = f"?,?{',?' * len(columns.split(','))}"
    put = f"INSERT OR IGNORE INTO {table} (session, file, {columns}) VALUES ({values})"
    return select, put, names


_TABLES: Final = (
    _copying(
        "request",
        (
            "model, engine, tier, key, variant, time, requests, fresh, cache_read, cache_write_5m, "
            "cache_write_1h, output, searches, usd, reported, threshold, side, final, is_sum"
        ),
        3,
    ),
    _copying(
        "tool",
        (
            "name, key, start, duration, outcome, calls, is_sum, request, waited, lines_added, "
            "lines_removed, changed_file"
        ),
        1,
    ),
)
