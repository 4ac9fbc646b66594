"""The use cases: the one door to the sessions, for the command line and the server.

Most functions here ask a snapshot one question and return core values. Other modules of this
package open the sessions, look after the index, or read a single document; `workspace` finds the
workspace.

Nothing here prints, speaks a protocol or looks at a clock; `now` is passed in. Errors that the
user can mend are `RadError`s. A module that only some functions need is imported by them, because
`rad status` runs at every shell prompt.
"""

from __future__ import annotations

import os
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from rad_lsp import atomic, places
from rad_lsp.core import budget as budgets
from rad_lsp.core import figures, money, naming, period
from rad_lsp.core import usage as usages
from rad_lsp.core.errors import (
    NoPreviousSession,
    OutputExists,
    OutputNotWritable,
    SessionUnreadable,
    reason,
)
from rad_lsp.core.limits import Limit
from rad_lsp.core.money import Money
from rad_lsp.core.period import ALWAYS, Period, Weekday
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session, SessionTotals
from rad_lsp.pricing import Prices as Prices
from rad_lsp.pricing import price_list_age as price_list_age
from rad_lsp.sources import NAMES, radium
from rad_lsp.sources import RADIUM as RADIUM
from rad_lsp.store import files
from rad_lsp.store import workspace as workspace
from rad_lsp.store.snapshot import Snapshot as Snapshot  # noqa: TC001  (the server makes one)
from rad_lsp.store.snapshot import warned as warned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, tzinfo

    from rad_lsp.core.comparison import Comparison
    from rad_lsp.core.cost import CostRow, CostTable, Savings
    from rad_lsp.core.listing import Order
    from rad_lsp.core.spending import PriceList
    from rad_lsp.core.usage import Kind, UsageTable
    from rad_lsp.store.machine import Machine as Machine
    from rad_lsp.store.prices import KnownPrices as KnownPrices
    from rad_lsp.store.query import Selection as Selection
    from rad_lsp.store.snapshot import Entry
    from rad_lsp.store.snapshot import Skipped as Skipped
    from rad_lsp.store.store import Store as Store
    from rad_lsp.store.totals import Sums as Sums
    from rad_lsp.store.workspace import Workspace as Workspace

SOURCES = NAMES
"""The names of all sources of sessions."""

REPORTS_FOLDER = radium.FOLDER
"""Where reports lie in a workspace."""

NO_BUDGET = budgets.Budget()

_IN_TOTALS = frozenset({"cost", "tool_calls", "success_rate"})
"""The columns that need only a part of a session, which is unpacked faster."""

MAX_LIMIT = 100
"""The most sessions that a page of history may have."""


class Page(msgspec.Struct, frozen=True):
    """Some sessions of a history, newest first.

    `total` counts all sessions of the history; `sources` are the sources of all of them.
    """

    sessions: tuple[Session, ...]
    total: int
    sources: frozenset[str] = frozenset()


class Sum(msgspec.Struct, frozen=True):
    """Several sessions added up.

    `success_rate` is in percent of the tool calls but those of which it is not known how they
    ended, None where there are no others.
    """

    sessions: int
    money: Money
    tool_calls: int
    success_rate: float | None
    unknown_tool_calls: int = 0

    @property
    def cost(self) -> float | None:
        """USD, None where no price is known."""
        return self.money.usd


class StatusFigures(msgspec.Struct, frozen=True):
    """What a status line shows.

    `session` is the one that it is about, None where there is none; `totals` are those of all
    sessions, `today` those of the user's day. `skipped` counts files that can't be read, `passed`
    are the budgets of which a threshold is passed, `limits` those of all plans, where the line
    shows any. `awaited` tells that the session that was asked for has recorded nothing yet,
    `reading` that sessions are still to be read: figures are minima then.
    """

    session: Session | None
    totals: Sum
    today: Sum
    skipped: int
    passed: tuple[budgets.Passed, ...] = ()
    awaited: bool = False
    reading: bool = False
    limits: tuple[Limit, ...] = ()

    @property
    def warning(self) -> bool:
        """Whether files were skipped, a budget's threshold is passed, or figures contradict."""
        problems = self.session.problems if self.session else ()
        contradict = any(problem.severity == "warning" for problem in problems)
        return bool(self.skipped or self.passed or contradict)


def session(snapshot: Snapshot, reference: str | None) -> Session:
    """The session that `reference` names, or the most recent.

    Raises NoSessions, SessionNotFound, SessionAmbiguous.
    """
    return snapshot.latest() if reference is None else snapshot.resolve(reference)


