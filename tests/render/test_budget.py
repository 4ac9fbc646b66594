"""Budgets as they read, as text, Markdown, JSON and in the status line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rad_lsp.core import budget as core
from rad_lsp.core.budget import Budget, Passed, ProjectBudget
from rad_lsp.core.money import Money
from rad_lsp.render import answers, rows
from rad_lsp.render import budget as outlooks
from rad_lsp.render.status_line import marked
from rad_lsp.service import StatusFigures, Sum
from rad_lsp.service.budget import Budgets

NOW = datetime(2025, 12, 11, 12, tzinfo=UTC)
HOSTILE = "\x1b[2Ja|b*\u202e"
LIMITS = Budget(day=6, month=42, projects={HOSTILE: ProjectBudget(week=1)})


def of(name, spent, days=(), project=""):
    days = tuple(map(Money, days))
    return core.of_period(LIMITS, name, spent, days, NOW, UTC, project=project)


@pytest.fixture
def budgets():
    return Budgets(
        (
            of("day", Money(3.0), [1.0, 2.0, 3.0]),
            of("month", Money(21.0, 2, 1), [1.0, 2.0, 3.0]),
            of("week", Money(0.9), project=HOSTILE),
            of("day", Money(None, 0, 1)),
            of("month", Money(50.0)),
        ),
        LIMITS.warn_at,
    )


def lines(budgets, **options):
    _, _, head, _, *found = outlooks.text(budgets, UTC, **options).splitlines()
    return [head, *found]


def test_each_budget_is_a_line(budgets):
    head, day, month, week, unknown, over, _, *rules, _, note = lines(budgets)
    assert head.split("  ")[0] == "Budget"
    assert day.split() == [
        *("Day", "$3.0000", "$6.0000", "$3.0000", "50.0%", "$0.2500/hour", "$4.0000"),
        *("$3.7500", "to", "$4.2500", "not", "today"),
    ]
    assert month.split() == [
        *("Month", "≥", "$21.0000", "$42.0000", "≤", "$21.0000", "≥", "50.0%"),
        *("≥", "$2.0000/day", "≥", "$62.0000", "≥", "$51.7500", "to", "$72.2500"),
        *("≤", "2025-12-22"),
    ]
    assert week.startswith("⚠ Week, \\x1b[2Ja|b*\\u202e  ")
    assert unknown.split() == ["Day", "n/a", "$6.0000", *["n/a"] * 6]
    assert over.startswith("⚠ Month ")
    assert over.split()[4:] == ["-$8.0000", "119.0%", "$4.7619/day", "n/a", "n/a", "passed"]
    assert "(3, 0 here)" in rules[1]
    assert "fewer than 3" in rules[1]
    assert len(rules) == 3
    assert note == (
        "≥ and n/a: 2 requests have no final usage recorded, 1 request has no known price"
    )


def test_on_a_narrow_terminal_columns_give_way_and_are_named(budgets):
    found = lines(budgets, width=60)
    table = found[: len(budgets.rows) + 1]
    assert max(map(len, table)) <= 60
    assert all(header in found[0] for header in ("Budget", "Spent", "Left", "Runs out"))
    assert any(line.startswith("Left out, for lack of width: ") for line in found)


def test_without_a_budget_it_says_how_to_set_one():
    none = Budgets((), (80.0, 100.0))
    said = (
        "No budget is set. Add [budget] and, below it, day = 20 to your settings; "
        "'rad doctor' names the file.\n"
    )
    assert outlooks.text(none, UTC) == said
    assert outlooks.markdown(none, UTC) == said
    assert not rows.answer(answers.budget(none, UTC))["rows"]


def test_markdown_shows_names_literally(budgets):
    printed = outlooks.markdown(budgets, UTC)
    assert "| ⚠ Week, \\\\x1b\\[2Ja\\|b\\*\\\\u202e | $0.9000 |" in printed
    assert printed.isprintable() or "\x1b" not in printed


def test_programs_get_figures_and_nulls(budgets):
    day, month, week, unknown, over = rows.answer(answers.budget(budgets, UTC))["rows"]
    assert day == {
        "name": "day",
        "limit": 6.0,
        "cost": 3.0,
        "left": 3.0,
        "used": 50.0,
        "threshold": None,
        "passed": False,
        "burn_rate": 0.25,
        "burn_rate_per": "hour",
        "expected": 4.0,
        "expected_low": 3.75,
        "expected_high": 4.25,
        "history_days": 3,
        "runs_out": None,
        "since": "2025-12-11T00:00:00Z",
        "until": "2025-12-12T00:00:00Z",
        "project": None,
        "session_id": None,
        "cost_is_lower_bound": False,
        "expected_is_lower_bound": False,
        "unpriced": 0,
    }
    assert (month["cost_is_lower_bound"], month["expected_is_lower_bound"]) == (True, True)
    assert (month["unpriced"], month["runs_out"]) == (1, "2025-12-22T00:00:00Z")
    assert (week["project"], week["threshold"], week["passed"]) == (HOSTILE, 80.0, False)
    assert [unknown[key] for key in ("cost", "left", "used", "burn_rate", "expected")] == [None] * 5
    assert (over["threshold"], over["passed"], over["left"]) == (100.0, True, -8.0)
    assert answers.budget(budgets, UTC).text == outlooks.text(budgets, UTC)


def status(*passed):
    return StatusFigures(None, Sum(0, Money(), 0, None), Sum(0, Money(), 0, None), 0, passed)


def test_a_line_for_a_prompt_names_the_budgets_that_are_passed():
    assert marked("$1", status()) == "$1"
    passed = (
        Passed("day", Money(17.0), 20, 80),
        Passed("week", Money(1.0), 0),
        Passed("month", Money(2.0), 1, project=HOSTILE),
    )
    said = marked("$1", status(*passed))
    assert said == "$1 ⚠ day 85.0%, week, month of \\x1b[2Ja|b*\\u202e 200.0%"
    assert len(marked("$1", status(*passed * 1_000))) < 10_000
