from __future__ import annotations

import json

import pytest

HEADER = "Session ID                  Duration            Tool Calls    Success Rate    Cost"
RULE = "─" * 85
NEWER = "3c6ddcd3-85b6-48f1-88e1-f428ca458337"
OLDER = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


def ids(done):
    """The session ids in a JSON answer."""
    assert (done.returncode, done.stderr) == (0, "")
    return [report["metrics"]["session_id"] for report in json.loads(done.stdout)]


@pytest.fixture
def twelve(workspace):
    """A workspace with sessions s-01 to s-12, of which s-12 is the newest."""
    for number in range(1, 13):
        workspace.add(f"s-{number:02}", end_time=f"2025-12-{number:02}T12:00:00Z")
    return workspace.root


def test_it_prints_the_manuals_table(rad, golden, expected):
    done = rad("stats", "history", cwd=golden("history"))
    assert (done.returncode, done.stdout, done.stderr) == (0, expected("history"), "")


def test_without_tool_calls_there_is_no_success_rate(rad, golden):
    done = rad("stats", "history", cwd=golden("edge"))
    assert done.stdout.endswith(
        "\nno-tool-calls               42s                 0             n/a             $0.0010\n"
    )


def test_big_figures_widen_the_rule(rad, golden):
    lines = rad("stats", "history", cwd=golden("edge")).stdout.splitlines()
    assert lines[3] == "─" * 91
    assert lines[5].split() == ["very-large", "55h", "8m", "1234567", "100.0%", "$148,148.1468"]


def test_wide_characters_line_up(rad, golden):
    lines = rad("stats", "history", cwd=golden("edge")).stdout.splitlines()
    assert lines[4].startswith("ünïcode-名前 1              1s                  1  ")


def test_ids_of_up_to_26_characters_are_whole(rad, workspace):
    workspace.add("a" * 26)
    workspace.add("b" * 27)
    lines = rad("stats", "history", cwd=workspace.root).stdout.splitlines()
    assert [line.split()[0] for line in lines[4:]] == ["a" * 26, "b" * 23 + "..."]


def test_a_negative_cost_has_its_sign_before_the_dollar(rad, workspace):
    workspace.add("refund", total_cost=-0.015)
    assert rad("stats", "history", cwd=workspace.root).stdout.endswith("  -$0.0150\n")


def test_ten_sessions_are_the_default(rad, twelve):
    assert ids(rad("stats", "history", "--json", cwd=twelve)) == [
        f"s-{number:02}" for number in range(12, 2, -1)
    ]


@pytest.mark.parametrize("option", ["-n", "--limit"])
def test_a_limit_takes_the_newest(rad, twelve, option):
    assert ids(rad("stats", "history", "--json", option, "2", cwd=twelve)) == ["s-12", "s-11"]


def test_an_offset_leaves_out_the_newest(rad, twelve):
    found = ids(rad("stats", "history", "--json", "-n", "2", "--offset", "9", cwd=twelve))
    assert found == ["s-03", "s-02"]


