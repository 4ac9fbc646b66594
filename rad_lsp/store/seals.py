"""Checksums by which damage to the index is noticed before a figure is made of it.

- A row of `name`, `file`, `session` or `price` has a checksum of its columns.
- A row of `part` has one of its columns, and of the requests and tool calls that it stands for.
- `sealed` has, of each session, the sum of those of its parts, and that of its usage.
- `meta` has a sum over all rows of each table in which a lost row would not be missed.
- `keys` has sums over the order in which copies of requests are found, one for each range of keys.

What is stored of a session is verified before any of it is changed: damage is never sealed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rad_lsp.store.index import Damaged, checksum

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

FILE: Final = (
    "id, source, path, stamp, gone, size, inode, offset, tail, state, skipped, first_skipped, "
    "problem"
)
SESSION: Final = (
    "id, source, session_id, place, file, cwd, project, branch, first, last, counts, packed"
)
CHILD: Final = "source, session_id, owner, until"
PRICE: Final = "model, engine, tier, part, list, span, price"
"""The columns that the checksum of a row is of, in their order."""

_PART_ROW: Final = "session, file, last, facts, counts"
_REQUEST: Final = (
    "session, file, key, variant, time, model, engine, tier, requests, fresh, cache_read, "
    "cache_write_5m, cache_write_1h, output, searches, usd, reported, threshold, side, final, "
    "is_sum, copied, counts"
)
_TOOL: Final = (
    "session, file, key, name, start, duration, outcome, calls, is_sum, request, waited, "
    "lines_added, lines_removed, changed_file, counts"
)
_USAGE: Final = (
    "session, slot, model, engine, tier, threshold, reported, known, requests, fresh, cache_read, "
    "cache_write_5m, cache_write_1h, output, searches, usd, lower_bound, unpriced"
)

_ROWS: Final = "rows of "
"""In `meta`, before the name of a table: what its rows weigh together."""


def of(columns: str, table: str = "") -> str:
    """The checksum of some columns, as SQL."""
    if table:
        columns = f"{table}.{columns.replace(', ', f', {table}.')}"
    return f"seal({columns})"


def is_whole(row: Sequence[Any]) -> bool:
    """Whether the last column of a row is the checksum of the others."""
    return bool(checksum(*row[:-1]) == row[-1])


def verify_tables(db: sqlite3.Connection) -> None:
    """Whether all rows are there by which others are found. Raises Damaged."""
    for table, weight, *orders in _TABLES:
        key = (_ROWS + table,)
        stored = db.execute("SELECT value FROM meta WHERE key = ?", key).fetchone() or ("0",)
        total = f"SELECT CAST(ifnull(sum({weight.format('', _PRIME)}), 0) AS TEXT) FROM {table}"
        for order in orders:
            if db.execute(f"{total} {order}").fetchone() != stored:
                raise Damaged(f"rows of {table} are lost, or not as they were stored")
    if db.execute(_UNKNOWN_SOURCE).fetchone():
        raise Damaged("a session's source is not as it was stored")


def watch_tables(db: sqlite3.Connection) -> None:
    """Follow what this connection changes, so that `seal_tables` need not look at all rows."""
    db.execute("PRAGMA recursive_triggers=ON")  # else REPLACE deletes rows unseen
    db.execute("CREATE TEMP TABLE IF NOT EXISTS change(name TEXT PRIMARY KEY, total)")
    for table, weight, *_ in _TABLES:
        db.execute("INSERT OR REPLACE INTO change VALUES (?, 0)", (table,))
        for event, rows in _EVENTS.items():
            changes = " ".join(
                f"UPDATE change SET total = total {sign} ifnull({value}, 0) WHERE name = '{table}';"
                for row, sign in rows
                for value in [weight.format(f"{row}.", _PRIME)]
            )
            db.execute(
                f"CREATE TEMP TRIGGER IF NOT EXISTS {table}_{event} AFTER {event} ON main.{table} "
                f"BEGIN {changes} END"
            )


def seal_tables(db: sqlite3.Connection) -> None:
    """What `verify_tables` goes by, after the changes within a transaction."""
    for table, change in db.execute("SELECT name, total FROM temp.change WHERE total"):
        key = _ROWS + table
        row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone() or ("0",)
        try:
            total = int(row[0])
        except (ValueError, TypeError):
            raise Damaged(f"the sum of the rows of {table} is none") from None
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, str(total + change)))


def verify(db: sqlite3.Connection, session: int) -> None:
    """Whether a session, its files, requests and tool calls are as they were stored.

    Raises Damaged.
    """
    if db.execute(_IS_WHOLE, {"session": session}).fetchone() != (1,):
        raise Damaged("a session's rows are not as they were stored")


def verify_usage(db: sqlite3.Connection, condition: str, values: tuple[object, ...]) -> None:
    """Whether the usage of the sessions that fulfil a condition is as stored. Raises Damaged."""
    if db.execute(_NOT_AS_USED.format(condition), values).fetchone():
        raise Damaged("a session's usage is not as it was stored")


def verify_children(db: sqlite3.Connection) -> None:
    """Whether what is said of the parts of tracked sessions is as stored. Raises Damaged."""
    if db.execute(f"SELECT 1 FROM child WHERE checksum IS NOT {of(CHILD)}").fetchone():
        raise Damaged("a part of a tracked session is not as it was stored")


def verify_parts(db: sqlite3.Connection, condition: str, values: tuple[object, ...]) -> None:
    """The same for all that `verify` looks at. Raises Damaged."""
    for (session,) in db.execute(f"SELECT session.id FROM session WHERE {condition}", values):
        verify(db, session)


def verify_unused(db: sqlite3.Connection, session: int) -> None:
    """Whether nothing is stored under the number of a session that is new. Raises Damaged."""
    if db.execute(_IS_USED, (session,)).fetchone() != (0,):
        raise Damaged("something is stored of a session that is not known")


def key_ranges(keys: Iterable[int]) -> set[int]:
    """The ranges, by their numbers, that keys of requests lie in."""
    return {key >> _RANGE_BITS for key in keys if key}


def verify_keys(db: sqlite3.Connection, ranges: Iterable[int]) -> None:
    """Whether requests are found by their keys in some ranges. Raises Damaged."""
    for number in ranges:
        if db.execute(_ARE_KEYS_WHOLE, (number,)).fetchone() != (1,):
            raise Damaged("requests are not found by their keys as they were stored")


def seal_keys(db: sqlite3.Connection, ranges: Iterable[int]) -> None:
    """What `verify_keys` goes by."""
    db.executemany(_SEAL_KEYS, ((number,) for number in ranges))


def seal(db: sqlite3.Connection) -> None:
    """What `verify` and `verify_usage` go by, of the sessions in the table `changed`."""
    for statement in _SEAL:
        db.execute(statement)


def faults(db: sqlite3.Connection) -> Iterator[str]:
    """What is not as it was stored, anywhere in the index."""
    try:
        verify_tables(db)
        for (session,) in db.execute("SELECT id FROM session").fetchall():
            verify(db, session)
        verify_usage(db, "1", ())
        verify_children(db)
        verify_keys(db, range(_RANGES))
    except Damaged as error:
        yield str(error)
    for table in _OF_SESSIONS:
        yield from _number(db, f"rows of {table} without a session", table, _NO_SESSION)
    for table, columns in (("file", FILE), ("price", PRICE)):
        yield from _number(db, f"damaged rows of {table}", table, f"checksum IS NOT {of(columns)}")


def _number(db: sqlite3.Connection, what: str, table: str, condition: str) -> Iterator[str]:
    (count,) = db.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()
    if count:
        yield f"{what}: {count:,}"


_OF_SESSIONS: Final = ("part", "request", "tool", "usage", "sealed")
_NO_SESSION: Final = "session NOT IN (SELECT id FROM session)"


_PRIME: Final = 1_000_000_007
"""Sums of remainders by it don't overflow."""

