from __future__ import annotations

import json

import pytest


@pytest.fixture
def called(claude_code):
    """Two sessions: one calls Bash twice, of which one call fails, the other Bash and a server."""
    claude_code("a").answer(tools=["1", "2"]).result("1").result("2", failed=True)
    second = claude_code("b", start="2026-04-02T12:00:00+00:00").answer(tools=["3"]).result("3")
    tool = {"type": "tool_use", "id": "4", "name": "mcp__github__search"}
    second.answer(content=[tool]).result("4")


def asked(rad, workspace, *arguments):
    done = rad("stats", "tools", "--json", *arguments, cwd=workspace.root)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.usefixtures("called")
def test_tools_are_told_apart_and_those_of_a_server_together(rad, workspace):
    found = asked(rad, workspace)
    bash, github = found["rows"]
    assert (bash["name"], bash["calls"], bash["ok"], bash["failed"]) == ("Bash", 3, 2, 1)
    assert (bash["sessions"], bash["share"], bash["parts"]) == (2, 75, [])
    # The first call's result comes a second after it, the second's two seconds.
    assert (bash["total_seconds"], bash["median_seconds"]) == (4, 1)
    assert (github["name"], [part["name"] for part in github["parts"]]) == ("github", ["search"])
    assert (found["total"]["calls"], found["total"]["success_rate"]) == (4, 75)


@pytest.mark.usefixtures("called")
def test_the_table_has_a_total(rad, workspace):
    lines = rad("stats", "tools", cwd=workspace.root).stdout.splitlines()
    assert lines[0] == "Tool Usage"
    names = [line[:14].strip() for line in lines[4:] if "─" not in line]
    assert names == ["Bash", "github (MCP)", "search", "TOTAL"]


@pytest.mark.usefixtures("called")
def test_of_one_session_only_its_calls_count(rad, workspace):
    (bash,) = asked(rad, workspace, "a")["rows"]
    assert (bash["calls"], bash["share"]) == (2, 100)


@pytest.mark.usefixtures("called")
def test_of_a_period_only_its_calls_count(rad, workspace):
    rows = asked(rad, workspace, "--since", "2026-04-01")["rows"]
    assert [(row["name"], row["calls"]) for row in rows] == [("Bash", 1), ("github", 1)]


def test_of_a_tracked_session_its_agents_calls_count_while_it_ran(rad, workspace, claude_code):
    transcript = claude_code("child", start="2026-03-02T12:00:00+00:00")
    transcript.answer(tools=["1"]).result("1")
    transcript.time = transcript.time.replace(hour=15)
    transcript.answer(tools=["2"]).result("2")
    empty = dict.fromkeys(("tool_calls", "successful_tool_calls", "failed_tool_calls"), 0)
    empty |= dict.fromkeys(("tool_approvals_denied", "tool_approvals_asked"), 0)
    workspace.add(
        "tracked",
        start_time="2026-03-02T12:00:00Z",
        end_time="2026-03-02T13:00:00Z",
        child_sessions=[{"source": "claude-code", "session_id": "child"}],
        model_usage={},
        **empty,
    )
    (bash,) = asked(rad, workspace, "tracked")["rows"]
    assert (bash["name"], bash["calls"]) == ("Bash", 1)


def test_a_report_names_no_tools(rad, workspace):
    workspace.add("r")
    (row,) = asked(rad, workspace)["rows"]
    assert (row["name"], row["calls"], row["denied"]) == (None, 231, 2)
    assert (row["total_seconds"], row["median_seconds"]) == (None, None)
    assert "n/a" in rad("stats", "tools", cwd=workspace.root).stdout


def test_without_calls_it_says_so(rad, workspace, claude_code):
    claude_code("a").answer()
    done = rad("stats", "tools", cwd=workspace.root)
    assert (done.returncode, done.stdout) == (0, "No tool calls found.\n")
    assert asked(rad, workspace)["rows"] == []


@pytest.mark.usefixtures("called")
def test_an_unknown_session_is_an_error(rad, workspace):
    done = rad("stats", "tools", "nobody", cwd=workspace.root)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nobody" in done.stderr


def test_a_tracked_session_keeps_the_names_of_its_tools(rad, workspace, claude_code):
    """Also those that it tells beside the agent that ran as part of it."""
    claude_code("child", start="2026-03-02T12:00:00+00:00").answer(tools=["1"]).result("1")
    start = "2026-03-02T12:00:00Z"
    workspace.add(
        "tracked",
        start_time="2026-03-02T12:05:00Z",
        end_time="2026-03-02T12:40:00Z",
        child_sessions=[{"source": "claude-code", "session_id": "child"}],
        tool_calls=6,
        successful_tool_calls=5,
        failed_tool_calls=1,
        tool_approvals_denied=1,
        calls_by_tool=[
            {"start": start, "name": "mcp__db__query", "ok": 2, "duration": [3, 0]},
            {"start": start, "name": "grep", "ok": 2, "failed": 1, "duration": [1, 500_000_000]},
            {"start": "2026-03-02T12:30:00Z", "name": "grep", "denied": 1},
        ],
    )
    for arguments in ((), ("tracked",)):
        found = asked(rad, workspace, *arguments)
        grep, server, rest = found["rows"]
        outcomes = ("name", "ok", "failed", "denied", "total_seconds", "median_seconds")
        assert [grep[key] for key in outcomes] == ["grep", 2, 1, 1, 1.5, None]
        assert (server["name"], server["calls"], server["total_seconds"]) == ("db", 2, 3)
        assert (rest["name"], rest["calls"], rest["total_seconds"]) == (None, 1, None)
        assert (found["total"]["calls"], found["total"]["denied"]) == (6, 1)
    daily = ("stats", "daily", "--split", "tool", "--since", "2026-03-01", "--json")
    rows = json.loads(rad(*daily, "--until", "2026-03-03", cwd=workspace.root).stdout)["rows"]
    parts = {part["name"]: part["tool_calls"] for row in rows for part in row["parts"]}
    assert parts == {"grep": 3, "mcp__db__query": 2, None: 1}


def test_names_and_times_that_no_tool_has_do_no_harm(rad, workspace):
    start = {"start": "2025-12-07T10:00:00Z", "ok": 1}
    names = ["\u001b[2J\u0000", "x" * 100_000, "__", "mcp____", "\u202egrep"]
    names += [f"n{number}" for number in range(209)]
    rows = [start | {"name": name, "duration": [2**64 - 1, 0]} for name in names]
    workspace.add("r", calls_by_tool=rows)
    found = asked(rad, workspace)
    assert found["total"]["calls"] == 231
    assert rad("stats", "daily", "--split", "tool", cwd=workspace.root).returncode == 0
    printed = rad("stats", "tools", cwd=workspace.root).stdout
    assert not set("\0\x1b\u202e") & set(printed)
