"""Which budgets have been passed, and how far each will go."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from rad_lsp.core import budget
from rad_lsp.core.budget import Budget, Passed, ProjectBudget
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
    whole = replace(EVERY, warn_at=(100,))
    passed = budget.passed(whole, {"session": Money(1.0), "day": day, "month": month})
    assert passed == (Passed("day", day, 2), Passed("month", month, 4))


def test_a_budget_of_nothing_is_passed_by_any_cost():
    assert budget.passed(Budget(day=0), {"day": Money(0.0)}) == ()
    cent = Money(0.01)
    assert budget.passed(Budget(day=0), {"day": cent}) == (Passed("day", cent, 0),)


def test_what_is_not_known_passes_no_budget():
    assert budget.passed(Budget(day=0), {"day": Money(None, 0, 1)}) == ()


def test_without_a_budget_none_is_passed():
    assert budget.passed(Budget(), {"day": Money(1e9)}) == ()


def test_the_highest_threshold_that_is_passed_counts():
    def found(usd, **changes):
        passed = budget.passed(replace(Budget(day=10), **changes), {"day": Money(usd)})
        return [one.threshold for one in passed]

    assert found(8.0) == []
    assert found(8.01) == [80]
    assert found(10.01) == [100]
    assert found(15.5, warn_at=(150, 50)) == [150]
    assert found(99.0, warn_at=()) == []


def test_projects_have_budgets_of_their_own():
    limits = Budget(day=10, projects={"shop": ProjectBudget(day=1, month=5)})
    found = budget.passed(
        limits, {"day": Money(1.0)}, {("shop", "day"): Money(1.5), ("shop", "month"): Money(1.5)}
    )
    assert found == (Passed("day", Money(1.5), 1, project="shop"),)


@pytest.mark.parametrize("limit", [1e308, 5e-324, 0.0])
def test_budgets_of_any_size_are_told(limit):
    found = outlook(Budget(month=limit), "month", Money(1.0))
    assert found.left == limit - 1.0
    assert found.is_passed is (limit < 1)
    assert found.used is None or found.used >= 0


def test_weeks_begin_on_the_day_that_is_set():
    sunday, monday = date(2025, 12, 7), date(2025, 12, 8)
    assert budget.term("week", sunday) == (date(2025, 12, 1), monday)
    assert budget.term("week", sunday, "sunday") == (sunday, date(2025, 12, 14))
    assert budget.term("week", monday, "sunday") == (sunday, date(2025, 12, 14))
    (within,) = budget.periods(Budget(week=1), at("2025-12-10T12:00Z"), BERLIN, "sunday").values()
    assert within == Period(at("2025-12-06T23:00Z"))


def test_months_end_where_the_next_one_begins():
    assert budget.term("month", date(2025, 12, 31)) == (date(2025, 12, 1), date(2026, 1, 1))
    assert budget.term("month", date(2028, 2, 29)) == (date(2028, 2, 1), date(2028, 3, 1))


NOON = "2025-12-11T12:00Z"
"""Ten and a half days into the month; a Thursday."""


def outlook(limits, name, spent, days=(), now=NOON, zone=UTC):
    return budget.of_period(limits, name, spent, tuple(days), at(now), zone)


def usd(*amounts):
    return tuple(map(Money, amounts))


def test_the_burn_rate_is_that_of_the_time_that_has_passed():
    day = outlook(Budget(day=6), "day", Money(3.0))
    assert (day.burn, day.unit) == (Money(0.25), "hour")
    assert day.runs_out is None  # at midnight it is not before the end
    month = outlook(Budget(month=42), "month", Money(21.0, 2, 1))
    assert (month.burn, month.unit) == (Money(2.0, 2, 1), "day")
    assert month.runs_out == at("2025-12-22T00:00Z")
    assert month.left == 21.0
    assert month.used == 50.0


def test_what_is_expected_follows_the_days_of_history():
    days = usd(0.0, 1.0, 2.0, 3.0, 9.0)
    found = outlook(Budget(month=50), "month", Money(10.0), days)
    # 20.5 days remain; the mean is 3, the quartiles are 1 and 3.
    assert (found.expected, found.low, found.high) == usd(71.5, 30.5, 71.5)
    assert found.days == 5
    day = outlook(Budget(day=50), "day", Money(10.0), days)
    assert (day.expected, day.low, day.high) == usd(11.5, 10.5, 11.5)


def test_the_rest_of_a_day_is_a_share_of_its_hours():
    # The day has 25 hours, of which 12.5 remain.
    now = "2025-10-26T11:30+01:00"
    days = usd(4.0, 4.0, 4.0)
    found = outlook(Budget(week=50), "week", Money(1.0), days, now, BERLIN)
    assert found.expected == Money(3.0)


def test_with_less_than_three_days_of_history_nothing_is_expected():
    for days in ((), usd(1.0), usd(1.0, 1.0)):
        found = outlook(Budget(month=50), "month", Money(10.0), days)
        assert (found.expected, found.low, found.high) == (None, None, None)
    assert outlook(Budget(month=50), "month", Money(10.0), usd(1.0, 1.0, 1.0)).expected


def test_what_is_not_known_stays_unknown_and_a_lower_bound_one():
    unknown = outlook(Budget(month=50), "month", Money(None, 0, 3), usd(1.0, 1.0, 1.0))
    assert (unknown.left, unknown.used, unknown.burn) == (None, None, None)
    assert (unknown.expected, unknown.runs_out, unknown.is_passed) == (None, None, False)
    days = (Money(1.0), Money(None, 0, 1), Money(2.0, 1))
    found = outlook(Budget(month=50), "month", Money(10.0), days)
    assert found.expected == Money(10.0 + 20.5, 1, 1)
    assert outlook(Budget(month=50), "month", Money(1.0), [Money(None, 0, 1)] * 3).expected is None


def test_at_the_very_beginning_of_a_period_there_is_no_rate():
    found = outlook(Budget(day=5), "day", Money(0.0), now="2025-12-11T00:00Z")
    assert (found.burn, found.runs_out) == (None, None)


def test_history_begins_with_the_first_day_of_spending_and_ends_yesterday():
    today = date(2025, 12, 11)
    spent = {
        date(2025, 11, 12): Money(99.0),
        date(2025, 12, 8): Money(1.0),
        date(2025, 12, 10): Money(2.0),
        today: Money(99.0),
    }
    assert budget.history(spent, today) == usd(1.0, 0.0, 2.0)
    assert len(budget.history({date(2025, 11, 13): Money(1.0)}, today)) == 28
    assert budget.history({}, today) == ()
