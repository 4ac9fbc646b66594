"""The overview: what today, this week and this month cost, on what, and what is left."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from rad_lsp.core import advice, money
from rad_lsp.core import budget as budgets
from rad_lsp.core.budget import Outlook
from rad_lsp.core.limits import Limit
from rad_lsp.core.money import Money
from rad_lsp.core.period import Period, midnight
from rad_lsp.core.session import Session
from rad_lsp.core.wording import counted
from rad_lsp.service import budget, limits, trend
from rad_lsp.store.totals import When

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo
    from pathlib import Path

    from rad_lsp.core.period import Weekday
    from rad_lsp.service import Snapshot, Store
    from rad_lsp.service.trend import Prices
    from rad_lsp.settings import Settings
    from rad_lsp.store.totals import Sums

Name: TypeAlias = Literal["day", "week", "month"]

_NAMES: Final[tuple[Name, ...]] = ("day", "week", "month")

MOST: Final = 5
"""How many projects, and how many models, are named."""


class Spent(msgspec.Struct, frozen=True):
    """What some sessions spent; `tokens` are input and output."""

    sessions: int
    tokens: int
    money: Money


class Span(msgspec.Struct, frozen=True):
    """The current day, week or month, and as much of the one before as has passed of this one."""

    name: Name
    within: Period
    now: Spent
    before: Spent


class Share(msgspec.Struct, frozen=True):
    """What was spent on a project or a model this week; the name is empty where none is known."""

    name: str
    tokens: int
    money: Money


class Overview(msgspec.Struct, frozen=True):
    """What `rad` shows.

    `here` are the spans of the folder that was asked about, empty where it has no sessions or all
    projects were asked about; `everywhere` those of all projects. `last` is the most recent
    session, of the folder where it has any. `attention` are sentences on what needs a look.
    """

    here: tuple[Span, ...]
    everywhere: tuple[Span, ...]
    last: Session | None
    projects: tuple[Share, ...]
    models: tuple[Share, ...]
    budgets: tuple[Outlook, ...]
    limits: tuple[Limit, ...]
    attention: tuple[str, ...]


def ask(
    here: Store, everywhere: Store, root: Path, settings: Settings, prices: Prices, now: datetime
) -> Overview:
    """The overview at `now` of what `here` has read; `root` is its workspace.

    Both are the same store where all projects are asked about. `here` has the sessions of
    `service.status_period`, at least. Raises sqlite3.DatabaseError.
    """
    snapshot = here.snapshot
    of_all = everywhere.sums
    spans = _spans(of_all, now, settings.zone, settings.week_start)
    own: tuple[Span, ...] = ()
    last = snapshot.newest
    if here is not everywhere and last is not None:
        own = _spans(here.sums, now, settings.zone, settings.week_start)
    if last is None:
        last = everywhere.recall().newest
    week = When(next(span.within for span in spans if span.name == "week"))
    models = _shares(of_all, "model", week)
    names = trend.model_names([share.name for share in models], prices)
    known = budget.overview(here, snapshot, root, settings, now)
    recorded = limits.status(here.machine, now)
    return Overview(
        here=own,
        everywhere=spans,
        last=last,
        projects=_dearest(_shares(of_all, "project", week)),
        models=_dearest(_together(models, names)),
        budgets=known.rows,
        limits=recorded,
        attention=tuple(_attention(snapshot, last, spans)),
    )


def periods(
    now: datetime, zone: tzinfo | None, week_start: Weekday
) -> dict[Name, tuple[Period, Period]]:
    """The current day, week and month, each with the same length of time of the one before.

    Both are told by the clock on the wall: at 10:00 of a day with 23 hours it is the day before
    until 10:00.
    """
    local = now.astimezone(zone)
    today = local.date()
    found: dict[Name, tuple[Period, Period]] = {}
    for name in _NAMES:
        first, end = budgets.term(name, today, week_start)
        earlier, _ = budgets.term(name, first - timedelta(days=1), week_start)
        day = min(earlier + (today - first), first - timedelta(days=1))
        same = datetime.combine(day, local.time(), zone).astimezone(now.tzinfo)
        before = Period(midnight(earlier, zone), min(same, midnight(first, zone)))
        found[name] = Period(midnight(first, zone), midnight(end, zone)), before
    return found


def _spans(sums: Sums, now: datetime, zone: tzinfo | None, week_start: Weekday) -> tuple[Span, ...]:
    """The spans, from sums between all moments at which one of them begins or ends."""
    asked = periods(now, zone, week_start)
    bounds = sorted(
        {bound for pair in asked.values() for period in pair for bound in _ends(period)}
    )
    when = When.spans(tuple(bounds))
    usage = [(bounds[int(total.key[0])], total) for total in sums.usage(["span"], when)]
    tools = [(bounds[int(total.key[0])], total) for total in sums.tools(["span"], when)]

    def spent(period: Period) -> Spent:
        since, until = _ends(period)
        totals = [total for begin, total in usage if since <= begin < until]
        numbers = [total.numbers for total in totals]
        numbers += [total.numbers for begin, total in tools if since <= begin < until]
        return Spent(
            len(frozenset().union(*numbers)),
            sum(total.tokens.input + total.tokens.output for total in totals),
            money.total(total.money for total in totals),
        )

    return tuple(
        Span(name, current, spent(current), spent(before))
        for name, (current, before) in asked.items()
    )


def _ends(period: Period) -> tuple[int, int]:
    assert period.since is not None and period.until is not None  # noqa: S101, PT018
    return ceil(period.since.timestamp()), ceil(period.until.timestamp())


def _shares(sums: Sums, by: Literal["project", "model"], when: When) -> list[Share]:
    return [
        Share(str(total.key[0]), total.tokens.input + total.tokens.output, total.money)
        for total in sums.usage([by], when)
    ]


def _together(shares: Iterable[Share], names: dict[str, str]) -> list[Share]:
    """The shares of names that are shown as one."""
    groups: dict[str, list[Share]] = {}
    for share in shares:
        groups.setdefault(names[share.name], []).append(share)
    return [
        Share(name, sum(one.tokens for one in group), money.total(one.money for one in group))
        for name, group in groups.items()
    ]


def _dearest(shares: Iterable[Share]) -> tuple[Share, ...]:
    ordered = sorted(shares, key=lambda one: (-(one.money.usd or 0.0), -one.tokens, one.name))
    return tuple(ordered[:MOST])


def _attention(snapshot: Snapshot, last: Session | None, spans: tuple[Span, ...]) -> Iterator[str]:
    """Sentences on files that were skipped, money that is not known, and contradictions."""
    if snapshot.skipped:
        yield f"{counted(len(snapshot.skipped), 'file')} skipped: {advice.SEE_SKIPPED}"
    if unpriced := max((span.now.money.unpriced for span in spans), default=0):
        yield f"{counted(unpriced, 'request')} without a known price: {advice.SEE_COST}"
    if last is not None and any(one.severity == "warning" for one in last.problems):
        yield f"the last session has warnings: {advice.SEE_SESSION}"