def selected(snapshot: Snapshot, reference: str | None, within: Period) -> Iterable[Session]:
    """The session that `reference` names, else all last active within a period, newest first.

    Raises NoSessions, SessionNotFound, SessionAmbiguous when one is named.
    """
    if reference is not None:
        return [snapshot.resolve(reference)]
    return (entry.session for entry in snapshot.within(within))


def cut(snapshot: Snapshot, within: Period) -> Iterator[Session]:
    """The sessions that touch a period, each with what it spent in it, newest first.

    Requests count by their time, in slots of fifteen minutes: see `usages.within`.
    """
    if within == ALWAYS:
        yield from snapshot.sessions()
        return
    for entry in snapshot.within(Period(within.since)):
        if session := usages.within(entry.session, within):
            yield session


def usage(
    snapshot: Snapshot,
    kind: Kind,
    reference: str | None = None,
    within: Period = ALWAYS,
    price_list: PriceList | None = None,
) -> UsageTable:
    """Usage per model or engine of one session, or of all in a period.

    The price list tells which spellings are one model. Raises NoSessions, SessionNotFound,
    SessionAmbiguous when one is named.
    """
    name = naming.as_recorded if price_list is None else naming.by(price_list)
    return usages.table(_asked_for(snapshot, reference, within), kind, name)


def one_row_per_model(session: Session, price_list: PriceList) -> Session:
    """The session with one row per model, however it is spelled; a report's own as recorded."""
    if session.source == RADIUM and not session.children:
        return session
    return usages.with_one_row_per_model(session, naming.by(price_list))


def history(
    snapshot: Snapshot,
    limit: int,
    offset: int = 0,
    within: Period = ALWAYS,
    order: Order | None = None,
) -> Page:
    """Up to `limit` sessions within a period, newest first, without the first `offset`.

    In another `order`, those of which its column is not known come last, and those that are equal
    newest first; most columns need every session of the period to be unpacked. Without one, the
    snapshot may be one of the newest sessions only: see `sessions.newest`.
    """
    entries = snapshot.within(within)
    if order is not None:
        entries = _ordered(entries, order)
    page = tuple(entry.session for entry in entries[offset : offset + limit])
    if within == ALWAYS:
        return Page(page, snapshot.total, snapshot.sources)
    return Page(page, len(entries), frozenset(map(attrgetter("source"), entries)))


def _ordered(entries: Sequence[Entry], order: Order) -> tuple[Entry, ...]:
    from rad_lsp.core import listing

    value = listing.value(order.column)
    if order.column in _IN_TOTALS:
        values = [(value(entry.totals), entry) for entry in entries]  # type: ignore[arg-type]
    else:
        values = [(value(entry.session), entry) for entry in entries]
    known = [pair for pair in values if pair[0] is not None]
    known.sort(key=itemgetter(0), reverse=order.descending)
    unknown = (pair for pair in values if pair[0] is None)
    return tuple(entry for _, entry in (*known, *unknown))


def compare(snapshot: Snapshot, a: str | None, b: str) -> Comparison:
    """Session `b` measured against session `a`, or against the one of its agent before it.

    Raises NoSessions, SessionNotFound, SessionAmbiguous, NoPreviousSession.
    """
    from rad_lsp.core import comparison

    if a is not None:
        return comparison.between(snapshot.resolve(a), snapshot.resolve(b))
    later = snapshot.resolve(b)
    previous = snapshot.previous(later.id)
    if previous is None:
        raise NoPreviousSession(later.id)
    return comparison.between(snapshot.resolve(previous), later)


def status(
    snapshot: Snapshot,
    now: datetime,
    zone: tzinfo | None,
    budget: budgets.Budget = NO_BUDGET,
    session_id: str = "",
    *,
    totals: bool | Sum = True,
    reading: bool = False,
    limits: tuple[Limit, ...] = (),
    on_projects: Mapping[budgets.OnProject, Money] = {},
    week_start: Weekday = "monday",
) -> StatusFigures:
    """What a status line shows at `now`; `zone` tells when the user's day began.

    It is about the session with the id `session_id`, else about the most recent one. To add up
    thousands of sessions takes longer than the rest: `totals` are their sums where these are known;
    where it is False the sums are zero. `on_projects` is what was spent on projects' budgets.
    `reading` tells that the snapshot is not complete.
    """
    if not isinstance(totals, Sum):
        totals = _sum(snapshot.entries if totals else ())
    entry = snapshot.by_id.get(session_id) if session_id else None
    session = (entry.session if entry else None) if session_id else snapshot.newest
    spent: dict[budgets.Name, Money] = {} if session is None else {"session": session.money}
    for name, since in budgets.periods(budget, now, zone, week_start).items():
        spent[name] = spent_within(snapshot, since)
    today = period.today(now, zone)
    return StatusFigures(
        session=session,
        totals=totals,
        today=msgspec.structs.replace(
            _sum(snapshot.within(today)), money=spent_within(snapshot, today)
        ),
        skipped=len(snapshot.skipped),
        passed=budgets.passed(budget, spent, on_projects),
        awaited=bool(session_id) and session is None,
        reading=reading,
        limits=limits,
    )


