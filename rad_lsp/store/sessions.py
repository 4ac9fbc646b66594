"""Rows become sessions: copies of a request count once, what counts is added up, facts are joined.

All of it follows from what the files hold, whenever and in whichever order they were read.
"""

from __future__ import annotations

import os
from collections import defaultdict
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rad_lsp.core import spending, transcript
from rad_lsp.core.money import Money
from rad_lsp.core.paths import folder_key
from rad_lsp.core.session import RADIUM, Session
from rad_lsp.core.spending import SLOT_MS, Spending
from rad_lsp.core.tokens import Tokens
from rad_lsp.core.transcript import Facts
from rad_lsp.store import seals, snapshot
from rad_lsp.store.index import checksum, decoded, from_column
from rad_lsp.store.names import named, texts
from rad_lsp.store.timeline import window

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from rad_lsp.core.transcript import ToolRow
    from rad_lsp.store.names import Names
    from rad_lsp.store.timeline import Span, Timeline

_MANY: Final = 1000
"""Sessions that are stored at a time."""


class Changed:
    """Numbers of sessions that must be put together, and keys of requests with copies."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.sessions: set[int] = set()
        self.keys: set[int] = set()
        self.added: set[int] = set()
        self.key_ranges: set[int] = set()
        self._whole: set[int] = set()

    def add(self, session: int) -> None:
        """One that is new. Raises Damaged."""
        seals.verify_unused(self._db, session)
        self.added.add(session)
        self.sessions.add(session)

    def touch(self, session: int) -> None:
        """One that is stored, before anything of it is changed. Raises Damaged."""
        self.look_at(session)
        self.sessions.add(session)

    def touch_keys(self, keys: Iterable[int]) -> None:
        """Those of requests, before any is stored, changed or looked for. Raises Damaged."""
        ranges = seals.key_ranges(keys) - self.key_ranges
        seals.verify_keys(self._db, ranges)
        self.key_ranges |= ranges

    def look_at(self, session: int) -> None:
        """One that is stored, before something follows from its requests. Raises Damaged."""
        if session not in self.sessions and session not in self._whole:
            seals.verify(self._db, session)
            self._whole.add(session)


class _Part(msgspec.Struct, frozen=True, gc=False):
    """What one transcript says of a session."""

    file: int
    path: str
    is_gone: bool
    skipped: int
    facts: Facts


def settle(db: sqlite3.Connection, source: str, names: Names, changed: Changed) -> None:
    """Put the changed sessions of a source together, within a transaction. Raises Damaged."""
    db.execute("CREATE TEMP TABLE IF NOT EXISTS changed(id INTEGER PRIMARY KEY)")
    changed.touch_keys(changed.keys)
    _fill(db, changed.keys)
    for (session,) in db.execute(_WITH_COPIES).fetchall():
        changed.look_at(session)
    settled = db.execute(_COPIES).fetchall()
    for _, _, session, *_ in settled:
        changed.touch(session)
    db.executemany(_SETTLE_COPY, settled)
    _fill(db, changed.sessions)
    changed.touch_keys([key for (key,) in db.execute(_COPIED)])
    for statement in (*_ADD_UP, _COUNT_TOOLS):
        db.execute(statement)
    if source == RADIUM:
        db.execute(_DUPLICATES)
        db.execute(_LEAVE_REPORTS)
    rows = []
    for number, session, parts in _put_together(db, source):
        if session is None:
            _remove(db, number)
        else:
            file, facts = parts[0].file, parts[0].facts
            rows.append(_row(names, number, session, file, facts, folder_key(facts.cwd)))
        if len(rows) == _MANY:
            db.executemany(_PUT_SESSION, rows)
            rows.clear()
    db.executemany(_PUT_SESSION, rows)
    _fill(db, changed.sessions)
    seals.seal(db)
    seals.seal_keys(db, changed.key_ranges)
    db.execute("DELETE FROM changed")


def report_rows(
    names: Names, number: int, file: int, session: Session, folder: str
) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Statements, and their rows, that store a session which its report tells as a whole."""
    facts = Facts(session.id, cwd=folder)
    yield _PUT_SESSION, [_row(names, number, session, file, facts, folder, place=file)]
    if session.children:
        until = window(session).until
        rows = [(child.source, child.session_id, number, until) for child in session.children]
        statement = "INSERT OR REPLACE INTO child VALUES (?, ?, ?, ?, ?)"
        yield statement, [(*row, checksum(*row)) for row in rows]


