"""What was spent on budgets, of the workspace and of projects, and what tells them apart."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

import pytest

from rad_lsp.core.budget import Budget, Passed, ProjectBudget
from rad_lsp.core.money import Money
from rad_lsp.service import budget, sessions
from rad_lsp.settings import Settings

ONE = 0.0045
"""What an answer costs."""

NOW = datetime(2026, 3, 12, 12, tzinfo=UTC)
"""A Thursday."""


@pytest.fixture
def overview(workspace):
    """All budgets of the workspace at noon, by name and project."""

    def told(limits, now=NOW, **options):
        machine = sessions.open_machine()
        try:
            store = sessions.open_store(machine, workspace.root)
            settings = Settings(budget=limits, timezone="UTC", **options)
            found = budget.overview(store, store.refresh(), workspace.root, settings, now)
        finally:
            machine.close()
        return {(row.name, row.project): row for row in found.rows}

    return told


def repository(folder):
    subprocess.run(["git", "init", "-q", folder], check=True)
    return folder


def test_each_budget_counts_the_requests_of_its_period(overview, claude_code):
    claude_code("now", start="2026-03-12T11:00:00+00:00").answer().answer()
    claude_code("monday", start="2026-03-09T09:00:00+00:00").answer()
    claude_code("first", start="2026-03-01T09:00:00+00:00").answer()
    claude_code("february", start="2026-02-28T09:00:00+00:00").answer()
    found = overview(Budget(session=1, day=1, week=1, month=1))
    spent = {name: row.spent.usd for (name, _), row in found.items()}
    assert spent == {
        "session": pytest.approx(2 * ONE),
        "day": pytest.approx(2 * ONE),
        "week": pytest.approx(3 * ONE),
        "month": pytest.approx(4 * ONE),
    }
    assert found["session", ""].session_id == "now"
    # From the last of February to the day before: 12 days with three answers.
    assert {row.days for row in found.values()} == {0, 12}
    expected = found["day", ""].expected
    assert expected.usd == pytest.approx(2 * ONE + 3 * ONE / 12 / 2)


def test_days_of_history_hold_reports_and_transcripts_together(overview, workspace, claude_code):
    for day in (9, 10, 11):
        claude_code(f"c{day}", start=f"2026-03-{day:02}T09:00:00+00:00").answer()
        workspace.add(f"r{day}", start_time=f"2026-03-{day:02}T09:00:00Z", total_cost=1.0,
                      end_time=f"2026-03-{day:02}T10:00:00Z")  # fmt: skip
    (row,) = overview(Budget(day=1)).values()
    assert row.days == 3
    assert row.low.usd == row.high.usd == pytest.approx((1 + ONE) / 2)


def test_a_project_is_told_by_a_path_or_a_name(overview, claude_code, tmp_path):
    shop = repository(tmp_path / "code" / "shop")
    (shop / "src").mkdir()
    claude_code("a", shop / "src", start="2026-03-12T11:00:00+00:00").answer()
    claude_code("b", shop, start="2026-03-12T11:00:00+00:00").answer()
    claude_code("c", tmp_path / "plain", start="2026-03-12T11:00:00+00:00").answer()
    claude_code("d", tmp_path / "shop2", start="2026-03-12T11:00:00+00:00").answer()
    names = ["shop", f"{shop}", f"{shop}/", f"{shop}/src", f"{tmp_path}/plain", "plain", "sho",
             "nowhere/at/all", "", "/", ".", "\x1b[2J"]  # fmt: skip
    found = overview(Budget(projects={name: ProjectBudget(month=1) for name in names}))
    spent = {name: round(row.spent.usd / ONE) for (_, name), row in found.items()}
    assert spent == dict(zip(names, [2, 2, 2, 2, 1, 1, 0, 0, 0, 0, 0, 0], strict=True))


def test_a_worktree_is_part_of_its_repositorys_project(overview, claude_code, tmp_path):
    shop = repository(tmp_path / "shop")
    author = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *author, "commit", "-qm", "x", "--allow-empty"], cwd=shop, check=True)
    subprocess.run(["git", "worktree", "add", "-q", "../tree"], cwd=shop, check=True)
    claude_code("a", tmp_path / "tree", start="2026-03-12T11:00:00+00:00").answer()
    for name in ("shop", f"{tmp_path}/tree"):
        (row,) = overview(Budget(projects={name: ProjectBudget(day=1)})).values()
        assert row.spent.usd == pytest.approx(ONE)


def test_a_home_folder_is_written_short(overview, claude_code, monkeypatch, tmp_path):
    claude_code("a", tmp_path / "x", start="2026-03-12T11:00:00+00:00").answer()
    found = overview(Budget(projects={"~/x": ProjectBudget(day=1)}))
    assert found["day", "~/x"].spent.usd == 0
    # Agents' folders are looked up by it, too: only the name is told by another one.
    names = budget.concerning(Budget(projects={"~/x": ProjectBudget(day=1)}), tmp_path / "x")
    assert names == []
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    names = budget.concerning(Budget(projects={"~/x": ProjectBudget(day=1)}), tmp_path / "x")
    assert names == ["~/x"]


def test_only_the_budgets_of_its_own_project_concern_a_workspace(workspace):
    limits = Budget(projects={name: ProjectBudget(day=1) for name in ("workspace", "other")})
    assert budget.concerning(limits, workspace.root) == ["workspace"]


def test_without_sessions_nothing_was_spent_and_nothing_is_expected(overview):
    found = overview(Budget(session=1, day=1, month=0, projects={"p": ProjectBudget(week=1)}))
    assert [*found] == [("day", ""), ("month", ""), ("week", "p")]
    assert {row.spent for row in found.values()} == {Money(0.0)}
    assert {row.expected for row in found.values()} == {None}
    assert {row.is_passed for row in found.values()} == {False}


def test_a_clock_that_was_set_back_hides_no_spending(overview, claude_code):
    claude_code("later", start="2026-03-12T18:00:00+00:00").answer()
    claude_code("now", start="2026-03-12T11:00:00+00:00").answer()
    limits = Budget(day=0.006, projects={"workspace": ProjectBudget(day=0.006)})
    spent = [row.spent.usd for row in overview(limits).values()]
    assert spent == pytest.approx([2 * ONE, 2 * ONE])


def test_a_budget_without_an_end_is_none(overview):
    assert overview(Budget(day=float("inf"), week=1e308)).keys() == {("week", "")}


def test_damage_that_sums_find_is_mended(overview, claude_code):
    claude_code("a", start="2026-03-12T11:00:00+00:00").answer()
    limits = Budget(projects={"workspace": ProjectBudget(day=1)})
    before = overview(limits)
    machine = sessions.open_machine()
    machine.index.connection.execute("UPDATE session SET project = 999999")
    machine.close()
    assert overview(limits) == before


def claims(root, passed, timezone="UTC", now=NOW, **limits):
    settings = Settings(timezone=timezone, budget=Budget(**limits))
    return budget.claims(passed, settings, root, None, now)


def test_budgets_thresholds_and_periods_are_told_apart(workspace, tmp_path):
    day = Passed("day", Money(30.0), 20)
    first = claims(workspace.root, day)
    assert len(first) == 2
    others = [
        claims(workspace.root, Passed("day", Money(30.0), 25)),
        claims(workspace.root, Passed("week", Money(30.0), 20)),
        claims(workspace.root, Passed("day", Money(30.0), 20, project="workspace")),
        claims(workspace.root, day, now=NOW.replace(day=13)),
        claims(tmp_path, day),
    ]
    assert len({tuple(other) for other in others} | {tuple(first)}) == 6
    assert not {*first} & {claim for other in others for claim in other}
    # More spent, another zone with the same day, or a threshold that is passed later: the same.
    assert claims(workspace.root, Passed("day", Money(31.0), 20)) == first
    assert claims(workspace.root, day, timezone="Asia/Tokyo") == first
    assert claims(workspace.root, Passed("day", Money(17.0), 20, 80)) == first[1:]


def test_worktrees_of_a_repository_are_told_together(tmp_path):
    shop = repository(tmp_path / "shop")
    author = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *author, "commit", "-qm", "x", "--allow-empty"], cwd=shop, check=True)
    subprocess.run(["git", "worktree", "add", "-q", "../tree"], cwd=shop, check=True)
    day = Passed("day", Money(30.0), 20)
    assert claims(shop, day) == claims(tmp_path / "tree", day)
    (shop / "part").mkdir()
    assert claims(shop / "part", day) != claims(shop, day)
