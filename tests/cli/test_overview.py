"""`rad` alone."""

from __future__ import annotations

import json
import signal
import sys
import time

import pytest

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
PATIENCE = 30


@pytest.fixture
def now():
    """A time some seconds ago."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - 20))


@pytest.fixture
def two(workspace, claude_code, now, tmp_path):
    """A workspace with a session of today, beside another project with two answers."""
    claude_code("mine", start=now).answer(tools=["a"]).result("a")
    claude_code("other", tmp_path / "elsewhere", start=now).answer().answer()
    return workspace.root


def test_a_folders_sessions_come_first_and_all_projects_beside_them(rad, two, midday):
    done = rad("--timezone", midday, cwd=two)
    assert (done.returncode, done.stderr) == (0, "")
    first, _, head, rule, today, *rest = done.stdout.splitlines()
    assert first == str(two)
    assert head.split() == (
        ["Cost", "Before", "Change", "Tokens", "Sessions", "All", "projects", "Before", "Change"]
    )
    assert set(rule) == {"─"}
    cells = "Today $0.0045 $0.0000 n/a 1,100 1 $0.0135 $0.0000 n/a"
    assert today.split() == cells.split()
    text = "\n".join(rest)
    assert "elsewhere" in text
    assert "claude-sonnet-4-5-20250929  $0.0135" in text
    assert "Last session: " in text
    assert "█" not in text


def test_programs_get_the_same_figures(rad, two, midday):
    found = json.loads(rad("--json", "--timezone", midday, cwd=two).stdout)
    assert found["here"]["day"]["cost"] == pytest.approx(0.0045)
    assert found["all_projects"]["day"] | {"since": 0, "until": 0} == {
        "since": 0,
        "until": 0,
        "sessions": 2,
        "total_tokens": 3_300,
        "cost": pytest.approx(0.0135),
        "cost_is_lower_bound": False,
        "unpriced": 0,
        "before": {
            "sessions": 0,
            "total_tokens": 0,
            "cost": 0.0,
            "cost_is_lower_bound": False,
            "unpriced": 0,
        },
    }
    assert found["last_session"]["session_id"] == "mine"
    assert [one["name"].rpartition("/")[2] for one in found["projects"]] == [
        "elsewhere",
        "workspace",
    ]


def test_its_figures_are_those_of_sums_over_time(rad, two, midday):
    overview = json.loads(rad("--json", "--timezone", midday, cwd=two).stdout)
    for name, command in (("day", "daily"), ("week", "weekly"), ("month", "monthly")):
        done = rad("stats", command, "--json", "-n", 1, "--timezone", midday, cwd=two)
        (row,) = json.loads(done.stdout)["rows"]
        shown = overview["here"][name]
        assert (shown["cost"], shown["sessions"]) == (row["cost"], row["sessions"])
        assert shown["total_tokens"] == row["input_tokens"] + row["output_tokens"]


@pytest.mark.usefixtures("two")
def test_a_folder_without_sessions_is_no_dead_end(rad, tmp_path):
    (tmp_path / "empty").mkdir()
    done = rad(cwd=tmp_path / "empty")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "All projects")


def test_where_no_agent_has_worked_it_says_so(rad, tmp_path):
    done = rad(cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "No session history found.\n")
    assert json.loads(rad("--json", cwd=tmp_path).stdout)["last_session"] is None


@pytest.mark.parametrize("flag", ["--help", "-h", "--version"])
def test_the_groups_own_options_stay(rad, flag):
    done = rad(flag)
    assert done.returncode == 0
    assert "Today" not in done.stdout


def test_a_wrong_option_is_one_of_the_overview(rad):
    done = rad("--nonsense")
    assert done.returncode == 2
    assert "Usage: rad overview" in done.stderr


def test_the_terminal_gets_bars_and_no_line_wraps(terminal, two, midday):
    shown = terminal("--timezone", midday, cwd=two, env={"TERM": "xterm", "COLUMNS": "80"})
    assert "\x1b[1m" in shown
    assert "████████" in shown
    assert "Left out, for lack of width: " in shown


@posix
def test_watching_shows_it_anew_after_a_change(start, two, claude_code, now):
    process = start("--watch", "--json", cwd=two)
    first = json.loads(process.stdout.readline())
    assert first["last_session"]["session_id"] == "mine"
    claude_code("newest", start=now).answer().answer().answer()
    second = json.loads(process.stdout.readline())
    assert second["last_session"]["session_id"] == "newest"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=PATIENCE)[1] == b""
    assert process.returncode == 130


def test_budgets_and_what_needs_a_look_are_on_the_same_screen(
    rad, two, user_settings, workspace, midday
):
    user_settings("budget.day = 0.005")
    workspace.raw("broken.json", b"{")
    shown = rad("--timezone", midday, cwd=two).stdout
    assert "Budgets:      ⚠ Day: $0.0045 of $0.0050 (90.0%)\n" in shown
    assert "Needs a look: 1 file skipped: rad doctor\n" in shown
    assert len(shown.splitlines()) < 24
