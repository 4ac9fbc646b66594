"""Which budgets have been passed."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from rad_lsp.core import budget
from rad_lsp.core.budget import Budget, Passed
from rad_lsp.core.money import Money
from rad_lsp.core.period import Period

BERLIN = ZoneInfo("Europe/Berlin")
EVERY = Budget(session=1, day=2, week=3, month=4)


def at(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("now", "day", "week", "month"),
    [
        ("2025-12-10T12:00Z", "2025-12-09T23:00Z", "2025-12-07T23:00Z", "2025-11-30T23:00Z"),
        ("2025-12-07T22:59Z", "2025-12-06T23:00Z", "2025-11-30T23:00Z", "2025-11-30T23:00Z"),
        ("2025-12-07T23:00Z", "2025-12-07T23:00Z", "2025-12-07T23:00Z", "2025-11-30T23:00Z"),
        ("2025-03-31T12:00Z", "2025-03-30T22:00Z", "2025-03-30T22:00Z", "2025-02-28T23:00Z"),
    ],
)
def test_periods_begin_at_the_users_midnight_and_weeks_on_monday(now, day, week, month):
    assert budget.periods(EVERY, at(now), BERLIN) == {
        "day": Period(at(day)),
        "week": Period(at(week)),
        "month": Period(at(month)),
    }


def test_only_periods_with_a_budget_are_asked_for():
    assert [*budget.periods(Budget(week=0), at("2025-12-10T12:00Z"), BERLIN)] == ["week"]
    assert budget.periods(Budget(session=5), at("2025-12-10T12:00Z"), BERLIN) == {}


def test_a_budget_is_passed_when_more_is_spent_than_there_was():
    day, month = Money(2.01), Money(400.0, 1)
    passed = budget.passed(EVERY, {"session": Money(1.0), "day": day, "month": month})
    assert passed == (Passed("day", day, 2), Passed("month", month, 4))


def test_a_budget_of_nothing_is_passed_by_any_cost():
    assert budget.passed(Budget(day=0), {"day": Money(0.0)}) == ()
    cent = Money(0.01)
    assert budget.passed(Budget(day=0), {"day": cent}) == (Passed("day", cent, 0),)


def test_what_is_not_known_passes_no_budget():
    assert budget.passed(Budget(day=0), {"day": Money(None, 0, 1)}) == ()


def test_without_a_budget_none_is_passed():
    assert budget.passed(Budget(), {"day": Money(1e9)}) == ()
