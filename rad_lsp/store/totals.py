"""Rows become sums, by period and by what they have in common, in SQL.

Requests count at their own time, in slots of fifteen minutes; a report that only has sums counts at
its last activity, and so does a tool call without a time. Days are the user's.

A session that is part of a tracked one counts under its own id here, whenever it was active; not at
all where the tracked one has told its requests or tool calls by itself.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta, tzinfo
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec
from msgspec.structs import astuple

from rad_lsp.core.money import Money
from rad_lsp.core.period import ALWAYS, Period
from rad_lsp.core.price import MILLION, SEARCH_FEE
from rad_lsp.core.spending import SLOT_SECONDS
from rad_lsp.core.tokens import Tokens
from rad_lsp.store import query, seals, snapshot
from rad_lsp.store.names import named, texts

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rad_lsp.core.price import Override
    from rad_lsp.core.session import Session
    from rad_lsp.store.query import Scope

Dimension: TypeAlias = Literal[
    "day", "span", "source", "session", "project", "branch",
    "model", "engine", "tier", "threshold", "reported", "known", "slot", "utc_day",
    "tool",
]  # fmt: skip
"""What sums can be told apart by: those of the second line are of requests, `tool` is of tool
calls, the others of both.

A `span` is the number of the last one of some bounds that is not later. What is of requests is as
in `core.spending.Spending`; `known` tells whether they have a price.
"""

Table: TypeAlias = Literal["usage", "tool"]
"""Of requests, or of tool calls."""

Key: TypeAlias = tuple[Any, ...]
"""A value for each dimension: a day is a date, what has a name is that, all else is a number."""

_NAMED: Final = frozenset({"project", "branch", "model", "engine", "tier", "tool"})
"""The dimensions whose columns hold the numbers of names."""

_MOST_BOUNDS: Final = 2_000
"""Bounds in one statement: it can't be of any length."""

_LONG_AGO: Final = -(2**63)
"""Microseconds since the epoch."""

_EPOCH: Final = date(1970, 1, 1)
_DAY: Final = 86_400
_LAST_CHANGE: Final = int(datetime(2040, 1, 1, tzinfo=UTC).timestamp())
"""Seconds since the epoch, outside of which a zone's offset is taken not to change."""

_STEP: Final = 14 * _DAY
"""No zone changes its offset more often than that."""


_numbers_of_sums = itertools.count(1)


class UsageTotal(msgspec.Struct, frozen=True):
    """Requests of some sessions, whose `numbers` in the index are given."""

    key: Key
    numbers: frozenset[int]
    requests: int
    tokens: Tokens
    money: Money

    @property
    def sessions(self) -> int:
        """How many sessions these are."""
        return len(self.numbers)


class ToolTotal(msgspec.Struct, frozen=True):
    """Tool calls of some sessions, whose `numbers` in the index are given, by how they ended.

    `duration` is the sum in milliseconds, without the time in which they waited for the user; None
    where it is known of no call.
    """

    key: Key
    numbers: frozenset[int]
    ok: int
    failed: int
    denied: int
    unknown: int
    duration: int | None

    @property
    def sessions(self) -> int:
        """How many sessions these are."""
        return len(self.numbers)


class When(msgspec.Struct, frozen=True):
    """What time is asked about, and how it is divided.

    Days are those of `zone`, or local ones when that is None. Spans begin at all `bounds` but the
    last one, which is only an end; they are seconds since the epoch.
    """

    period: Period = ALWAYS
    zone: tzinfo | None = None
    bounds: tuple[int, ...] = ()

    @classmethod
    def spans(cls, bounds: tuple[int, ...]) -> When:
        """The time of some spans that follow each other, of which there is at least one."""
        since, until = (datetime.fromtimestamp(bounds[end], UTC) for end in (0, -1))
        return cls(Period(since, until), None, bounds)

    def parts(self) -> Iterator[tuple[When, int]]:
        """The same time, some spans at a time, each with the number of its first span."""
        if len(self.bounds) <= _MOST_BOUNDS:
            yield self, 0
            return
        for number in range(0, len(self.bounds) - 1, _MOST_BOUNDS):
            yield When.spans(self.bounds[number : number + _MOST_BOUNDS + 1]), number


