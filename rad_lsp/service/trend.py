"""What was spent and done by hour, day, week or month, from sums that the index makes."""

from __future__ import annotations

import math
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec.structs import replace

from rad_lsp.core import naming, trend
from rad_lsp.core.errors import RadError
from rad_lsp.core.period import ALWAYS, Period, Weekday
from rad_lsp.core.spending import SLOT_SECONDS, PriceList, Spending
from rad_lsp.core.trend import Calls, Span, Split, Tally, Trend, Unit
from rad_lsp.store.totals import When

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rad_lsp.store.totals import Dimension, Key, Sums, UsageTotal

_OF_REQUESTS = frozenset({"model", "engine"})
"""What only tells requests apart; a tool only tells tool calls apart."""

_RULE: tuple[Dimension, ...] = ("model", "engine", "tier", "threshold", "reported", "known")
"""By what requests are billed, but for the time."""

_SLOTS_OF_A_DAY = 24 * 3600 // SLOT_SECONDS


class Prices(PriceList, Protocol):
    """A price list that knows for how long its prices hold."""

    def span(self, model: str, engine: str, tier: str = "") -> int:
        """For how many slots since the epoch, at a time, a model has one price."""


class Question(msgspec.Struct, frozen=True):
    """Which spans are asked for, and by what they are split.

    Where the period has no beginning these are the last `count` ones. Days are those of `zone`, or
    local ones when that is None; `now` is when it is asked.
    """

    unit: Unit
    now: datetime
    zone: tzinfo | None = None
    within: Period = ALWAYS
    count: int | None = None
    split: Split | None = None
    week_start: Weekday = "monday"


def ask(sums: Sums, question: Question, prices: Prices) -> Trend:
    """What the spans come to; there are none where there are no sessions.

    Raises RadError where there are too many spans.
    """
    within, now, zone = question.within, question.now, question.zone
    oldest = sums.oldest()
    count = question.count or trend.DEFAULT_COUNT[question.unit]
    began = None if within.since is None else sums.first(within.since)
    first = None if began is None else _moment(began)
    try:
        spans = trend.of_period(question.unit, within, count, now, zone, question.week_start, first)
    except trend.TooManySpans:
        raise RadError(
            f"The period has more than {trend.MOST:,} {question.unit}s. "
            "Choose a shorter one with since and until, or longer spans."
        ) from None
    tally = Tally(question.split, prices)
    if oldest is None or not spans:
        return tally.trend(question.unit, ())
    _add(tally, sums, spans, question.split, prices)
    is_older = within.since is None and oldest < spans[0].begin.timestamp()
    return tally.trend(question.unit, spans, _moment(oldest) if is_older else None)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _add(
    tally: Tally, sums: Sums, spans: tuple[Span, ...], split: Split | None, prices: Prices
) -> None:
    """Tell the tally all that was done in the spans."""
    bounds = [math.ceil(span.begin.timestamp()) for span in spans]
    when = When.spans((*bounds, math.ceil(spans[-1].end.timestamp())))
    # What can't be told apart by the split has no part, and counts in its span alone.
    parts: list[Dimension] = [split] if split else []
    of_requests = parts if split != "tool" else []
    of_calls = parts if split not in _OF_REQUESTS else []
    of_sessions = of_requests if split not in _OF_REQUESTS else []
    usage = _usage(sums, when, of_requests, prices)
    name = model_names([str(total.key[1]) for total in usage], prices) if split == "model" else {}

    def place(key: Key) -> tuple[Any, str | None]:
        span, *found = key
        return span, name.get(str(found[0]), str(found[0])) if found else None

    for total in usage:
        where = place(total.key[: 1 + len(of_requests)])
        tally.request(*where, _spending(total))
        tally.sessions(*where, total.numbers)
    for calls in sums.tools(["span", *of_calls], when):
        where = place(calls.key)
        tally.calls(*where, Calls(calls.ok, calls.failed, calls.denied, calls.unknown))
        tally.sessions(*where, calls.numbers)
    for key, added, removed in sums.lines(["span", *of_sessions], when):
        tally.lines(*place(key), added, removed)


def _usage(sums: Sums, when: When, by: list[Dimension], prices: Prices) -> list[UsageTotal]:
    """Sums of requests that have one price each; their rule and a slot of theirs come last."""
    found = sums.usage(["span", *by, *_RULE, "utc_day"], when)
    rules = {
        total.key[-len(_RULE) - 1 :][:3]
        for total in found
        if total.tokens.cache_read or total.tokens.cache_write
    }
    if any(prices.span(*map(str, rule)) < _SLOTS_OF_A_DAY for rule in rules):
        return sums.usage(["span", *by, *_RULE, "slot"], when)
    return [
        replace(total, key=(*total.key[:-1], int(total.key[-1]) * _SLOTS_OF_A_DAY))
        for total in found
    ]


def _spending(total: UsageTotal) -> Spending:
    model, engine, tier, threshold, reported, _known, slot = total.key[-len(_RULE) - 1 :]
    return Spending(
        slot, model, engine, tier, threshold, bool(reported),
        requests=total.requests, tokens=total.tokens, money=total.money,
    )  # fmt: skip


def model_names(spellings: Iterable[str], prices: Prices) -> dict[str, str]:
    """What the models are called that requests spell in some ways."""
    groups: dict[str, set[str]] = {}
    different = set(spellings)
    name = naming.by(prices) if len(different) > 1 else naming.as_recorded
    for spelling in different:
        groups.setdefault(name(spelling), set()).add(spelling)
    return {
        spelling: naming.shown(named, group)
        for named, group in groups.items()
        for spelling in group
    }
