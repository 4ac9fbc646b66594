from __future__ import annotations

import json

import pytest

A = "3c6ddcd3-85b6-48f1-88e1-f428ca458337"
B = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"

NOTHING = {"secs": 0, "nanos": 0}
EMPTY = {
    "wall_time": NOTHING,
    "agent_active_time": NOTHING,
    "tool_calls": 0,
    "successful_tool_calls": 0,
    "failed_tool_calls": 0,
    "lines_added": 0,
    "lines_removed": 0,
    "model_usage": {},
    "engine_usage": {},
    "total_cost": 0.0,
}


def lines_of(done):
    """The lines of an answer, without their indent."""
    assert (done.returncode, done.stderr) == (0, "")
    return [line.strip() for line in done.stdout.splitlines()]


@pytest.fixture
def from_nothing(workspace):
    """A workspace with a session `full`, and one without any figure, `empty`."""
    workspace.add("full")
    workspace.add("empty", **EMPTY)
    return workspace.root


def test_it_prints_the_manuals_comparison(rad, golden, expected):
    done = rad("stats", "compare", A, B, cwd=golden("compare"))
    assert (done.returncode, done.stdout, done.stderr) == (0, expected("compare"), "")


def test_sessions_are_named_by_beginning_and_recency(rad, golden, expected):
    by_beginning = rad("stats", "compare", "3c6ddcd3...", "a1", cwd=golden("compare"))
    assert by_beginning.stdout == expected("compare")
    recent = rad("stats", "compare", "latest~1", "latest", "--json", cwd=golden("history"))
    assert {"session_a": B, "session_b": A}.items() <= json.loads(recent.stdout).items()


def test_json_has_signed_deltas(rad, golden):
    found = json.loads(rad("stats", "compare", A, B, "--json", cwd=golden("compare")).stdout)
    radium = {
        "session_a": A,
        "session_b": B,
        "token_delta": -5200,
        "token_percentage_change": pytest.approx(-10.0),
        "cost_delta": pytest.approx(-0.015),
        "cost_percentage_change": pytest.approx(-12.0),
        "wall_time_delta_secs": -6840,
        "wall_time_percentage_change": pytest.approx(-46.2, abs=0.05),
        "agent_active_time_delta_secs": -4800,
        "tool_calls_delta": -86,
        "success_rate_delta": pytest.approx(138 / 145 * 100 - 214 / 231 * 100),
        "lines_added_delta": -185,
        "lines_removed_delta": -58,
    }
    ours = {
        "wall_time_delta_seconds": -6840,
        "agent_active_time_delta_seconds": -4800,
        "cost_is_lower_bound": False,
        "notes": [],
    }
    assert found == radium | ours


def test_json_keys_are_in_radiums_order(rad, golden):
    found = json.loads(rad("stats", "compare", A, B, "--json", cwd=golden("compare")).stdout)
    assert list(found) == [
        "session_a",
        "session_b",
        "token_delta",
        "token_percentage_change",
        "cost_delta",
        "cost_percentage_change",
        "wall_time_delta_secs",
        "wall_time_percentage_change",
        "agent_active_time_delta_secs",
        "tool_calls_delta",
        "success_rate_delta",
        "lines_added_delta",
        "lines_removed_delta",
        "wall_time_delta_seconds",
        "agent_active_time_delta_seconds",
        "cost_is_lower_bound",
        "notes",
    ]


def test_json_has_no_percentage_from_zero(rad, from_nothing):
    done = rad("stats", "compare", "empty", "full", "--json", cwd=from_nothing)
    found = json.loads(done.stdout)
    assert found["token_percentage_change"] is None
    assert found["cost_percentage_change"] is None
    assert found["wall_time_percentage_change"] is None
    assert found["success_rate_delta"] is None
    assert (found["token_delta"], found["tool_calls_delta"]) == (31164033, 231)
    assert (found["wall_time_delta_secs"], found["agent_active_time_delta_secs"]) == (14994, 10397)


def test_text_has_no_percentage_from_zero(rad, from_nothing):
    lines = lines_of(rad("stats", "compare", "empty", "full", cwd=from_nothing))
    assert "Delta: +31164033 (n/a)" in lines
    assert "Delta: +0.1275 (n/a)" in lines
    assert "Wall Time: +4h 9m (n/a)" in lines
    assert "Delta: +231 (n/a)" in lines
    assert "Success Rate: n/a → 92.6% (n/a)" in lines


def test_everything_lost_is_minus_a_hundred_percent(rad, from_nothing):
    lines = lines_of(rad("stats", "compare", "full", "empty", cwd=from_nothing))
    assert "Delta: -31164033 (-100.0%)" in lines
    assert "Wall Time: -4h 9m (-100.0%)" in lines
    assert "Delta: -505 / -208" in lines


def test_a_session_compared_with_itself_is_no_change_and_a_note(rad, golden):
    done = rad("stats", "compare", "3c", A, cwd=golden("compare"))
    assert done.returncode == 0
    assert done.stderr == "Both ids name the same session: name two to see a difference.\n"
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert lines.count("Delta: 0 (0.0%)") == 3
    assert "Wall Time: 0s (0.0%)" in lines
    assert "Success Rate: 92.6% → 92.6% (0.0%)" in lines
    assert "Delta: 0 / 0" in lines


def test_the_success_rates_difference_adds_up_as_printed(rad, workspace):
    workspace.add("a", tool_calls=1000, successful_tool_calls=926, failed_tool_calls=74)
    workspace.add("b", tool_calls=10000, successful_tool_calls=9264, failed_tool_calls=736)
    lines = lines_of(rad("stats", "compare", "a", "b", cwd=workspace.root))
    assert "Success Rate: 92.6% → 92.6% (0.0%)" in lines


def test_durations_under_an_hour_have_seconds(rad, workspace):
    workspace.add("a", wall_time={"secs": 100, "nanos": 0})
    workspace.add("b", wall_time={"secs": 175, "nanos": 0})
    lines = lines_of(rad("stats", "compare", "a", "b", cwd=workspace.root))
    assert "Wall Time: +1m 15s (+75.0%)" in lines


@pytest.mark.parametrize(("a", "b"), [("zzz", "latest"), ("latest", "zzz")])
def test_an_unknown_session_is_one_clear_line(rad, golden, a, b):
    done = rad("stats", "compare", a, b, cwd=golden("compare"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: No session 'zzz' found. 'rad stats history' lists the sessions.\n"
    )


@pytest.mark.parametrize("json_option", [[], ["--json"]], ids=["text", "json"])
def test_an_empty_workspace_has_no_sessions(rad, workspace, json_option):
    done = rad("stats", "compare", "a", "b", *json_option, cwd=workspace.root)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: No sessions found. Run an agent session first, or see 'rad doctor'.\n"
    )


def test_one_session_alone_is_wrong_usage(rad, golden):
    done = rad("stats", "compare", "latest", cwd=golden("compare"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "Error: Missing argument 'SESSION_B'."


def test_control_characters_from_a_file_are_escaped(rad, workspace, report_bytes):
    workspace.raw("mine.json", report_bytes(session_id="\x1b[31mred\nline"))
    done = rad("stats", "compare", "latest", "latest", cwd=workspace.root)
    assert "\nSession A: \\x1b[31mred\\nline\nSession B: \\x1b[31mred\\nline\n" in done.stdout
