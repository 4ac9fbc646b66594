"""The index's tables, and how an older index comes to have them.

Each migration is a function on a connection within a transaction. Their number is the version of
an index (`user_version`): later versions append one, and never change those before it. What a
table holds is said beside its columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

_TABLES: Final = """
CREATE TABLE name(  -- of models, engines, tiers, tools, folders and branches
    id INTEGER PRIMARY KEY, text TEXT NOT NULL, checksum INTEGER NOT NULL);
CREATE UNIQUE INDEX name_text ON name(text);
CREATE TABLE file(  -- how far a file has been read
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, path TEXT NOT NULL,
    stamp INTEGER NOT NULL,  -- 0 of a file that is to be read anew
    gone INTEGER NOT NULL, size INTEGER NOT NULL, inode INTEGER NOT NULL,
    offset INTEGER NOT NULL, tail BLOB NOT NULL, state BLOB NOT NULL,
    skipped INTEGER NOT NULL, first_skipped BLOB, problem BLOB,
    checksum INTEGER NOT NULL  -- of the other columns, as in other tables: see `seals`
    );
CREATE INDEX file_path ON file(source, path, stamp, gone);
CREATE INDEX file_problem ON file(source, checksum) WHERE problem IS NOT NULL;
CREATE TABLE session(
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, session_id TEXT NOT NULL,
    place INTEGER NOT NULL,  -- the file of a report, whose id need not be unique; else 0
    file INTEGER, cwd INTEGER, project INTEGER, branch INTEGER,
    first INTEGER NOT NULL DEFAULT 0,  -- activity, in microseconds since the epoch; 0 of none
    last INTEGER NOT NULL DEFAULT 0,
    counts INTEGER NOT NULL DEFAULT 1,  -- 0 of a duplicate of another report
    packed BLOB, checksum INTEGER);
CREATE UNIQUE INDEX session_name ON session(source, session_id, place);
CREATE INDEX session_cwd ON session(cwd, last, first, source, counts, checksum);
CREATE TABLE child(  -- sessions of other agents that are part of a tracked one
    source TEXT NOT NULL, session_id TEXT NOT NULL, owner INTEGER NOT NULL,
    until INTEGER NOT NULL,  -- the end of what counts with the owner, in ms since the epoch
    checksum INTEGER NOT NULL, PRIMARY KEY(source, session_id, owner)) WITHOUT ROWID;
CREATE INDEX child_owner ON child(owner, checksum);
CREATE TABLE part(  -- what a transcript says of a session
    session INTEGER NOT NULL, file INTEGER NOT NULL,
    last INTEGER NOT NULL, facts BLOB,
    counts INTEGER NOT NULL DEFAULT 1,  -- 0 where another file tells the same and more
    checksum INTEGER,  -- of its requests and tool calls, too
    PRIMARY KEY(session, file)) WITHOUT ROWID;
CREATE INDEX part_file ON part(file);
CREATE TABLE request(
    session INTEGER NOT NULL, file INTEGER NOT NULL,
    key INTEGER NOT NULL, variant INTEGER NOT NULL,  -- hashes; a key of 0 has no copies
    time INTEGER NOT NULL,  -- milliseconds since the epoch
    model INTEGER NOT NULL, engine INTEGER NOT NULL, tier INTEGER NOT NULL,
    requests INTEGER NOT NULL, fresh INTEGER NOT NULL, cache_read INTEGER NOT NULL,
    cache_write_5m INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL, output INTEGER NOT NULL,
    searches INTEGER NOT NULL,  -- of the web, billed by their number
    usd REAL,  -- what it costs; NULL without a price
    reported INTEGER NOT NULL,  -- 1 where that does not follow from the price list
    threshold INTEGER NOT NULL, side INTEGER NOT NULL, final INTEGER NOT NULL,
    is_sum INTEGER NOT NULL,
    copied INTEGER NOT NULL DEFAULT 0,  -- 1 where there are several of its key
    counts INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY(session, file, key, variant)) WITHOUT ROWID;
CREATE INDEX request_key ON request(key, counts) WHERE key <> 0;
CREATE TABLE tool(
    session INTEGER NOT NULL, file INTEGER NOT NULL, key INTEGER NOT NULL,
    name INTEGER NOT NULL, start INTEGER NOT NULL, duration INTEGER,  -- both milliseconds
    outcome TEXT NOT NULL, calls INTEGER NOT NULL, is_sum INTEGER NOT NULL,
    request INTEGER NOT NULL,  -- the key of the request that it is copied with; 0 of none
    waited INTEGER NOT NULL,  -- 1 where the time was spent waiting for the user
    lines_added INTEGER NOT NULL, lines_removed INTEGER NOT NULL,
    changed_file INTEGER NOT NULL,  -- the hash of its path; 0 of none
    counts INTEGER NOT NULL DEFAULT 1,  -- 0 where its request counts with another session
    PRIMARY KEY(session, file, key)) WITHOUT ROWID;
CREATE TABLE usage(  -- the requests that count, added up
    session INTEGER NOT NULL, slot INTEGER NOT NULL, model INTEGER NOT NULL,
    engine INTEGER NOT NULL, tier INTEGER NOT NULL, threshold INTEGER NOT NULL,
    reported INTEGER NOT NULL, known INTEGER NOT NULL,  -- 1 where there is a price
    requests INTEGER NOT NULL, fresh INTEGER NOT NULL, cache_read INTEGER NOT NULL,
    cache_write_5m INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL, output INTEGER NOT NULL,
    searches INTEGER NOT NULL, usd REAL, lower_bound INTEGER NOT NULL, unpriced INTEGER NOT NULL,
    PRIMARY KEY(session, slot, model, engine, tier, threshold, reported, known)) WITHOUT ROWID;
CREATE TABLE sealed(  -- the sums of the checksums of a session's parts, and of its usage
    session INTEGER PRIMARY KEY, parts INTEGER NOT NULL, usage INTEGER NOT NULL);
CREATE TABLE keys(  -- sums over the ranges of keys by which copies of requests are found
    number INTEGER PRIMARY KEY, total INTEGER NOT NULL);
CREATE TABLE price(  -- looked up in the price list, so that it need not be loaded
    model TEXT NOT NULL, engine TEXT NOT NULL, tier TEXT NOT NULL, part INTEGER NOT NULL,
    list TEXT NOT NULL, span INTEGER NOT NULL, price BLOB NOT NULL,
    checksum INTEGER NOT NULL, PRIMARY KEY(model, engine, tier, part)) WITHOUT ROWID;
CREATE TABLE plan_limit(  -- what a file records of a window of a plan's limit, last in each hour
    source TEXT NOT NULL, file INTEGER NOT NULL, "limit" TEXT NOT NULL, name TEXT NOT NULL,
    hour INTEGER NOT NULL,  -- since the epoch
    time INTEGER NOT NULL,  -- milliseconds since the epoch
    packed BLOB NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY(file, "limit", name, hour)) WITHOUT ROWID;
CREATE INDEX plan_limit_time ON plan_limit(time);
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


def _create(db: sqlite3.Connection) -> None:
    """The tables of the first version."""
    for statement in _TABLES.split(";\n"):
        db.execute(statement)


MIGRATIONS: Final[tuple[Callable[[sqlite3.Connection], None], ...]] = (_create,)
