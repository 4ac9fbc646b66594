"""What an index that was put aside, perhaps damaged, still has of transcripts that are gone."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rad_lsp.core.transcript import Facts
from rad_lsp.store.index import Damaged, from_column, to_column
from rad_lsp.store.sessions import stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rad_lsp.store.ingest import Ingest
    from rad_lsp.store.names import Names


def salvage(before: sqlite3.Connection, source: str, ingest: Ingest) -> None:
    """Keep what another index tells of a source's files that this one does not know.

    Rows that can't be read are left out, and so is a session without facts.
    """
    is_new = False
    name = dict(_rows(before, "SELECT id, text FROM name"))
    for file, column, skipped, first in _rows(before, _FILES, source):
        try:
            path = from_column(column)
        except Damaged:
            continue
        parts = [row for row in _rows(before, _PARTS, file) if _is_whole(row[-1])]
        if not parts or ingest.known(path) is not None or _is_told(ingest.db, source, path, parts):
            continue
        is_new = True
        number = ingest.new_file()
        row = (number, source, to_column(path), skipped, first)
        ingest.db.execute(f"INSERT INTO file VALUES {_GONE}", row)
        for session, session_id, *facts in parts:
            place = (ingest.session(session_id), number)
            ingest.db.execute("INSERT OR IGNORE INTO part VALUES (?, ?, ?, ?, 1)", (*place, *facts))
            for table, columns, names in _TABLES:
                rows = _rows(before, f"SELECT {columns} FROM {table} {_WITHIN}", session, file)
                values = f"({','.join('?' * (2 + len(columns.split(','))))})"
                ingest.db.executemany(
                    f"INSERT OR IGNORE INTO {table} (session, file, {columns}) VALUES {values}",
                    [(*place, *row) for row in _renamed(rows, names, name, ingest.names)],
                )
            keys = ingest.db.execute(f"SELECT key FROM request {_WITHIN}", place)
            ingest.changed.keys.update([key for (key,) in keys])
            ingest.changed.sessions.add(place[0])
    if is_new:
        ingest.reprice()  # by the price list of now


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
    """The rows with other numbers for the names in their first columns, where these are known."""
    for row in rows:
        with suppress(KeyError):
            yield [*(names[texts[number]] for number in row[:count]), *row[count:]]


def _is_whole(facts: bytes | None) -> bool:
    try:
        return facts is not None and msgspec.msgpack.decode(facts, type=Facts).end != 0
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False


def _rows(db: sqlite3.Connection, query: str, *values: str | int) -> list[tuple[Any, ...]]:
    """What an index that may be damaged has, as far as it can be read."""
    found: list[tuple[Any, ...]] = []
    # Some errors quote what is damaged, so that their text is none.
    with suppress(sqlite3.DatabaseError, UnicodeDecodeError):
        found.extend(db.execute(query, values))
    return found


_GONE: Final = "(?, ?, ?, 0, 1, 0, 0, 0, x'', x'', ?, ?, NULL)"
_FILES: Final = "SELECT id, path, skipped, first_skipped FROM file WHERE source = ?"
_PARTS: Final = (
    "SELECT session, session_id, part.last, facts FROM part JOIN session ON id = session "
    "WHERE part.file = ?"
)
_OTHERS: Final = (
    "SELECT path FROM session JOIN part ON session = session.id JOIN file ON file.id = part.file "
    "WHERE session.source = ? AND session_id = ? AND part.last >= ? AND NOT gone"
)
_WITHIN: Final = "WHERE session = ? AND file = ?"
_TABLES: Final = (
    (
        "request",
        (
            "model, engine, tier, key, variant, time, requests, fresh, cache_read, cache_write_5m, "
            "cache_write_1h, output, searches, usd, reported, threshold, side, final, is_sum"
        ),
        3,
    ),
    (
        "tool",
        (
            "name, key, start, duration, outcome, calls, is_sum, request, waited, lines_added, "
            "lines_removed, changed_file"
        ),
        1,
    ),
)
