"""Budgets: what was spent on each, how far it will go, and what of it was said already."""

from __future__ import annotations

import os
from datetime import date, timedelta
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from rad_lsp import repository, service
from rad_lsp.core import budget as budgets
from rad_lsp.core import figures, money, transcript
from rad_lsp.core.budget import Outlook
from rad_lsp.core.paths import folder_key
from rad_lsp.core.period import Period, midnight
from rad_lsp.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime, tzinfo

    from rad_lsp.core.budget import Budget, Name, OnProject, Passed
    from rad_lsp.core.money import Money
    from rad_lsp.core.session import Session
    from rad_lsp.service import Snapshot
    from rad_lsp.settings import Settings
    from rad_lsp.store.totals import Dimension, UsageTotal

T = TypeVar("T")


class Budgets(msgspec.Struct, frozen=True):
    """All budgets that are set, as they are used up now, and the thresholds at which they warn.

    One without an end (`inf`) is none.
    """

    rows: tuple[Outlook, ...]
    warn_at: tuple[float, ...]

    @property
    def passed(self) -> tuple[Outlook, ...]:
        """Those of which more was spent than there was."""
        return tuple(row for row in self.rows if row.is_passed)


def overview(
    store: Store,
    snapshot: Snapshot,
    root: Path,
    settings: Settings,
    now: datetime,
) -> Budgets:
    """All budgets that are set: those of the snapshot's sessions, and those of all projects.

    Sessions of a project count wherever they are asked for; reports only in their own workspace.
    `snapshot` has the store's sessions that are in `service.status_period`, at least.
    """
    budget, zone, week_start = settings.budget, settings.zone, settings.week_start
    today = now.astimezone(zone).date()
    rows = []
    newest = snapshot.newest
    if budget.session is not None and newest is not None:
        rows.append(budgets.of_session(budget, newest, _last(newest, now), now))

    def outlook(name: Name, spent: Money, days: dict[date, Money], project: str = "") -> Outlook:
        past = budgets.history(days, today)
        return budgets.of_period(
            budget, name, spent, past, now, zone, project=project, week_start=week_start
        )

    if periods := budgets.periods(budget, now, zone, week_start):
        days = _by_day(_past(store, ("day", "source"), today, zone))
        rows += [
            outlook(name, service.spent_within(snapshot, within), days)
            for name, within in periods.items()
        ]
    if budget.projects:
        everywhere = _everywhere(store, root, settings)
        past = _past(everywhere, ("day", "project", "source"), today, zone)
        spent = _on_projects(everywhere, settings, budget.projects, now)
        for (project, name), amount in spent.items():
            counts = _counts(project)
            days = _by_day(total for total in past if counts(str(total.key[1])))
            rows.append(outlook(name, amount, days, project))
    return Budgets(tuple(row for row in rows if isfinite(row.limit)), budget.warn_at)


def on_projects(
    store: Store, root: Path, settings: Settings, now: datetime
) -> dict[OnProject, Money]:
    """What was spent on the budgets of the project that a workspace lies in, if it has any."""
    names = concerning(settings.budget, root)
    if not names:
        return {}
    everywhere = _everywhere(store, root, settings)
    return _on_projects(everywhere, settings, names, now)


def concerning(budget: Budget, root: Path) -> list[str]:
    """The projects with a budget, as the settings name them, that a workspace is part of."""
    if not budget.projects:
        return []
    project = repository.project_of(str(root))
    return [name for name in budget.projects if _counts(name)(project)]


def claims(
    passed: Passed, settings: Settings, root: Path, session: Session | None, now: datetime
) -> list[tuple[str, ...]]:
    """What tells a budget, each of its thresholds that is passed, and its period from all others.

    The highest threshold comes first. All worktrees of a repository are one workspace. A day is
    told by its date, so that it is the same one in another time zone.
    """
    if passed.name == "session" and session is not None:
        whose, when = session.source, session.id
    else:
        today = now.astimezone(settings.zone).date()
        first, _ = budgets.term(passed.name, today, settings.week_start)
        whose, when = passed.project or _workspace(root), first.isoformat()
    kind = "project" if passed.project else "workspace"
    warn_at = sorted(settings.budget.warn_at, reverse=True)
    return [
        (kind, whose, passed.name, repr(float(passed.limit)), repr(float(percent)), when)
        for percent in warn_at
        if percent <= passed.threshold
    ]


def _last(session: Session, now: datetime) -> datetime | None:
    """When a session was last active; None of one that goes on."""
    running = figures.state(session, now) == "running"
    return None if running else figures.last_activity(session)


def _counts(name: str) -> Callable[[str], bool]:
    """Whether the sessions of a project, as the store has it, count for a name in the settings.

    A name with a slash is the path of the project's folder, or of one in its repository; another
    one is the name of the project's folder, and there may be several that are called so.
    """
    if "/" not in name and os.sep not in name:
        key = folder_key(name)
        return lambda project: bool(key) and folder_key(project).rpartition("/")[2] == key
    folder = os.path.normpath(os.path.expanduser(name))  # noqa: PTH111  (raises where no home is)
    found = repository.project_of(folder)
    hashed = {transcript.hashed(folder), transcript.hashed(found)}
    keys = {folder_key(folder), folder_key(found), folder_key(os.path.realpath(folder))}
    return lambda project: folder_key(project) in keys or project in hashed


def _workspace(root: Path) -> str:
    real = Path(os.path.realpath(root))
    found = repository.find(real)
    return str(real) if found is None else f"{found.common}\0{real.relative_to(found.root)}"


def _everywhere(store: Store, root: Path, settings: Settings) -> Store:
    """The sessions of all projects, of which the index has what `store` has read."""
    return Store(store.machine, root, settings.sources, settings.prices, everywhere=True)


def _on_projects(
    everywhere: Store, settings: Settings, names: Collection[str], now: datetime
) -> dict[OnProject, Money]:
    budget, zone, week_start = settings.budget, settings.zone, settings.week_start
    wanted = {name: budgets.periods(budget.projects[name], now, zone, week_start) for name in names}
    sums: dict[Period, list[UsageTotal]] = {}
    found: dict[OnProject, Money] = {}
    for name, periods in wanted.items():
        counts = _counts(name)
        for kind, within in periods.items():
            if within not in sums:
                sums[within] = everywhere.usage_totals(("project", "source"), within, zone)
            spent = (total.money for total in sums[within] if counts(str(total.key[0])))
            found[name, kind] = money.total(spent)
    return found


def _past(
    store: Store, by: tuple[Dimension, ...], today: date, zone: tzinfo | None
) -> list[UsageTotal]:
    """The sums of the days of history."""
    first = today - timedelta(days=budgets.HISTORY_DAYS)
    return store.usage_totals(by, Period(midnight(first, zone), midnight(today, zone)), zone)


def _by_day(totals: Iterable[UsageTotal]) -> dict[date, Money]:
    days: dict[date, list[Money]] = {}
    for total in totals:
        if isinstance(day := total.key[0], date):
            days.setdefault(day, []).append(total.money)
    return {day: money.total(amounts) for day, amounts in days.items()}