def status_period(
    now: datetime, zone: tzinfo | None, budget: budgets.Budget, week_start: Weekday = "monday"
) -> Period:
    """The time whose sessions a status line without totals adds up.

    The session that it is about may be of another.
    """
    today = period.today(now, zone)
    others = budgets.periods(budget, now, zone, week_start).values()
    since = min(one.since for one in (today, *others) if one.since is not None)
    return Period(since, None if others else today.until)


def spent_within(snapshot: Snapshot, within: Period) -> Money:
    """What was spent in a period."""
    return money.total(session.money for session in cut(snapshot, within))


def cost(
    snapshot: Snapshot,
    price_list: PriceList,
    reference: str | None = None,
    within: Period = ALWAYS,
) -> CostTable:
    """What the cost of one session, or of all in a period, is made of.

    Raises NoSessions, SessionNotFound, SessionAmbiguous when one is named.
    """
    from rad_lsp.core import cost as costs

    return costs.table(_asked_for(snapshot, reference, within), price_list)


def savings(session: Session, price_list: PriceList) -> Savings:
    """What the cache saved in a session. Prices are looked up only where it had a cache."""
    from rad_lsp.core import cost as costs

    return costs.savings(session, price_list)


def cost_rows(
    session: Session, price_list: PriceList, model: str | None = None
) -> tuple[CostRow, ...]:
    """What a session's cost, or that of one of its models, is made of."""
    from rad_lsp.core import cost as costs

    return costs.rows(session, price_list, model)


def stored(session: Session) -> bytes:
    """The session's report as it is stored now, in valid JSON. Raises SessionUnreadable.

    A session of another agent, and one that has such sessions within it, as it is shown.
    """
    from rad_lsp.core import report

    if session.source != RADIUM or session.children:
        return report.shown(session)
    data = files.read_whole(session.path)
    if data is None:
        raise SessionUnreadable(session.path, "it has been deleted")
    found = data if isinstance(data, Problem) else report.read(data)
    if isinstance(found, Problem):
        raise SessionUnreadable(session.path, found.reason)
    return cast("bytes", data)


def write(
    path: Path, chunks: Iterable[bytes], *, overwrite: bool, workspace: Path | None = None
) -> int:
    """Write an output whole or not at all; returns its size in bytes.

    A link is followed within the folder that `path` names, or within the workspace where `path`
    names a place in it: whoever made the link must not choose which other file is written.

    Raises OutputExists, OutputNotWritable, and what `chunks` raises.
    """
    name = str(path)
    try:
        if path.is_dir():
            raise OutputNotWritable(name, "it is a folder")
        if overwrite and path.exists() and not path.is_file():
            raise OutputNotWritable(name, "it is not a regular file")
        if not overwrite and os.path.lexists(path):
            raise OutputExists(name)
        within = workspace if workspace and places.holds(workspace, path) else None
        places.check_inside(path, within or path.absolute().parent)
        return atomic.write(path, chunks, overwrite=overwrite)
    except FileExistsError:
        raise OutputExists(name) from None
    except FileNotFoundError:
        folder = Path(os.path.realpath(path)).parent
        raise OutputNotWritable(name, f"the folder {folder} does not exist") from None
    except OSError as error:
        raise OutputNotWritable(name, reason(error)) from None
    except ValueError:
        raise OutputNotWritable(name, "no file may have such a name") from None


def _asked_for(snapshot: Snapshot, reference: str | None, within: Period) -> Iterable[Session]:
    """The session that `reference` names, else what all spent in a period."""
    return cut(snapshot, within) if reference is None else [snapshot.resolve(reference)]


def added_up(found: Iterable[SessionTotals]) -> Sum:
    """Several sessions added up."""
    totals = list(found)
    added = SessionTotals(
        money=money.total(one.money for one in totals),
        tool_calls=sum(one.tool_calls for one in totals),
        successful_tool_calls=sum(one.successful_tool_calls for one in totals),
        unknown_tool_calls=sum(one.unknown_tool_calls for one in totals),
    )
    return Sum(
        sessions=len(totals),
        money=added.money,
        tool_calls=added.tool_calls,
        success_rate=figures.success_rate(added),
        unknown_tool_calls=added.unknown_tool_calls,
    )


def _sum(entries: Iterable[Entry]) -> Sum:
    return added_up(entry.totals for entry in entries)
