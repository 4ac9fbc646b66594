"""`rad stats budget`: what is left, and what it exits with."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest


@pytest.fixture
def spent(claude_code, midday):
    """Spends $0.0045 now, and on each of three days before; gives the options of the zone."""
    now = datetime.now(UTC) - timedelta(seconds=30)
    for back in range(4):
        claude_code(f"s{back}", start=(now - timedelta(days=back)).isoformat()).answer()
    return ["--timezone", midday]


@pytest.fixture
def budget(rad, workspace, spent):
    return lambda *options, **more: rad(
        "stats", "budget", *spent, *options, **{"cwd": workspace.root} | more
    )


def test_budgets_are_listed_with_the_rules(budget, user_settings):
    user_settings("[budget]\nday = 0.005\nmonth = 100\n[budget.projects.workspace]\nday = 1\n")
    done = budget()
    assert (done.returncode, done.stderr) == (0, "")
    title, _, _, _, day, month, project, *rest = done.stdout.splitlines()
    assert title == "Budgets"
    assert day.split()[:5] == ["⚠", "Day", "$0.0045", "$0.0050", "$0.0005"]
    assert month.split()[0] == "Month"
    assert project.split()[:3] == ["Day,", "workspace", "$0.0045"]
    assert "Expected: spent so far, and for each day that remains the mean" in "\n".join(rest)


def test_json_has_the_same(budget, user_settings):
    user_settings("[budget]\nday = 0.005\n")
    found = json.loads(budget("--json").stdout)
    (row,) = found["rows"]
    assert (row["name"], row["threshold"], row["passed"]) == ("day", 80.0, False)
    assert row["cost"] == pytest.approx(0.0045)
    assert row["history_days"] == 3
    assert row["expected_low"] <= row["expected"] <= row["expected_high"]
    assert found["warn_at"] == [80.0, 100.0]
    assert len(found["rules"]) == 3


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("", 0, ""),
        ("[budget]\nday = 1", 0, ""),
        ("[budget]\nday = 0.005", 0, ""),
        ("[budget]\nday = 0.004", 1, "The day's budget of $0.0040 is passed: $0.0045.\n"),
        ("[budget]\nday = 0\nwarn_at = []", 1, "The day's budget of $0.0000 is passed: $0.0045.\n"),
        (
            "[budget.projects.workspace]\nmonth = 0",
            1,
            "The month's budget of $0.0000 for workspace is passed: $",
        ),
        ("[budget]\nday = -1", 2, "Error: "),
        ("[budget]\nwarn_at = 80", 2, "Error: "),
        ("[budget", 2, "Error: "),
    ],
)
def test_fail_over_tells_by_its_exit_code(budget, user_settings, text, code, said):
    user_settings(text)
    done = budget("--fail-over")
    assert done.returncode == code
    assert done.stderr.startswith(said)
    assert bool(done.stderr) == bool(said)
    assert bool(done.stdout) == (code != 2)


def test_without_fail_over_a_budget_that_is_passed_is_no_failure(budget, user_settings):
    user_settings("[budget]\nday = 0\n")
    assert budget().returncode == 0
    user_settings("[budget]\nday = -1\n")
    assert budget().returncode == 1


def test_a_folder_that_is_none_can_not_be_told(budget, tmp_path):
    assert budget("--fail-over", "--workspace", tmp_path / "none").returncode == 2
    assert budget("--fail-over", "--nonsense").returncode == 2


def test_without_sessions_nothing_was_spent(rad, tmp_path, user_settings):
    user_settings("[budget]\nday = 0\nsession = 0\n")
    done = rad("stats", "budget", "--fail-over", "--json", cwd=tmp_path)
    assert done.returncode == 0
    (row,) = json.loads(done.stdout)["rows"]
    assert (row["cost"], row["expected"], row["passed"]) == (0.0, None, False)


def test_without_a_budget_it_says_how_to_set_one(budget):
    assert "No budget is set. Add [budget]" in budget().stdout
    assert json.loads(budget("--json").stdout)["rows"] == []


def test_all_projects_count_where_they_are_asked_for(budget, claude_code, user_settings, tmp_path):
    now = (datetime.now(UTC) - timedelta(seconds=30)).isoformat()
    claude_code("elsewhere", tmp_path / "other", start=now).answer()
    user_settings("[budget]\nday = 1\n[budget.projects.other]\nday = 1\n")

    def spent(*options):
        rows = json.loads(budget("--json", *options).stdout)["rows"]
        return [round(row["cost"] / 0.0045) for row in rows]

    assert spent() == [1, 1]
    assert spent("--all-projects") == [2, 1]


def test_a_prompt_names_the_budgets_that_are_passed(rad, workspace, spent, user_settings, budget):
    budget()  # reads all transcripts, which a prompt does not wait for

    def line():
        return rad("status", "--format", "{cost}", *spent, cwd=workspace.root).stdout

    user_settings("[budget]\nday = 0.006\n")
    assert line() == "$0.0045\n"
    user_settings(
        '[budget]\nday = 0.005\n[budget.projects."work\\u001bspace"]\nday = 0\n'
        "[budget.projects.workspace]\nday = 0.0045\n[budget.projects.other]\nday = 0\n"
    )
    assert line() == "$0.0045 ⚠ day 90.0%, day of workspace 100.0%\n"
    user_settings("[budget]\nday = 0.005\nwarn_at = [95]\n")
    assert line() == "$0.0045\n"
