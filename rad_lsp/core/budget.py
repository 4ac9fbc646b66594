"""Budgets of a session, a day, a week and a month: which are passed, and how far each will go."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from rad_lsp.core.money import NOTHING, Money, total
from rad_lsp.core.period import Period, Weekday, days_into_week, midnight

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import tzinfo

    from rad_lsp.core.session import Session

Name: TypeAlias = Literal["session", "day", "week", "month"]
Limit: TypeAlias = Annotated[float, msgspec.Meta(ge=0)]
Percent: TypeAlias = Annotated[float, msgspec.Meta(gt=0, le=1000)]
OnProject: TypeAlias = tuple[str, Name]
"""A project as the settings name it, and which of its budgets."""

HISTORY_DAYS: Final = 28
"""Of how many days before today the daily spending is looked at."""

LEAST_DAYS: Final = 3
"""With fewer days of history nothing is expected."""

_PERIODS: Final[tuple[Name, ...]] = ("day", "week", "month")
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)


class ProjectBudget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that may be spent on a project, in USD; None is without limit."""

    day: Limit | None = None
    week: Limit | None = None
    month: Limit | None = None


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that may be spent, in USD; None is without limit.

    `warn_at` are the thresholds of all budgets, in percent. `projects` have budgets of their own,
    by the path of a project's folder or by that folder's name.
    """

    session: Limit | None = None
    day: Limit | None = None
    week: Limit | None = None
    month: Limit | None = None
    warn_at: Annotated[tuple[Percent, ...], msgspec.Meta(max_length=10)] = (80, 100)
    projects: dict[str, ProjectBudget] = {}


class Passed(msgspec.Struct, frozen=True):
    """A budget of `limit` USD of which a threshold is passed by what was spent.

    `threshold` is the highest such one, in percent. `project` is empty where the budget is for all.
    """

    name: Name
    spent: Money
    limit: float
    threshold: float = 100
    project: str = ""


class Outlook(msgspec.Struct, frozen=True):
    """How a budget of `limit` USD is used up at one moment, and how far it will go.

    `within` is its period, None for that of a session; `session_id` tells which. `threshold` is the
    highest one that is passed. `burn` is USD per `unit`. `expected` is what will have been spent
    when the period ends, `low` and `high` its range, by the `days` days of history; None where too
    little is known. `runs_out` is None where that is not known, or not before the period ends.
    """

    name: Name
    limit: float
    spent: Money
    within: Period | None
    threshold: float | None
    burn: Money | None
    unit: Literal["hour", "day"]
    days: int = 0
    expected: Money | None = None
    low: Money | None = None
    high: Money | None = None
    runs_out: datetime | None = None
    project: str = ""
    session_id: str = ""

    @property
    def is_passed(self) -> bool:
        """Whether more was spent than there was, thresholds aside."""
        return (self.spent.usd or 0) > self.limit

    @property
    def warns(self) -> bool:
        """Whether it is passed, or one of its thresholds is."""
        return self.is_passed or self.threshold is not None

    @property
    def left(self) -> float | None:
        """USD that are left, negative once the budget is passed; None where that is not known."""
        return None if self.spent.usd is None else self.limit - self.spent.usd

    @property
    def used(self) -> float | None:
        """What was spent in percent of the limit; None where that is not known, or no number."""
        if self.spent.usd is None or not self.limit:
            return None
        used = 100 * (self.spent.usd / self.limit)
        return used if isfinite(used) else None


def term(name: Name, today: date, week_start: Weekday = "monday") -> tuple[date, date]:
    """The first day of the current day, week or month, and the first one after it."""
    if name == "month":
        first = today.replace(day=1)
        return first, (first + timedelta(days=31)).replace(day=1)
    if name == "week":
        first = today - timedelta(days=days_into_week(today, week_start))
        return first, first + timedelta(days=7)
    return today, today + _DAY


def periods(
    budget: Budget | ProjectBudget,
    now: datetime,
    zone: tzinfo | None,
    week_start: Weekday = "monday",
) -> dict[Name, Period]:
    """The current day, week and month in `zone`, of those that have a budget.

    They are open: what a clock that was set back left in the future counts, too.
    """
    today = now.astimezone(zone).date()
    return {
        name: Period(midnight(term(name, today, week_start)[0], zone), None)
        for name in _PERIODS
        if getattr(budget, name) is not None
    }


def threshold(budget: Budget, limit: float, spent: Money) -> float | None:
    """The highest of the budget's thresholds that is passed, in percent; None when none is."""
    usd = spent.usd or 0
    return max(
        (percent for percent in budget.warn_at if usd > limit * (percent / 100)), default=None
    )