# What is no number is greater than all numbers.
_SESSION_WEIGHT: Final = """
({0}checksum + {0}cwd + 3 * {0}counts + length({0}source) + {0}last % {1} + {0}first % {1})
    * (max({0}cwd, {0}counts, {0}last, {0}first) < 9e18)
"""

# Where a column is weighed that an index lacks, the rows themselves are looked at, too.
# What the rows of a table weigh, and the orders in which they are looked for.
_TABLES: Final = (
    ("name", "{0}checksum + seal({0}id, {0}text)", "NOT INDEXED", "INDEXED BY name_text"),
    ("session", _SESSION_WEIGHT, "INDEXED BY session_cwd"),
    (
        "file",
        "CASE WHEN {0}problem IS NOT NULL THEN seal({0}id, {0}source, {0}checksum) END",
        "INDEXED BY file_problem WHERE problem IS NOT NULL",
    ),
    ("part", "{0}session + 3 * {0}file", "INDEXED BY part_file"),
    ("child", "{0}checksum + {0}owner + {0}until % {1}", "NOT INDEXED", "INDEXED BY child_owner"),
)
# The weight of a session leaves out the letters of its source, of which there are few.
_UNKNOWN_SOURCE: Final = """
SELECT 1 FROM (SELECT DISTINCT source AS name FROM session INDEXED BY session_cwd)
WHERE NOT EXISTS (SELECT 1 FROM session INDEXED BY session_name WHERE source = name)
"""
_EVENTS: Final = {
    "INSERT": [("NEW", "+")],
    "DELETE": [("OLD", "-")],
    "UPDATE": [("NEW", "+"), ("OLD", "-")],
}

