"""What transcripts record of plan limits, as rows of the index."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rad_lsp.core import limits
from rad_lsp.core.limits import Window
from rad_lsp.core.spending import SLOT_MS
from rad_lsp.core.transcript import moment
from rad_lsp.store.index import Damaged, checksum, decoded

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable

PUT: Final = """
INSERT INTO plan_limit VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
SET time = excluded.time, packed = excluded.packed, checksum = excluded.checksum
WHERE excluded.time >= time
"""
"""A row of `row`; of those of an hour the last one stays."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


def row(file: int, window: Window) -> tuple[str | int | bytes, ...]:
    """A record as it is stored."""
    time = _ms(window.recorded_at)
    packed = msgspec.msgpack.encode(window)
    place = (window.source, file, window.limit, window.name, time // 3_600_000, time)
    return (*place, packed, checksum(packed, *place))


def forget(db: sqlite3.Connection, file: int) -> None:
    """What a file recorded is no longer so."""
    db.execute("DELETE FROM plan_limit WHERE file = ?", (file,))


def newest(
    db: sqlite3.Connection, sources: Collection[str], now: datetime, since: datetime | None = None
) -> list[Window]:
    """Of each window of some sources the newest record that is not dated after now.

    Those before `since` may be left out. Raises Damaged.
    """
    span = (_ms(since or _EPOCH), _ms(limits.latest_possible(now)))
    return limits.newest(_windows(db.execute(_NEWEST, span), sources), now)


def first(db: sqlite3.Connection, window: Window) -> Window | None:
    """The earliest record that tells of the same reset as this one. Raises Damaged."""
    where = f'{_SELECT} WHERE source = ? AND "limit" = ? AND name = ? ORDER BY time'
    for found in _windows(db.execute(where, window.key), {window.source}):
        if found.resets_at == window.resets_at:
            return found
    return None


def dated_after(db: sqlite3.Connection, sources: Collection[str], now: datetime) -> int:
    """The number of hours with records that are dated after now."""
    marks = ",".join("?" * len(sources))
    query = f"SELECT count(*) FROM plan_limit WHERE time > ? AND source IN ({marks})"
    values = (_ms(limits.latest_possible(now)), *sources)
    return int(db.execute(query, values).fetchone()[0])


def with_sessions(db: sqlite3.Connection, sources: Collection[str]) -> list[str]:
    """The sources that have sessions."""
    query = "SELECT 1 FROM session WHERE source = ? AND last <> 0 LIMIT 1"
    return [name for name in sources if db.execute(query, (name,)).fetchone()]


def request_times(db: sqlite3.Connection, source: str) -> list[datetime]:
    """The times of all requests of a source in order, to the slots in which they were made."""
    query = (
        "SELECT DISTINCT slot FROM usage JOIN session ON session.id = session "
        "WHERE source = ? ORDER BY slot"
    )
    return [moment(slot * SLOT_MS) for (slot,) in db.execute(query, (source,))]


def _windows(rows: Iterable[tuple[Any, ...]], sources: Collection[str]) -> Iterable[Window]:
    for *place, packed, check in rows:
        if checksum(packed, *place) != check:
            raise Damaged("a limit is not as it was stored")
        if place[0] in sources:
            yield decoded(packed, Window)


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MS


_COLUMNS: Final = 'source, file, "limit", name, hour, time, packed, checksum'
_SELECT: Final = f"SELECT {_COLUMNS} FROM plan_limit"
_NEWEST: Final = f"""
SELECT {_COLUMNS} FROM plan_limit JOIN (
    SELECT source, "limit", name, max(time) AS time FROM plan_limit
    WHERE time >= ? AND time <= ? GROUP BY source, "limit", name
) USING (source, "limit", name, time)
"""