class Sums:
    """Sums of what an index has of some sessions.

    `own_prices` are the user's, by model. The methods raise sqlite3.DatabaseError.
    """

    def __init__(
        self, db: sqlite3.Connection, scope: Scope, own_prices: Mapping[str, Override]
    ) -> None:
        self._db = db
        self._scope = scope
        self._own_prices = own_prices
        self._number = next(_numbers_of_sums)
        self._verified: set[Table] = set()
        self._session: Session | None = None

    def of(self, session: Session) -> Sums:
        """The same sums of one session, with those of other agents that are part of it."""
        sums = Sums(self._db, self._scope, self._own_prices)
        sums._session = session
        return sums

    def usage(self, by: Sequence[Dimension], when: When) -> list[UsageTotal]:
        """What the requests in a period come to, by some dimensions and in their order.

        A request counts with the slot that it was made in.
        """
        columns = [f"sum({name})" for name in Tokens.__struct_fields__]
        money = _money(self._db, self._own_prices)
        rows = self._sums(
            by, when, "usage", ("group_concat(session.id)", "sum(requests)", *columns, *money)
        )
        return [
            UsageTotal(
                key, _numbers(numbers), requests, Tokens(*tokens), Money(usd, lower, unpriced)
            )
            for key, (numbers, requests, *tokens, usd, lower, unpriced) in rows
        ]

    def tools(self, by: Sequence[Dimension], when: When) -> list[ToolTotal]:
        """What the tool calls that began in a period come to, by some dimensions, in order."""
        outcomes = [
            f"sum(calls * (outcome = '{name}'))" for name in ToolTotal.__struct_fields__[2:6]
        ]
        sums = (_SESSIONS, *outcomes, "sum(CASE WHEN NOT waited THEN duration END)")
        return [
            ToolTotal(key, _numbers(numbers), *values)
            for key, (numbers, *values) in self._sums(by, when, "tool", sums)
        ]

    def durations(self, when: When) -> list[tuple[str, int]]:
        """The tool and the milliseconds of each call whose duration is known, in their order.

        What a call waited for the user is not its tool's time.
        """
        name = texts(self._db)
        timed = "duration IS NOT NULL AND NOT waited AND NOT is_sum"
        rows = self._rows(when, "tool", ("name", "duration"), timed)
        return sorted((named(name, tool), duration) for tool, duration in rows)

    def lines(self, by: Sequence[Dimension], when: When) -> list[tuple[Key, int, int]]:
        """Lines added and removed by sessions that were last active in a period, by dimensions.

        They are known of a session as a whole. Of one that is part of a tracked session they count
        where that has not told its own.
        """
        name = texts(self._db)
        told = _with_own_lines(self._db, self._scope.workspace)
        sums: dict[Key, list[int]] = defaultdict(lambda: [0, 0])
        for part, number in when.parts():
            keys = _keys(part, by, _LAST, number)
            for *key, source, session_id, packed in self._rows(
                part, "packed", (*keys, *_NAME, "packed")
            ):
                if not told or (source, session_id) not in told:
                    added, removed = snapshot.lines_of(packed)
                    total = sums[tuple(key)]
                    total[0] += added
                    total[1] += removed
        return [
            (tuple(_value(name, *one) for one in zip(by, key, strict=True)), added, removed)
            for key, (added, removed) in sums.items()
        ]

    def first(self, since: datetime) -> int | None:
        """A moment before which nothing was done in sessions that were active since another.

        It is the slot before the first of them began, in seconds since the epoch: a request counts
        with the slot that it was made in. None where there are no such sessions.
        """
        self._gather(int(since.timestamp() * _MICROSECONDS))
        (began,) = self._db.execute("SELECT min(min(first, last)) FROM counted").fetchone()
        return None if began is None else int(began // _MICROSECONDS) - SLOT_SECONDS

    def oldest(self) -> int | None:
        """When the session was last active that was so least recently, in seconds since the epoch.

        None where there are no sessions.
        """
        times = [
            self._db.execute(f"SELECT min(last) FROM session WHERE {condition}", values).fetchone()
            for condition, values in query.conditions(self._db, self._scope)
        ]
        known = [time // _MICROSECONDS for (time,) in times if time is not None]
        return min(known, default=None)

    def _sums(
        self, by: Sequence[Dimension], when: When, table: Table, sums: Sequence[str]
    ) -> list[tuple[Key, tuple[Any, ...]]]:
        """The sums of a table by the values of the dimensions, in the order of these values."""
        name = texts(self._db)
        found: list[tuple[Key, tuple[Any, ...]]] = []
        for part, number in when.parts():
            keys = _keys(part, by, _SECONDS[table], number)
            # SQLite sorts the rows, and does so faster where the first column tells most apart.
            columns = {key: str(position) for position, key in enumerate(keys, 1)}
            group = ", ".join(reversed(columns.values())) or "NULL"
            for row in self._rows(part, table, (*keys, *sums), then=f"GROUP BY {group}"):
                key = tuple(_value(name, *one) for one in zip(by, row, strict=False))
                found.append((key, row[len(keys) :]))
        found.sort(key=itemgetter(0))
        return found

    def _rows(
        self,
        when: When,
        table: Table | Literal["packed"],
        columns: Sequence[str],
        where: str = "TRUE",
        then: str = "",
    ) -> Iterator[tuple[Any, ...]]:
        """Columns of what was done in a period, with those of its session."""
        since, until = when.period.since, when.period.until
        self._gather(_LONG_AGO if since is None else int(since.timestamp() * _MICROSECONDS))
        if table != "packed":
            self._verify(table)
        seconds = _SECONDS[table]
        ranges = {">=": since, "<": until}
        within = [f"{seconds} {sign} {end.timestamp()!r}" for sign, end in ranges.items() if end]
        return self._db.execute(
            f"SELECT {', '.join(columns)} FROM counted AS session {_JOINED[table]} "
            f"WHERE {' AND '.join([where, *within])} {then}"
        )

    def _verify(self, table: Table) -> None:
        """Whether what is added up of the sessions at hand is as it was stored. Raises Damaged."""
        if table not in self._verified:
            verify = seals.verify_usage if table == "usage" else seals.verify_parts
            verify(self._db, "session.id IN (SELECT id FROM counted)", ())
            self._verified.add(table)

    def _conditions(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        if self._session is None:
            yield from query.conditions(self._db, self._scope)
            return
        for condition, values in query.conditions(self._db, self._scope):
            named = (self._session.source, self._session.id)
            yield f"{condition} AND +source = ? AND session_id = ?", (*values, *named)
        for child in self._session.children:
            yield "source = ? AND session_id = ? AND last <> 0", (child.source, child.session_id)

    def _gather(self, since: int) -> None:
        """Have those sessions at hand that were active at or after a moment, in microseconds.

        Nothing is done in a session after its last activity.
        """
        self._db.execute(_COUNTED)
        self._db.execute(_COUNTED_FOR)
        # Other sums of this connection may have theirs at hand.
        gathered = self._db.execute("SELECT since FROM counted_for WHERE sums = ?", (self._number,))
        if any(known <= since for (known,) in gathered):
            return
        seals.verify_children(self._db)
        self._verified.clear()
        self._db.execute("DELETE FROM counted_for")
        self._db.execute("DELETE FROM counted")
        for condition, values in self._conditions():
            self._db.execute(
                _GATHER.format(condition), (*[self._scope.workspace] * 2, *values, since)
            )
        self._db.execute("INSERT INTO counted_for VALUES (?, ?)", (self._number, since))


def _money(db: sqlite3.Connection, own_prices: Mapping[str, Override]) -> tuple[str, str, str]:
    """Columns of `usage` that make up money; a price of the user's own holds for all sizes."""
    usd, unpriced = "", ""
    for number, name in texts(db).items() if own_prices else ():
        override = own_prices.get(name.lower())
        if override is not None:
            rates = zip(Tokens.__struct_fields__, astuple(override.rates), strict=False)
            cost = " + ".join(f"{tokens} * {rate!r}" for tokens, rate in rates)
            own = f"WHEN model = {number} AND NOT reported THEN"
            usd += f" {own} ({cost}) / {MILLION}.0 + searches * {SEARCH_FEE!r}"
            unpriced += f" {own} 0"
    if not usd:
        return "sum(usd)", "sum(lower_bound)", "sum(unpriced)"
    return (
        f"sum(CASE{usd} ELSE usd END)",
        "sum(lower_bound)",
        f"sum(CASE{unpriced} ELSE unpriced END)",
    )


def _numbers(listed: str) -> frozenset[int]:
    return frozenset(map(int, listed.split(",")))


def _with_own_lines(db: sqlite3.Connection, workspace: str | None) -> set[tuple[str, str]]:
    """The sessions that are part of tracked ones of a workspace which have told their own lines."""
    if workspace is None:
        return set()
    return {
        (source, session_id)
        for source, session_id, packed in db.execute(_OWNERS, (workspace,))
        if any(snapshot.lines_of(packed))
    }


def _keys(when: When, by: Sequence[Dimension], seconds: str, number: int) -> list[str]:
    """The columns of dimensions; spans are counted from `number`."""
    columns = {name: f"session.{name}" for name in ("source", "project", "branch")}
    columns |= {"tool": "name", "session": "session.session_id"}
    if "day" in by:
        columns["day"] = _day(seconds, _changes(when.zone))
    if "span" in by:
        columns["span"] = _span(seconds, when.bounds[:-1], number)
    columns["utc_day"] = f"slot / {_DAY // SLOT_SECONDS}"
    return [columns.get(dimension, dimension) for dimension in by]


def _value(name: dict[int, str], dimension: Dimension, value: int | str) -> date | str | int:
    """What a column says."""
    if isinstance(value, str):
        return value
    if dimension in _NAMED:
        return named(name, value)
    return _date(value) if dimension == "day" else value


def _date(days: int) -> date:
    """The day so many days after the epoch; the first or the last one where there is none."""
    return date.fromordinal(
        min(max(_EPOCH.toordinal() + days, date.min.toordinal()), date.max.toordinal())
    )


def _span(seconds: str, begins: Sequence[int], number: int) -> str:
    """The number of the last one of some moments that is not later, as SQL; it halves them."""
    if len(begins) <= 1:
        return str(number)
    half = len(begins) // 2
    before = _span(seconds, begins[:half], number)
    after = _span(seconds, begins[half:], number + half)
    return f"CASE WHEN {seconds} < {begins[half]} THEN {before} ELSE {after} END"


def _day(seconds: str, changes: Sequence[tuple[int, int]]) -> str:
    """The days since the epoch as SQL, by the offsets of a zone and when they begin to hold."""
    cases = [f"WHEN {seconds} >= {since} THEN {offset}" for since, offset in reversed(changes[1:])]
    offset = f"CASE {' '.join(cases)} ELSE {changes[0][1]} END" if cases else str(changes[0][1])
    local = f"({seconds} + {offset})"
    return f"({local} / {_DAY} - ({local} % {_DAY} < 0))"


def _changes(zone: tzinfo | None) -> list[tuple[int, int]]:
    """The offsets of a zone in seconds, each with the second since the epoch that it begins at."""

    def offset(second: int) -> int:
        moment = datetime.fromtimestamp(second, UTC).astimezone(zone)
        return int((moment.utcoffset() or timedelta()).total_seconds())

    found = [(0, offset(0))]
    for begin in range(0, _LAST_CHANGE, _STEP):
        end = begin + _STEP
        if offset(end) != found[-1][1]:
            found.append((_first(begin, end, offset), offset(end)))
    return found


def _first(begin: int, end: int, offset: Callable[[int], int]) -> int:
    """The first second after `begin` that has another offset; `end` has."""
    before = offset(begin)
    while end - begin > 1:
        middle = (begin + end) // 2
        if offset(middle) == before:
            begin = middle
        else:
            end = middle
    return end


_MICROSECONDS: Final = 1_000_000
"""In a second."""

_SESSIONS: Final = "group_concat(DISTINCT session.id)"
_LAST: Final = f"session.last / {_MICROSECONDS}"
_NAME: Final = ("session.source", "session.session_id")
_SECONDS: Final = {
    "usage": f"slot * {SLOT_SECONDS}",
    "tool": f"CASE start WHEN 0 THEN {_LAST} ELSE start / 1000 END",
    "packed": _LAST,
}
"""When it was, in seconds since the epoch."""

# CROSS JOIN lets SQLite go through the sessions, in the order in which their rows are stored.
_JOINED: Final = {
    "usage": "CROSS JOIN usage ON usage.session = session.id AND tells_requests",
    "tool": "CROSS JOIN tool ON tool.session = session.id AND tells_calls AND tool.counts "
    "JOIN part ON part.session = tool.session AND part.file = tool.file AND part.counts",
    "packed": "CROSS JOIN session AS whole USING (id)",
}
_COUNTED_FOR: Final = """
CREATE TEMP TABLE IF NOT EXISTS counted_for(sums INTEGER NOT NULL, since INTEGER NOT NULL)
"""
_COUNTED: Final = """
CREATE TEMP TABLE IF NOT EXISTS counted(
    id INTEGER PRIMARY KEY, source TEXT, session_id TEXT, project INTEGER, branch INTEGER,
    first INTEGER, last INTEGER, tells_requests INTEGER, tells_calls INTEGER)
"""
_PART_OF: Final = """
EXISTS (
    SELECT 1 FROM child JOIN session AS tracked ON tracked.id = child.owner
    WHERE child.source = session.source AND child.session_id = session.session_id
        AND tracked.counts AND tracked.cwd = (SELECT id FROM name WHERE text = ?)
        AND EXISTS (SELECT 1 FROM {} AS told WHERE told.session = tracked.id))
"""
"""Whether a session is part of a tracked one that has told its requests or calls by itself."""

_GATHER: Final = f"""
INSERT OR IGNORE INTO counted
SELECT id, source, session_id, project, branch, first, last,
    NOT {_PART_OF.format("usage")}, NOT {_PART_OF.format("tool")}
FROM session WHERE id IN (SELECT id FROM session WHERE {{}} AND last >= ?)
"""
# There are few children, and CROSS JOIN keeps SQLite from going through all sessions instead.
_OWNERS: Final = """
SELECT child.source, child.session_id, packed
FROM child CROSS JOIN session AS tracked ON tracked.id = owner
WHERE tracked.counts AND tracked.packed IS NOT NULL
    AND tracked.cwd = (SELECT id FROM name WHERE text = ?)
"""