PART: Final = f"""
{of(_PART_ROW, "part")}
    + (SELECT ifnull(sum({of(_REQUEST)}), 0) FROM request
        WHERE request.session = part.session AND request.file = part.file)
    + (SELECT ifnull(sum({of(_TOOL)}), 0) FROM tool
        WHERE tool.session = part.session AND tool.file = part.file)
"""
"""The checksum of a row of `part`, as SQL."""

_USAGE_SEAL: Final = (
    f"(SELECT ifnull(sum({of(_USAGE)}), 0) FROM usage WHERE usage.session = session.id)"
)
_IS_WHOLE: Final = f"""
SELECT session.checksum = {of(SESSION, "session")} AND sealed.parts = (
    SELECT CASE count(*)
        WHEN sum(part.checksum = {PART} AND file.checksum = {of(FILE, "file")})
        THEN sum(part.checksum) END
    FROM part JOIN file ON file.id = part.file WHERE part.session = session.id)
FROM session JOIN sealed ON sealed.session = session.id WHERE id = :session
"""
_NOT_AS_USED: Final = f"""
SELECT 1 FROM session LEFT JOIN sealed ON sealed.session = session.id
WHERE {{}} AND (session.checksum = {of(SESSION, "session")}) + (sealed.usage = {_USAGE_SEAL})
    IS NOT 2
"""
_IS_USED: Final = "SELECT " + " OR ".join(
    f"EXISTS (SELECT 1 FROM {table} WHERE session = ?1)" for table in _OF_SESSIONS
)
_RANGE_BITS: Final = 53
_RANGES: Final = 1 << 63 - _RANGE_BITS
"""Keys are hashes of 63 bits: of a million requests there are a thousand in each range."""

_KEYS: Final = f"""(
SELECT ifnull(sum(key % {_PRIME} + 3 * session + 5 * file + 7 * variant + counts), 0)
FROM request INDEXED BY request_key
WHERE key <> 0 AND key BETWEEN ?1 << {_RANGE_BITS} AND (?1 << {_RANGE_BITS}) + {2**_RANGE_BITS - 1}
)"""
_ARE_KEYS_WHOLE: Final = f"SELECT ifnull((SELECT total FROM keys WHERE number = ?1), 0) = {_KEYS}"
_SEAL_KEYS: Final = f"INSERT OR REPLACE INTO keys VALUES (?1, {_KEYS})"
_SEAL: Final = (
    f"UPDATE part SET checksum = {PART} WHERE session IN (SELECT id FROM changed)",
    "DELETE FROM sealed WHERE session IN (SELECT id FROM changed)",
    f"""
INSERT INTO sealed
SELECT id, (SELECT ifnull(sum(checksum), 0) FROM part WHERE part.session = id), {_USAGE_SEAL}
FROM changed CROSS JOIN session USING (id)
""",
)