def passed(
    budget: Budget, spent: Mapping[Name, Money], on_projects: Mapping[OnProject, Money] = {}
) -> tuple[Passed, ...]:
    """The budgets of which a threshold is passed, given what was spent on each."""
    parts = [("", name, money) for name, money in spent.items()]
    parts += [(project, name, money) for (project, name), money in on_projects.items()]
    found = []
    for project, name, money in parts:
        limit = limit_of(budget, name, project)
        if limit is not None and (highest := threshold(budget, limit, money)) is not None:
            found.append(Passed(name, money, limit, highest, project))
    return tuple(found)


def limit_of(budget: Budget, name: Name, project: str = "") -> float | None:
    """USD that may be spent, on a project or in all; None is without limit."""
    limit: float | None = getattr(budget.projects[project] if project else budget, name)
    return limit


def history(spent: Mapping[date, Money], today: date) -> tuple[Money, ...]:
    """What was spent on each day from the first with spending among the last 28 until yesterday."""
    days = [today - _DAY * back for back in range(HISTORY_DAYS, 0, -1)]
    first = next((number for number, day in enumerate(days) if day in spent), len(days))
    return tuple(spent.get(day, NOTHING) for day in days[first:])


def of_period(
    budget: Budget,
    name: Name,
    spent: Money,
    days: Sequence[Money],
    now: datetime,
    zone: tzinfo | None,
    *,
    project: str = "",
    week_start: Weekday = "monday",
) -> Outlook:
    """How the budget of the current day, week or month is used up; `days` are its `history`.

    The burn rate is what was spent by the time that has passed. What will have been spent in the
    end is expected to be what was spent so far, and the mean of the days of history for each day
    that remains. The range has the quartiles of these days in place of the mean, which it includes.
    The budget runs out at the burn rate.
    """
    limit = limit_of(budget, name, project) or 0.0
    today = now.astimezone(zone).date()
    first, end = term(name, today, week_start)
    within = Period(midnight(first, zone), midnight(end, zone))
    unit = _HOUR if name == "day" else _DAY
    burn = _burn(spent, now - midnight(first, zone), unit)
    tomorrow = midnight(today + _DAY, zone)
    rest = (tomorrow - now) / (tomorrow - midnight(today, zone)) + (end - today).days - 1
    expected, low, high = _expected(spent, days, rest)
    return Outlook(
        name=name,
        limit=limit,
        spent=spent,
        within=within,
        threshold=threshold(budget, limit, spent),
        burn=burn,
        unit="hour" if name == "day" else "day",
        days=len(days),
        expected=expected,
        low=low,
        high=high,
        runs_out=_runs_out(limit, spent, burn, unit, now, within.until),
        project=project,
    )


def of_session(budget: Budget, session: Session, last: datetime | None, now: datetime) -> Outlook:
    """How the budget of a session is used up; `last` is its end, None while it goes on."""
    limit = budget.session or 0.0
    burn = _burn(session.money, (last or now) - session.start_time, _HOUR)
    return Outlook(
        name="session",
        limit=limit,
        spent=session.money,
        within=None,
        threshold=threshold(budget, limit, session.money),
        burn=burn,
        unit="hour",
        runs_out=None if last else _runs_out(limit, session.money, burn, _HOUR, now, None),
        session_id=session.id,
    )


def _burn(spent: Money, elapsed: timedelta, unit: timedelta) -> Money | None:
    """What was spent per unit of time; None where that, or the time, is not known."""
    if spent.usd is None or elapsed <= timedelta():
        return None
    return replace(spent, usd=spent.usd / (elapsed / unit))


def _expected(
    spent: Money, days: Sequence[Money], rest: float
) -> tuple[Money, Money, Money] | tuple[None, None, None]:
    """What will have been spent in `rest` days, and its range."""
    known = total(days)
    if len(days) < LEAST_DAYS or spent.usd is None or known.usd is None:
        return None, None, None
    from statistics import quantiles  # slow to load, and prompts do not need it

    mean = known.usd / len(days)
    low, _, high = quantiles([day.usd or 0.0 for day in days], n=4, method="inclusive")
    sure = spent + known
    at_mean, at_low, at_high = (
        replace(sure, usd=spent.usd + daily * rest)
        for daily in (mean, min(low, mean), max(high, mean))
    )
    return at_mean, at_low, at_high


def _runs_out(
    limit: float,
    spent: Money,
    burn: Money | None,
    unit: timedelta,
    now: datetime,
    until: datetime | None,
) -> datetime | None:
    if spent.usd is None or spent.usd > limit or burn is None or (burn.usd or 0) <= 0:
        return None
    try:
        moment = now + unit * ((limit - spent.usd) / (burn.usd or 0))
    except OverflowError:  # not within the time that has dates
        return None
    return moment if until is None or moment < until else None
