from __future__ import annotations

import csv
import io
import json

import pytest

from rad_lsp.core.trend import SPLITS

COMMANDS = ("hourly", "daily", "weekly", "monthly")


@pytest.fixture
def two_days(claude_code):
    """A session of two days, with a tool call; it spent $0.0045 on the first, twice on the next."""
    transcript = claude_code("a", start="2026-03-29T22:30:00+00:00")
    transcript.answer()
    transcript.time = transcript.time.replace(day=30, hour=12)
    transcript.answer(tools=["x"]).result("x").answer()
    return transcript


def asked(rad, workspace, *arguments, since="2026-03-01"):
    done = rad("stats", *arguments, "--since", since, "--timezone", "UTC", cwd=workspace.root)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.usefixtures("two_days")
def test_it_shows_a_row_for_each_day_and_the_total(rad, workspace):
    lines = asked(rad, workspace, "daily", "--until", "2026-03-31").splitlines()
    assert lines[:2] == ["Daily Usage", ""]
    assert lines[2].split()[:4] == ["Day", "Cost", "Sessions", "Requests"]
    rows = [line.split() for line in lines[4:] if "─" not in line]
    assert [row[:4] for row in rows] == [
        ["2026-03-29", "$0.0045", "1", "1"],
        ["2026-03-30", "$0.0090", "1", "2"],
        ["2026-03-31", "$0.0000", "0", "0"],
        ["TOTAL", "$0.0135", "1", "3"],
    ]


@pytest.mark.usefixtures("two_days")
def test_days_are_those_of_the_time_zone(rad, workspace):
    options = ("--since", "2026-03-01", "--until", "2026-03-31", "--timezone", "Europe/Berlin")
    found = json.loads(rad("stats", "daily", "--json", *options, cwd=workspace.root).stdout)
    assert {row["label"]: row["requests"] for row in found["rows"]} == {
        "2026-03-30": 3,
        "2026-03-31": 0,
    }
    assert found["rows"][0]["begin"] == "2026-03-29T22:00:00Z"


@pytest.mark.usefixtures("two_days")
def test_json_has_all_figures(rad, workspace):
    until = ("--until", "2026-03-30")
    found = json.loads(asked(rad, workspace, "daily", "--split", "model", "--json", *until))
    assert (found["unit"], found["split"]) == ("day", "model")
    row = found["rows"][1]
    assert row["cost"] == pytest.approx(0.009)
    assert (row["input_tokens"], row["output_tokens"], row["tool_calls"]) == (2000, 200, 1)
    (part,) = row["parts"]
    assert (part["name"], part["tool_calls"]) == ("claude-sonnet-4-5-20250929", None)
    assert found["total"]["sessions"] == 1


@pytest.mark.parametrize("split", [None, *SPLITS])
@pytest.mark.usefixtures("two_days")
def test_csv_has_a_row_for_each_span_or_part(rad, workspace, split):
    options = ["--split", split] if split else []
    text = asked(rad, workspace, "daily", "--csv", "--until", "2026-03-30", *options)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["label"] for row in rows] == (
        ["2026-03-30"] if split == "tool" else ["2026-03-29", "2026-03-30"]
    )
    assert {"begin", "end", "cost", "tool_calls", *([split] if split else [])} <= rows[0].keys()
    assert rows[-1]["cost"] == ("" if split == "tool" else "0.009")


@pytest.mark.parametrize(
    ("name", "rows"), [("hourly", 24), ("daily", 14), ("weekly", 8), ("monthly", 12)]
)
def test_by_default_the_last_spans_are_shown_and_older_ones_told(
    rad, workspace, claude_code, name, rows
):
    claude_code("a", start="2020-01-02T12:00:00+00:00").answer()
    done = rad("stats", name, "--json", "--timezone", "UTC", cwd=workspace.root)
    assert len(json.loads(done.stdout)["rows"]) == rows
    told = "There are older sessions: --since 2020-01-02 goes back to 2020-01-02.\n"
    assert done.stderr == told


@pytest.mark.usefixtures("two_days")
def test_the_number_of_spans_can_be_chosen(rad, workspace):
    done = rad("stats", "weekly", "-n", "3", "--until", "2026-03-31", "--json", cwd=workspace.root)
    labels = [row["label"] for row in json.loads(done.stdout)["rows"]]
    assert labels == ["2026-03-16", "2026-03-23", "2026-03-30"]
    assert rad("stats", "daily", "-n", "0", cwd=workspace.root).returncode == 2
    assert rad("stats", "daily", "-n", "1001", cwd=workspace.root).returncode == 2


@pytest.mark.usefixtures("two_days")
def test_the_first_day_of_a_week_is_a_setting(rad, workspace, user_settings):
    user_settings('week_start = "sunday"\n')
    found = json.loads(asked(rad, workspace, "weekly", "--json", "--until", "2026-03-31"))
    assert found["rows"][0]["label"] == "2026-03-29"


def test_projects_are_called_by_the_shortest_end_that_no_other_has(rad, workspace, claude_code):
    for number, path in enumerate(("shop/api", "blog/api", "site")):
        folder = workspace.root.parent / "elsewhere" / path
        folder.mkdir(parents=True)
        claude_code(f"of-{number}", folder).answer()
    lines = asked(rad, workspace, "monthly", "--split", "project", "--all-projects").splitlines()
    names = {line.split()[0] for line in lines if "api" in line or "site" in line}
    assert names == {"shop/api", "blog/api", "site"}


def test_json_and_csv_exclude_each_other(rad, workspace):
    done = rad("stats", "daily", "--json", "--csv", cwd=workspace.root)
    assert done.returncode == 2
    assert "--json and --csv exclude each other" in done.stderr


def test_without_sessions_it_says_so(rad, workspace):
    done = rad("stats", "daily", cwd=workspace.root)
    assert (done.returncode, done.stdout) == (0, "No session history found.\n")
    found = rad("stats", "daily", "--json", cwd=workspace.root)
    assert json.loads(found.stdout)["rows"] == []
    assert rad("stats", "daily", "--csv", cwd=workspace.root).stdout.startswith("begin,end,")


def test_outside_of_a_workspace_it_says_what_to_do(rad, tmp_path):
    done = rad("stats", "daily", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr


@pytest.mark.usefixtures("two_days")
def test_a_file_that_cant_be_read_is_named(rad, workspace):
    workspace.raw("torn.json", b"{")
    done = rad("stats", "daily", "--since", "2026-03-01", cwd=workspace.root)
    assert done.returncode == 0
    assert done.stderr.startswith("Skipped torn.json: ")


def test_too_long_a_period_is_an_error_that_says_what_to_do(rad, workspace, claude_code):
    claude_code("a", start="2020-01-01T12:00:00+00:00").answer()
    done = rad("stats", "hourly", "--since", "2020-01-01", cwd=workspace.root)
    assert (done.returncode, done.stdout) == (1, "")
    assert "more than 10,000 hours" in done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example(rad, name):
    assert f"Example: rad stats {name}" in rad("stats", name, "--help").stdout