def _row(
    names: Names,
    number: int,
    session: Session,
    file: int,
    facts: Facts,
    within: str,
    *,
    place: int = 0,
) -> tuple[Any, ...]:
    """The columns of a session's row: those that it is found by, and the packed session.

    `within` is the folder that questions name it by.
    """
    packed = snapshot.pack(session)
    folder = names[within], names.project(facts.cwd), names[facts.branch]
    name = number, session.source, session.id, place, file
    times = (session.start_time, session.generated_at, session.end_time)
    first = snapshot.microseconds(min(time for time in times if time is not None))
    return *name, *folder, first, packed.last, 1, packed.packed


def _fill(db: sqlite3.Connection, numbers: Iterable[int]) -> None:
    db.execute("DELETE FROM changed")
    db.executemany("INSERT INTO changed VALUES (?)", ((number,) for number in sorted(numbers)))


FORGOTTEN: Final = "session.cwd IS NULL AND session.last = 0 AND NOT session.counts"
"""What tells a session that the user had forgotten from one of which nothing is known yet."""


def forget(db: sqlite3.Connection, number: int) -> None:
    """Keep nothing of a session but its name, and that what its files tell of it is not read."""
    for table in ("request", "tool"):
        db.execute(f"DELETE FROM {table} WHERE session = ?", (number,))
    db.execute("UPDATE part SET last = 0, facts = NULL, counts = 1 WHERE session = ?", (number,))
    db.execute("UPDATE session SET counts = 0 WHERE id = ?", (number,))
    _remove(db, number)


def _remove(db: sqlite3.Connection, number: int) -> None:
    """A session of which no file tells when it was is none."""
    db.execute("DELETE FROM usage WHERE session = ?", (number,))
    db.execute("DELETE FROM child WHERE owner = ?", (number,))
    db.execute(_EMPTY_SESSION, (number,))
    db.execute(f"UPDATE session SET checksum = {seals.of(seals.SESSION)} WHERE id = ?", (number,))
    db.execute(
        "DELETE FROM session WHERE id = ? AND NOT EXISTS (SELECT 1 FROM part WHERE session = ?)",
        (number, number),
    )


def _put_together(
    db: sqlite3.Connection, source: str
) -> Iterator[tuple[int, Session | None, list[_Part]]]:
    """The changed sessions that are made of transcripts, and the parts that count of each.

    The first part is that of the session's own file.
    """
    name = texts(db)
    usage = _Groups(db.execute(_USAGE).fetchall())
    tools = _Groups(db.execute(_TOOLS))  # one session may have a hundred thousand
    parts = _Groups(db.execute(_PARTS).fetchall())
    copied = dict(db.execute(_COPIED_UNTIL).fetchall())
    for (number,) in db.execute("SELECT id FROM changed ORDER BY id").fetchall():
        told = [_part(*row[1:]) for row in parts.take(number)]
        counting = _counting([part for part in told if part.facts.end])
        files = {part.file for part in counting}
        if len(told) > 1:
            db.executemany(_PUT_COUNTS, [(+(p.file in files), number, p.file) for p in told])
        rows = sorted([_spending(name, *row[1:]) for row in usage.take(number)], key=_by_rule)
        session = None
        if counting:
            facts = _facts(counting)
            calls = (row[2:] for row in tools.take(number) if row[1] in files)
            since = transcript.own_start(facts, copied[number]) if number in copied else 0
            gone = all(part.is_gone for part in counting)
            session = transcript.session(
                source, counting[0].path, facts, tuple(rows), calls, since, deleted=gone
            )
        yield number, session, counting


