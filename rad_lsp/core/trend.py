"""What was spent and done by hour, day, week or month: spans of time, and what each comes to.

Requests and tool calls count at their own time, changed lines at the last activity of their
session, of which they are known as a whole. A session counts in each span in which it made a
request or a tool call.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

import msgspec

from rad_lsp.core import cost, figures, money
from rad_lsp.core.cost import Savings
from rad_lsp.core.money import Money
from rad_lsp.core.period import Period, Weekday, days_into_week, local, midnight
from rad_lsp.core.session import SessionTotals
from rad_lsp.core.tokens import NO_TOKENS, Tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rad_lsp.core.spending import PriceList, Spending

Unit: TypeAlias = Literal["hour", "day", "week", "month"]
Split: TypeAlias = Literal["model", "engine", "source", "project", "branch", "tool"]
SPLITS: Final[tuple[Split, ...]] = get_args(Split)

DEFAULT_COUNT: Final[dict[Unit, int]] = {"hour": 24, "day": 14, "week": 8, "month": 12}
"""How many spans are shown unless others are asked for."""

MOST_COUNTED: Final = 1_000
"""How many spans may be asked for by their number."""

MOST: Final = 10_000
"""Spans of one answer."""

_HOUR: Final = timedelta(hours=1)
_QUARTER: Final = timedelta(minutes=15)
_EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
"""No agent has done anything before."""

_LONGEST: Final = {
    "hour": timedelta(hours=2),
    "day": timedelta(days=2),
    "week": timedelta(days=8),
    "month": timedelta(days=32),
}
"""A span is no longer than this."""


class TooManySpans(ValueError):
    """A period has more spans than an answer may have."""


class Span(msgspec.Struct, frozen=True):
    """From `begin` up to, but not including, `end`; `label` is how people call it.

    That is the day `2026-03-02`, also of the week that begins then, the month `2026-03` or the
    hour `2026-03-02 14:00`, with its offset where the clock shows it twice: a day may have 25
    hours.
    """

    begin: datetime
    end: datetime
    label: str


class Calls(msgspec.Struct, frozen=True):
    """Tool calls by how they ended: the user refused those that were `denied`."""

    ok: int = 0
    failed: int = 0
    denied: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """All that were not denied."""
        return self.ok + self.failed + self.unknown

    @property
    def success_rate(self) -> float | None:
        """Percent of those whose outcome is known; None when there are none."""
        return figures.success_rate(
            SessionTotals(
                money=money.NOTHING,
                tool_calls=self.total,
                successful_tool_calls=self.ok + self.unknown,
                unknown_tool_calls=self.unknown,
            )
        )

    def __add__(self, other: Calls) -> Calls:
        return Calls(
            self.ok + other.ok,
            self.failed + other.failed,
            self.denied + other.denied,
            self.unknown + other.unknown,
        )


class Spent(msgspec.Struct, frozen=True):
    """What requests come to."""

    requests: int
    tokens: Tokens
    money: Money
    savings: Savings

    @property
    def cache_hit_rate(self) -> float | None:
        """Percent of the input tokens that were read from the cache; None without input."""
        return figures.percent(self.tokens.cache_read, self.tokens.input)


class Lines(msgspec.Struct, frozen=True):
    """Lines that were added and removed."""

    added: int = 0
    removed: int = 0


class Figures(msgspec.Struct, frozen=True):
    """What a span, or a part of it, comes to.

    None is what can't be told of the part: a tool call has no model, a request no tool.
    """

    sessions: int
    spent: Spent | None
    calls: Calls | None
    lines: Lines | None


class Part(msgspec.Struct, frozen=True):
    """Of a span what one model, project … comes to; the name is empty where none is known."""

    name: str
    figures: Figures


class Row(msgspec.Struct, frozen=True):
    """A span and what it comes to, with its parts, dearest first, where it is split."""

    span: Span
    figures: Figures
    parts: tuple[Part, ...] = ()


class Trend(msgspec.Struct, frozen=True):
    """The spans of a period, empty ones included, and the whole of it as `total`.

    The `total` of no spans is nothing.

    `older` is when a session was last active that is older than all of the spans; None where
    there is none, or where the period was asked for.
    """

    unit: Unit
    split: Split | None
    rows: tuple[Row, ...]
    total: Row
    older: datetime | None = None


def spans(
    unit: Unit, since: datetime, until: datetime, zone: tzinfo | None, week_start: Weekday
) -> tuple[Span, ...]:
    """The spans of a zone that a period touches, cut where it begins and ends.

    `until` must be later than `since`. Days, weeks and months begin at midnight in `zone`, or in
    local time when that is None. Raises TooManySpans.
    """
    least = {"hour": _QUARTER, "day": _HOUR * 23, "week": _HOUR * 167, "month": _HOUR * 671}
    if (until - since) / least[unit] > MOST * 5:
        raise TooManySpans
    bounds = []
    for bound in _BEGINS[unit == "hour"](unit, since, zone, week_start):
        bounds.append(bound)
        if bound >= until:
            break
    if len(bounds) > MOST + 1:
        raise TooManySpans
    labels = _labels(unit, bounds[:-1], zone)
    return tuple(
        Span(max(begin, since), min(end, until), label)
        for (begin, end), label in zip(pairwise(bounds), labels, strict=True)
    )


def of_period(
    unit: Unit,
    within: Period,
    count: int,
    now: datetime,
    zone: tzinfo | None,
    week_start: Weekday,
    first: datetime | None = None,
) -> tuple[Span, ...]:
    """The spans of a period up to that which `now` is in; without a beginning the last `count`.

    Those before the `first` moment at which anything was done are left out where the period begins
    earlier. Raises TooManySpans.
    """
    begin, until = _around(unit, now, zone, week_start)
    if within.until is not None:
        until = min(until, within.until)
    if within.since is None:
        since = max(until - _LONGEST[unit] * (count + 1), _EARLIEST)
        return spans(unit, since, until, zone, week_start)[-count:] if since < until else ()
    since = within.since
    if first is not None:
        begin, _ = _around(unit, first, zone, week_start)
        since = max(since, begin)
    return spans(unit, since, until, zone, week_start) if since < until else ()


def _around(
    unit: Unit, moment: datetime, zone: tzinfo | None, week_start: Weekday
) -> tuple[datetime, datetime]:
    """When the span begins and ends that a moment is in."""
    begin = end = moment
    for bound in _BEGINS[unit == "hour"](unit, moment, zone, week_start):
        begin, end = end, bound
        if bound > moment:
            break
    return begin, end


def _midnights(
    unit: Unit, since: datetime, zone: tzinfo | None, week_start: Weekday
) -> Iterator[datetime]:
    """When the days, weeks or months begin, from the one that a moment is in."""
    day = local(since, zone).date()
    if unit == "week":
        day -= timedelta(days=days_into_week(day, week_start))
    elif unit == "month":
        day = day.replace(day=1)
    while True:
        yield midnight(day, zone)
        if unit == "month":
            day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
        else:
            day += timedelta(days=7 if unit == "week" else 1)


def _hours(
    _unit: Unit, since: datetime, zone: tzinfo | None, _week_start: Weekday
) -> Iterator[datetime]:
    """When the clock's hour changes, from the hour that a moment is in; to 15 minutes.

    Where the clock is set forward or back, an hour may be shorter, and one may come twice.
    """
    since = since.astimezone(UTC)
    moment = since.replace(minute=since.minute // 15 * 15, second=0, microsecond=0)
    hour = _hour(moment, zone)
    while _hour(moment - _QUARTER, zone) == hour:
        moment -= _QUARTER
    while True:
        yield moment
        hour = _hour(moment, zone)
        while _hour(moment, zone) == hour:
            moment += _QUARTER


def _hour(moment: datetime, zone: tzinfo | None) -> tuple[Any, ...]:
    there = local(moment, zone)
    return there.date(), there.hour, there.utcoffset()


_BEGINS: Final = (_midnights, _hours)


def _labels(unit: Unit, begins: Sequence[datetime], zone: tzinfo | None) -> list[str]:
    locals_ = [local(begin, zone) for begin in begins]
    if unit == "month":
        return [f"{there:%Y-%m}" for there in locals_]
    if unit != "hour":
        return [there.date().isoformat() for there in locals_]
    labels = [f"{there:%Y-%m-%d %H:%M}" for there in locals_]
    times = Counter(labels)
    return [
        f"{label} {there:%z}" if times[label] > 1 else label
        for label, there in zip(labels, locals_, strict=True)
    ]


class Tally:
    """Adds up what the parts of spans have: each is told with the number of its span and its name.

    Where a span is not split, the name is empty. What has a name that is None counts in its span
    alone: with a split by model, that are tool calls.
    """

    def __init__(self, split: Split | None, price_list: PriceList) -> None:
        self._split = split
        self._prices = price_list
        self._sums: dict[tuple[int | None, str | None], _Sum] = defaultdict(_Sum)

    def request(self, span: int, name: str | None, row: Spending) -> None:
        """Requests to one model that are billed by one rule, at one price."""
        savings = cost.savings_of([row], self._prices)
        for one in self._of(span, name):
            one.requests.append(row)
            one.savings.append(savings)

    def calls(self, span: int, name: str | None, calls: Calls) -> None:
        """Tool calls."""
        for one in self._of(span, name):
            one.calls += calls

    def lines(self, span: int, name: str | None, added: int, removed: int) -> None:
        """Changed lines."""
        for one in self._of(span, name):
            one.added += added
            one.removed += removed

    def sessions(self, span: int, name: str | None, numbers: Iterable[int]) -> None:
        """Sessions that made a request or a tool call; each may be told several times."""
        for one in self._of(span, name):
            one.sessions.update(numbers)

    def trend(self, unit: Unit, spans: Sequence[Span], older: datetime | None = None) -> Trend:
        """What all of it comes to."""
        names: dict[int | None, list[str]] = defaultdict(list)
        for span, name in self._sums:
            if name is not None:
                names[span].append(name)

        def row(number: int | None, span: Span) -> Row:
            parts = [
                Part(name, self._sums[number, name].figures(self._split)) for name in names[number]
            ]
            whole = self._sums[number, None].figures(None)
            return Row(span, whole, tuple(sorted(parts, key=_dearest)))

        rows = tuple(row(number, span) for number, span in enumerate(spans))
        begin, end = (spans[0].begin, spans[-1].end) if spans else (_EARLIEST, _EARLIEST)
        total = row(None, Span(begin, end, "TOTAL"))
        return Trend(unit, self._split, rows, total, older)

    def _of(self, span: int, name: str | None) -> Iterable[_Sum]:
        """What something counts in: the part, its span, and both over all spans."""
        names = {None, None if self._split is None else name}
        return [self._sums[number, one] for number in (span, None) for one in names]


class _Sum:
    def __init__(self) -> None:
        self.requests: list[Spending] = []
        self.savings: list[Savings] = []
        self.calls = Calls()
        self.added = self.removed = 0
        self.sessions: set[int] = set()

    def figures(self, split: Split | None) -> Figures:
        rows = self.requests
        spent = Spent(
            sum([row.requests for row in rows]),
            _tokens(rows),
            money.total([row.money for row in rows]),
            _saved(self.savings),
        )
        of_requests = split in {"model", "engine"}
        return Figures(
            len(self.sessions),
            None if split == "tool" else spent,
            None if of_requests else self.calls,
            None if of_requests or split == "tool" else Lines(self.added, self.removed),
        )


def _tokens(rows: Sequence[Spending]) -> Tokens:
    columns = zip(*[msgspec.structs.astuple(row.tokens) for row in rows], strict=True)
    return Tokens(*map(sum, columns)) if rows else NO_TOKENS


def _saved(parts: Sequence[Savings]) -> Savings:
    """The sum; nothing was saved where there was no cache."""
    amounts = [part.usd for part in parts if part.usd is not None]
    left_out = dict.fromkeys(name for part in parts for name in part.left_out)
    return Savings(math.fsum(amounts) if amounts or not left_out else None, tuple(left_out))


def _dearest(part: Part) -> tuple[float, int, int, str]:
    spent, calls = part.figures.spent, part.figures.calls
    usd = (spent.money.usd or 0.0) if spent else 0.0
    tokens = spent.tokens.input + spent.tokens.output if spent else 0
    return -usd, -tokens, -(calls.total if calls else 0), part.name
