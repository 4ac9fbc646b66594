"""Rows become sums, by period and by what they have in common, in SQL.

Requests count at their own time, in slots of fifteen minutes; a report that only has sums counts at
its last activity. Days are the user's.

A session that is part of a tracked one counts under its own id here, whenever it was active; not at
all where the tracked one has told its requests or tool calls by itself.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec
from msgspec.structs import astuple

from rad_lsp.core.money import Money
from rad_lsp.core.price import MILLION, SEARCH_FEE
from rad_lsp.core.spending import SLOT_SECONDS
from rad_lsp.core.tokens import Tokens
from rad_lsp.store import query, seals
from rad_lsp.store.names import named, texts

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rad_lsp.core.period import Period
    from rad_lsp.core.price import Override
    from rad_lsp.store.query import Scope

Dimension: TypeAlias = Literal[
    "day", "source", "session", "project", "branch", "model", "engine", "tier", "tool"
]
"""What sums can be told apart by: `model`, `engine` and `tier` those of requests, `tool` those of
tool calls, the others both."""

_EPOCH: Final = date(1970, 1, 1)
_DAY: Final = 86_400
_LAST_CHANGE: Final = int(datetime(2040, 1, 1, tzinfo=UTC).timestamp())
"""Seconds since the epoch, outside of which a zone's offset is taken not to change."""

_STEP: Final = 14 * _DAY
"""No zone changes its offset more often than that."""


class UsageTotal(msgspec.Struct, frozen=True):
    """Requests of some sessions; `key` has a value for each dimension: a day is a date."""

    key: tuple[date | str, ...]
    sessions: int
    requests: int
    tokens: Tokens
    money: Money


class ToolTotal(msgspec.Struct, frozen=True):
    """Tool calls of some sessions by how they ended.

    `duration` is the sum in milliseconds, without the time in which they waited for the user.
    """

    key: tuple[date | str, ...]
    sessions: int
    ok: int
    failed: int
    denied: int
    unknown: int
    duration: int


def usage(
    db: sqlite3.Connection,
    scope: Scope,
    by: Sequence[Dimension],
    period: Period,
    zone: tzinfo | None,
    own_prices: Mapping[str, Override],
) -> list[UsageTotal]:
    """What the requests in a period come to, by some dimensions and in their order.

    A request counts with the slot that it was made in. `own_prices` are the user's, by model.
    """
    columns = [f"sum({name})" for name in Tokens.__struct_fields__]
    sums = ("sum(requests)", *columns, *_money(db, own_prices))
    seconds, verify = f"slot * {SLOT_SECONDS}", seals.verify_usage
    rows = _sums(db, scope, by, period, zone, "usage", verify, "usage", seconds, sums)
    return [
        UsageTotal(key, sessions, requests, Tokens(*tokens), Money(usd, lower_bound, unpriced))
        for key, (sessions, requests, *tokens, usd, lower_bound, unpriced) in rows
    ]


def tools(
    db: sqlite3.Connection,
    scope: Scope,
    by: Sequence[Dimension],
    period: Period,
    zone: tzinfo | None,
) -> list[ToolTotal]:
    """What the tool calls that began in a period come to, by some dimensions and in their order."""
    outcomes = [f"sum(calls * (outcome = '{name}'))" for name in ToolTotal.__struct_fields__[2:6]]
    sums = (*outcomes, "coalesce(sum(duration * NOT waited), 0)")
    table = (
        "(SELECT tool.* FROM tool JOIN part USING (session, file) "
        "WHERE tool.counts AND part.counts)"
    )
    seconds, verify = "start / 1000", seals.verify_parts
    rows = _sums(db, scope, by, period, zone, "tool", verify, table, seconds, sums)
    return [ToolTotal(key, *values) for key, values in rows]


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


def _sums(
    db: sqlite3.Connection,
    scope: Scope,
    by: Sequence[Dimension],
    period: Period,
    zone: tzinfo | None,
    told_by: Literal["usage", "tool"],
    verify: Callable[[sqlite3.Connection, str, tuple[Any, ...]], None],
    table: str,
    seconds: str,
    sums: Sequence[str],
) -> Iterator[tuple[tuple[date | str, ...], tuple[Any, ...]]]:
    """The sums of a table by the values of the dimensions, in the order of these values."""
    columns = {"day": _day(seconds, _changes(zone)), "tool": "name", "session": "session_id"}
    keys = [columns.get(dimension, dimension) for dimension in by]
    ranges = {">=": period.since, "<": period.until}
    within = [f"{seconds} {sign} {int(end.timestamp())}" for sign, end in ranges.items() if end]
    name = texts(db)
    found: dict[tuple[date | str, ...], tuple[Any, ...]] = {}
    seals.verify_children(db)
    for condition, values in query.conditions(db, scope, told_by=told_by):
        verify(db, condition, values)
        where = " AND ".join([condition, *within])
        statement = (
            f"SELECT {', '.join([*keys, 'count(DISTINCT session.id)', *sums])} "
            # Rows are looked for as they are where they are verified: by their session.
            f"FROM session CROSS JOIN {table} ON session.id = session "
            f"WHERE {where} "
            f"GROUP BY {', '.join(map(str, range(1, len(keys) + 1))) or 'NULL'}"
        )
        for row in db.execute(statement, values):
            key = tuple(
                _value(name, dimension, value) for dimension, value in zip(by, row, strict=False)
            )
            found[key] = row[len(keys) :]
    return iter(sorted(found.items()))


def _value(name: dict[int, str], dimension: Dimension, value: int | str) -> date | str:
    """What a column says: most hold the number of a name."""
    if isinstance(value, str):
        return value
    return _EPOCH + timedelta(days=value) if dimension == "day" else named(name, value)


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
