"""Which budgets have been passed: of one session, of the day, the week, the month."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import msgspec

from rad_lsp.core.money import Money
from rad_lsp.core.period import Period, midnight

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

Name: TypeAlias = Literal["session", "day", "week", "month"]
Limit: TypeAlias = Annotated[float, msgspec.Meta(ge=0)]


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that may be spent, in USD; None is without limit. A week begins on Monday."""

    session: Limit | None = None
    day: Limit | None = None
    week: Limit | None = None
    month: Limit | None = None


class Passed(msgspec.Struct, frozen=True):
    """A budget of `limit` USD that is passed by what was spent."""

    name: Name
    spent: Money
    limit: float


def periods(budget: Budget, now: datetime, zone: tzinfo | None) -> dict[Name, Period]:
    """The current day, week and month in `zone`, of those that have a budget."""
    today = now.astimezone(zone).date()
    since = {
        "day": today,
        "week": today - timedelta(days=today.weekday()),
        "month": today.replace(day=1),
    }
    names: tuple[Name, ...] = ("day", "week", "month")
    return {
        name: Period(midnight(since[name], zone), None)
        for name in names
        if getattr(budget, name) is not None
    }


def passed(budget: Budget, spent: dict[Name, Money]) -> tuple[Passed, ...]:
    """The budgets that are passed, given what was spent on each."""
    return tuple(
        Passed(name, money, limit)
        for name, money in spent.items()
        if (limit := getattr(budget, name)) is not None and (money.usd or 0) > limit
    )