def test_an_offset_beyond_the_end_is_an_empty_page(rad, golden):
    done = rad("stats", "history", "--offset", "5", cwd=golden("history"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Recent Session Summaries\n\n{HEADER}\n{RULE}\n"


def test_an_offset_beyond_the_end_is_an_empty_array(rad, golden):
    assert ids(rad("stats", "history", "--json", "--offset", "5", cwd=golden("history"))) == []


@pytest.mark.parametrize("limit", ["101", "500"])
def test_a_limit_above_a_hundred_is_taken_as_a_hundred_with_a_note(rad, workspace, limit):
    for number in range(103):
        workspace.add(f"session-{number}")
    done = rad("stats", "history", "--json", "--limit", limit, cwd=workspace.root)
    assert (done.returncode, len(json.loads(done.stdout))) == (0, 100)
    assert done.stderr == "--limit is 100 at most; use --offset for older sessions.\n"


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("--limit", "0", "Invalid value for '-n' / '--limit': 0 is not in the range x>=1."),
        ("--limit", "-1", "Invalid value for '-n' / '--limit': -1 is not in the range x>=1."),
        ("--offset", "-1", "Invalid value for '--offset': -1 is not in the range x>=0."),
    ],
)
def test_a_number_out_of_range_is_wrong_usage(rad, golden, option, value, problem):
    done = rad("stats", "history", option, value, cwd=golden("history"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"Error: {problem}"


def test_a_limit_that_is_no_number_is_wrong_usage(rad, golden):
    done = rad("stats", "history", "--limit", "abc", cwd=golden("history"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith(
        "Error: Invalid value for '-n' / '--limit': 'abc' is not a valid integer"
    )


def test_json_holds_the_stored_reports_with_our_keys_beside_theirs(rad, golden):
    folder = golden("history") / ".radium" / "_internals" / "sessions"
    done = rad("stats", "history", "--json", cwd=golden("history"))
    for name, found in zip((NEWER, OLDER), json.loads(done.stdout), strict=True):
        stored = json.loads((folder / f"{name}.json").read_bytes())
        assert {key: found.pop(key) for key in stored} == stored
        assert (found["session_id"], found["source"], found["branch"]) == (name, "radium", None)
        assert found["cost"] == stored["metrics"]["total_cost"]
        assert found["wall_time_seconds"] == stored["metrics"]["wall_time"]["secs"]


def test_an_empty_workspace_says_so(rad, workspace):
    done = rad("stats", "history", cwd=workspace.root)
    assert (done.returncode, done.stdout, done.stderr) == (0, "No session history found.\n", "")


def test_an_empty_workspace_is_an_empty_array(rad, workspace):
    done = rad("stats", "history", "--json", cwd=workspace.root)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_a_workspace_without_a_sessions_folder_is_empty(rad, tmp_path):
    (tmp_path / ".radium").mkdir()
    done = rad("stats", "history")
    assert (done.returncode, done.stdout, done.stderr) == (0, "No session history found.\n", "")


@pytest.mark.parametrize(
    ("period", "found"),
    [
        (["--since", "2025-12-07"], [NEWER]),
        (["--since", "2025-12-08"], []),
        (["--until", "2025-12-06"], [OLDER]),
        (["--until", "2025-12-05"], []),
        (["--since", "2025-12-06", "--until", "2025-12-07"], [NEWER, OLDER]),
        (["--since", "2025-12-07T13:09:54Z"], [NEWER]),
        (["--since", "2025-12-07T15:09:55+02:00"], []),
        (["--until", "2025-12-07T13:09:54Z"], [OLDER]),
        (["--since", "24h"], []),
        (["--until", "7d"], [NEWER, OLDER]),
    ],
    ids=" ".join,
)
def test_a_period_goes_by_the_last_activity(rad, golden, period, found):
    done = rad("stats", "history", "--json", "--timezone", "UTC", *period, cwd=golden("history"))
    assert ids(done) == found


@pytest.mark.parametrize(("zone", "found"), [("UTC", []), ("Europe/Berlin", ["late"])])
def test_a_day_begins_in_the_users_time_zone(rad, workspace, zone, found):
    workspace.add("late", end_time="2025-12-07T23:30:00Z")
    options = ("--since", "2025-12-08", "--timezone", zone)
    assert ids(rad("stats", "history", "--json", *options, cwd=workspace.root)) == found


@pytest.mark.parametrize(
    ("option", "value"),
    [("--since", "yesterday"), ("--since", "2025-13-01"), ("--until", "7x"), ("--until", "")],
)
def test_a_moment_that_is_none_is_wrong_usage(rad, golden, option, value):
    done = rad("stats", "history", option, value, cwd=golden("history"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == (
        f"Error: Invalid value for '--since' / '--until': '{value}' is not a date (2025-12-07), "
        "an RFC 3339 time (2025-12-07T09:00:00Z) or a length of time (24h, 7d)"
    )


def test_control_characters_from_a_file_are_escaped(rad, workspace, report_bytes):
    workspace.raw("mine.json", report_bytes(session_id="\x1b[31mred\nline"))
    lines = rad("stats", "history", cwd=workspace.root).stdout.splitlines()
    assert lines[4].startswith(r"\x1b[31mred\nline  ")


def test_a_copy_with_the_same_id_counts_once(rad, workspace, report_bytes):
    workspace.add("mine", generated_at="2025-12-07T13:10:00Z")
    workspace.raw(
        "copy of mine.json", report_bytes(session_id="mine", generated_at="2025-12-07T13:00:00Z")
    )
    done = rad("stats", "history", "--json", cwd=workspace.root)
    assert [report["generated_at"] for report in json.loads(done.stdout)] == [
        "2025-12-07T13:10:00Z"
    ]
    assert done.stderr == "Skipped copy of mine.json: it is a duplicate of mine.json.\n"


FUTURE = "9999-12-31T23:59:59Z"


@pytest.fixture
def with_future(workspace):
    """A workspace with an honest session, and three that were last active in the year 9999."""
    workspace.add("honest", start_time="2026-03-04T09:00:00Z", end_time="2026-03-04T10:00:00Z")
    for name, start, end, generated in (
        ("ended", "2026-03-02T09:00:00Z", FUTURE, "2026-03-02T10:00:00Z"),
        ("open", "2026-03-01T09:00:00Z", None, FUTURE),
        ("all", FUTURE, None, FUTURE),
    ):
        workspace.add(name, start_time=start, end_time=end, generated_at=generated)
    return workspace.root


def test_a_session_from_the_future_is_not_the_latest(rad, with_future):
    done = rad("stats", "history", "--json", cwd=with_future)
    listed = [report["metrics"]["session_id"] for report in json.loads(done.stdout)]
    assert listed == ["honest", "ended", "open", "all"]
    latest = rad("stats", "session", "--json", cwd=with_future)
    assert json.loads(latest.stdout)["metrics"]["session_id"] == "honest"
    assert rad("status", "--format", "{session_id}", cwd=with_future).stdout == "honest\n"


def test_nor_is_it_running_and_that_is_said(rad, with_future):
    assert "(running)" not in rad("stats", "session", "open", cwd=with_future).stdout
    said = rad("doctor", cwd=with_future).stdout
    for name in ("ended", "open", "all"):
        assert f"{name}: it was last active in the future: 9999-12-31 [in-future]" in said


def test_where_all_sessions_are_from_the_future_the_clock_is_wrong(rad, workspace):
    workspace.add("older", end_time="9998-01-01T00:00:00Z")
    workspace.add("newer", end_time="9999-01-01T00:00:00Z")
    done = rad("stats", "history", "--json", cwd=workspace.root)
    listed = [report["metrics"]["session_id"] for report in json.loads(done.stdout)]
    assert listed == ["newer", "older"]