def split(
    db: sqlite3.Connection, number: int, whole: Session, timeline: Timeline
) -> dict[str, Session]:
    """What of a session counts with whom, by the times of its requests and tool calls.

    What is recorded without a time counts with the last of these parts. Raises Damaged.
    """
    seals.verify(db, number)
    name = texts(db)
    told = [_part(*row[1:]) for row in _of_one(db, _PARTS, number)]
    parts = _counting([part for part in told if part.facts.end])
    files = {part.file for part in parts}
    shares: dict[str, _Share] = defaultdict(_Share)
    for _, time, *row in _of_one(db, _REQUESTS, number):
        share = shares[timeline.owner(time)]
        share.rows.append(_spending(name, time // SLOT_MS, *row))
        share.moments.append(time)
    untimed = []
    for _, file, *row in _of_one(db, _TOOLS, number):
        start, duration = row[2], row[3]
        if file in files and start:
            share = shares[timeline.owner(start)]
            share.tools.append(tuple(row))
            share.moments += start, start + (duration or 0)
        elif file in files:
            untimed.append(tuple(row))
    if untimed and not shares:
        end = snapshot.microseconds(whole.generated_at) // 1_000
        shares[timeline.owner(end)].moments.append(end)
    if len(shares) < 2:  # noqa: PLR2004
        return dict.fromkeys(shares, whole)
    facts = _facts(parts)
    last = max(shares.values(), key=lambda share: max(share.moments))
    last.tools += untimed
    begin = snapshot.microseconds(whole.start_time) // 1_000
    return {
        owner: transcript.session_within(
            whole,
            facts,
            [(max(since, begin), until) for since, until in timeline.spans(owner)],
            share.moments,
            spending.add_up(share.rows),
            share.tools,
            is_last=share is last,
        )
        for owner, share in shares.items()
    }


def is_active_within(db: sqlite3.Connection, number: int, spans: Iterable[Span]) -> bool:
    """Whether a session has requests or tool calls that count in some spans of time.

    Raises Damaged.
    """
    seals.verify(db, number)
    for since, until in spans:
        values = {"number": number, "since": since, "until": until}
        if db.execute(_IS_ACTIVE, values).fetchone() != (0,):
            return True
    return False


class _Share:
    """What a part of a session consists of; `moments` are the times at which something was done."""

    def __init__(self) -> None:
        self.rows: list[Spending] = []
        self.tools: list[ToolRow] = []
        self.moments: list[int] = []


def _of_one(db: sqlite3.Connection, query: str, number: int) -> Iterator[tuple[Any, ...]]:
    """The rows of a query on `changed` sessions for one that need not have changed."""
    return db.execute(f"WITH changed(id) AS (VALUES (?)) {query}", (number,))


class _Groups:
    """Rows in the order of sessions, to be taken session by session."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._groups = groupby(rows, itemgetter(0))
        self._next = next(self._groups, None)

    def take(self, session: int) -> Iterator[Any]:
        """The rows of a session; sessions must be asked for in their order."""
        while self._next is not None and self._next[0] < session:
            self._next = next(self._groups, None)
        if self._next is None or self._next[0] != session:
            return iter(())
        return self._next[1]


def _part(file: int, path: str | bytes, gone: int, skipped: int, facts: bytes | None) -> _Part:
    told = Facts("") if facts is None else decoded(facts, Facts)
    return _Part(file, from_column(path), bool(gone), skipped, told)


def _facts(parts: list[_Part]) -> list[Facts]:
    """What the files say, with a note on the lines that can't be read."""
    facts = [part.facts for part in parts]
    if skipped := sum([part.skipped for part in parts]):
        facts[0].notes.append(f"Lines of the transcript that can't be read: {skipped:,}")
    return facts


def _spending(name: dict[int, str], *columns: Any) -> Spending:
    slot, model, engine, tier, threshold, reported, requests, *rest = columns
    *tokens, searches, usd, lower_bound, unpriced = rest
    return Spending(
        slot,
        named(name, model),
        named(name, engine),
        named(name, tier),
        threshold,
        bool(reported),
        requests,
        Tokens(*tokens),
        Money(usd, lower_bound, unpriced),
        searches,
    )


def _by_rule(row: Spending) -> tuple[int, str, str, str, int, bool, bool]:
    """The numbers of names depend on the order of reading, the names do not."""
    missing = row.cost is None
    return row.slot, row.model, row.engine, row.tier, row.threshold, row.reported, missing


def _counting(parts: list[_Part]) -> list[_Part]:
    """The parts of a session that count, that of its own file first.

    Of files with one name, as when one was moved or copied, one counts: one that is there rather
    than one that is gone, and that which tells most.
    """
    if len(parts) < 2:  # noqa: PLR2004
        return parts
    found: dict[str, _Part] = {}
    for part in sorted(parts, key=lambda part: (not part.is_gone, part.facts.end, part.path)):
        found[stem(part.path)] = part
    return sorted(
        found.values(),
        key=lambda part: (part.facts.session_id not in stem(part.path), part.path),
    )


def stem(path: str) -> str:
    """What the files of one transcript have in common, wherever they lie, compressed or not."""
    return path.rpartition(os.sep)[2].partition(".")[0]


# Of the copies of a request that one counts which has the most output; of equal ones that which
# was made first; then that of the session that ended first, as the other one went on from there;
# then the first by path. A copy that a sub-agent replays gives way to any other of its key and
# of as many input tokens: some relays give all answers one id.
# CROSS JOIN keeps SQLite from going through all requests.
_COPIES: Final = """
WITH again AS (
    SELECT id AS key FROM changed WHERE
        (SELECT count(*) > 1 OR min(counts) = 0 FROM request WHERE key = changed.id AND key <> 0)),
ranked AS (
    SELECT r.session, r.file, r.key, r.variant, r.counts AS counted, r.copied AS was_copied,
        count(*) OVER (PARTITION BY r.key) > 1 AS copied,
        row_number() OVER (
            PARTITION BY r.key, r.side, CASE WHEN r.side THEN r.input ELSE r.variant END
            ORDER BY r.output DESC, r.time, p.last, f.path) = 1
            AND NOT (r.side AND min(r.side) OVER (PARTITION BY r.key, r.input) = 0) AS counts
    FROM again CROSS JOIN (
            SELECT *, CASE WHEN is_sum THEN 0
                ELSE fresh + cache_read + cache_write_5m + cache_write_1h END AS input
            FROM request) r ON r.key = again.key AND r.key <> 0
        CROSS JOIN part p ON p.session = r.session AND p.file = r.file
        CROSS JOIN file f ON f.id = r.file)
SELECT counts, copied, session, file, key, variant FROM ranked
WHERE counts <> counted OR copied <> was_copied
"""
_WITH_COPIES: Final = """
SELECT DISTINCT session FROM changed CROSS JOIN request ON key = changed.id AND key <> 0
"""
_COPIED: Final = "SELECT key FROM changed CROSS JOIN request ON session = changed.id WHERE copied"
_SETTLE_COPY: Final = """
UPDATE request SET counts = ?, copied = ?
WHERE session = ? AND file = ? AND key = ? AND variant = ?
"""

_ADD_UP: Final = (
    "DELETE FROM usage WHERE session IN (SELECT id FROM changed)",
    f"""
INSERT INTO usage
SELECT session, time / {SLOT_MS} - (time % {SLOT_MS} < 0), model, engine, tier, threshold,
    reported, usd IS NOT NULL, sum(requests), sum(fresh), sum(cache_read), sum(cache_write_5m),
    sum(cache_write_1h), sum(output), sum(searches), round(sum(usd), 12),
    sum(requests * (1 - final)), sum(requests * (usd IS NULL))
FROM changed CROSS JOIN request ON session = changed.id
WHERE counts GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
""",
)

# A request of which all copies that count are other sessions' has been copied from there, and so
# have the tool calls that it asked for.
_ELSEWHERE: Final = """
r.copied AND NOT r.counts AND NOT r.side AND r.key <> 0 AND NOT EXISTS (
    SELECT 1 FROM request o WHERE o.key = r.key AND o.key <> 0 AND o.counts
        AND o.session = r.session)
"""
_COUNT_TOOLS: Final = f"""
UPDATE tool SET counts = NOT EXISTS (
    SELECT 1 FROM request r WHERE r.session = tool.session AND r.file = tool.file
        AND r.key = tool.request AND {_ELSEWHERE})
WHERE request <> 0 AND session IN (
    SELECT id FROM changed CROSS JOIN request r ON r.session = id AND r.copied
    UNION SELECT id FROM changed CROSS JOIN tool t ON t.session = id AND NOT t.counts)
"""
_COPIED_UNTIL: Final = f"""
SELECT r.session, max(r.time) FROM changed CROSS JOIN request r ON r.session = changed.id
    CROSS JOIN part ON part.session = r.session AND part.file = r.file
WHERE {_ELSEWHERE} GROUP BY 1
"""

# Of several reports with one id in a workspace the one that was written last counts; of equal
# ones the first by path.
_WITH_COUNTS: Final = seals.of(seals.SESSION, "session").replace("session.counts", "ranked.counts")
_DUPLICATES: Final = f"""
WITH report AS (
    SELECT DISTINCT source, session_id, cwd FROM changed CROSS JOIN session USING (id)
    WHERE place <> 0),
ranked AS (
    SELECT session.id, row_number() OVER (
        PARTITION BY session.cwd, session.session_id
        ORDER BY part.last DESC, file.path) = 1 AS counts
    FROM report CROSS JOIN session USING (source, session_id, cwd)
        CROSS JOIN part ON part.session = session.id CROSS JOIN file ON file.id = part.file)
UPDATE session SET counts = ranked.counts, checksum = {_WITH_COUNTS} FROM ranked
WHERE session.id = ranked.id AND session.counts <> ranked.counts
"""

_PUT_SESSION: Final = f"""
INSERT INTO session ({seals.SESSION}, checksum)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, seal(
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12))
ON CONFLICT(id) DO UPDATE SET
    (file, cwd, project, branch, first, last, counts, packed, checksum) = (
        excluded.file, excluded.cwd, excluded.project, excluded.branch, excluded.first,
        excluded.last, excluded.counts, excluded.packed, excluded.checksum)
"""

_EMPTY_SESSION: Final = """
UPDATE session SET file = NULL, cwd = NULL, project = NULL, branch = NULL, first = 0, last = 0,
    packed = NULL
WHERE id = ?
"""
_PUT_COUNTS: Final = "UPDATE part SET counts = ? WHERE session = ? AND file = ?"

# A session that its report tells as a whole has been stored already.
_LEAVE_REPORTS: Final = (
    "DELETE FROM changed WHERE EXISTS (SELECT 1 FROM part WHERE session = changed.id)"
)
_PARTS: Final = """
SELECT session, file, path, gone, skipped, facts
FROM changed CROSS JOIN part ON session = changed.id JOIN file ON file.id = file
ORDER BY changed.id
"""
_USAGE: Final = """
SELECT session, slot, model, engine, tier, threshold, reported, requests, fresh, cache_read,
    cache_write_5m, cache_write_1h, output, searches, usd, lower_bound, unpriced
FROM changed CROSS JOIN usage ON session = changed.id ORDER BY changed.id
"""
_TOOLS: Final = """
SELECT session, file, outcome, calls, start, duration, waited, lines_added, lines_removed,
    changed_file
FROM changed CROSS JOIN tool ON session = changed.id WHERE counts ORDER BY changed.id
"""
_REQUESTS: Final = """
SELECT session, time, model, engine, tier, threshold, reported, requests, fresh, cache_read,
    cache_write_5m, cache_write_1h, output, searches, usd, requests * (1 - final),
    requests * (usd IS NULL)
FROM changed CROSS JOIN request ON session = changed.id WHERE counts
"""
_IS_ACTIVE: Final = """
SELECT EXISTS (
        SELECT 1 FROM request
        WHERE session = :number AND counts AND time >= :since AND time < :until)
    OR EXISTS (
        SELECT 1 FROM tool JOIN part USING (session, file)
        WHERE session = :number AND tool.counts AND part.counts AND start <> 0
            AND start >= :since AND start < :until)
"""
