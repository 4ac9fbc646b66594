"""`rad limits`, and plan limits in `rad status`."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest


@pytest.fixture
def codex_limits(codex):
    """A session of Codex whose last record is some minutes old."""

    def made(used, minutes_ago=10, resets_in=3600, session_id="limited", **more):
        start = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat()
        resets = int(time.time()) + resets_in
        window = {"used_percent": used, "window_minutes": 300, "resets_at": resets}
        transcript = codex(session_id, start=start)
        transcript.answer()
        told = {"primary": window, "secondary": None, **more}
        return transcript.line("event_msg", type="token_count", info=None, rate_limits=told)

    return made


@pytest.fixture
def shown(rad, workspace):
    def of(*arguments):
        done = rad("limits", "--json", *arguments, cwd=workspace.root)
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    return of


def test_a_record_is_shown_with_its_rate_and_its_reset(rad, codex_limits, shown, workspace):
    codex_limits(80, plan_type="plus")
    (limit,) = shown()["limits"]
    assert (limit["source"], limit["window"], limit["plan"]) == ("codex", "5h", "plus")
    assert (limit["state"], limit["used_percent"], limit["window_seconds"]) == (
        "current", 80, 18_000,
    )  # fmt: skip
    assert limit["percent_per_hour"] == pytest.approx(80 / (4 - 10 / 60), rel=0.01)
    assert limit["runs_out_at"] < limit["resets_at"]
    text = rad("limits", cwd=workspace.root).stdout
    assert text.startswith("Plan Limits\n\nSource  Window   Used  Per Hour")
    assert " 80.0% " in text


def test_a_window_that_was_reset_shows_no_percent(rad, codex_limits, shown, workspace):
    codex_limits(80, minutes_ago=60, resets_in=-60)
    answer = shown()
    (limit,) = answer["limits"]
    assert (limit["state"], limit["used_percent"], limit["recorded_percent"]) == ("reset", None, 80)
    assert [block["source"] for block in answer["blocks"]] == ["codex"]
    row = rad("limits", cwd=workspace.root).stdout.splitlines()[4]
    assert row.split()[:3] == ["codex", "5h", "reset"]


def test_without_a_record_the_block_is_said_to_be_an_estimate(rad, claude_code, workspace):
    start = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    claude_code("a", "/elsewhere", start=start).answer()
    text = rad("limits", cwd=workspace.root).stdout
    assert text.startswith("No plan limits are recorded. Codex writes them")
    assert "\nEstimate: the Running 5-Hour Block\n" in text
    assert "$0.0045" in text
    assert "A block begins at the full hour (UTC)" in text


def test_in_a_folder_without_sessions_nothing_is_missing(rad, tmp_path):
    done = rad("limits", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("No plan limits are recorded.")
    empty = {"limits": [], "blocks": [], "idle": [], "ignored": []}
    assert json.loads(rad("limits", "--json", cwd=tmp_path).stdout) == empty


def test_names_from_a_file_can_not_change_the_terminal(rad, codex_limits, workspace):
    codex_limits(80, limit_id="\x1b]0;t\x07", plan_type="a\nb")
    text = rad("limits", cwd=workspace.root).stdout
    assert "\x1b" not in text
    assert "\\x1b]0;t\\x07" in text


def test_the_status_line_shows_the_limits_of_the_sessions_agent(rad, codex_limits, workspace):
    codex_limits(42.5)
    rad("limits", cwd=workspace.root)  # it reads however long that takes
    done = rad("status", "--format", "{limit_5h} {limit_week}", cwd=workspace.root)
    assert done.stdout == "42.5% n/a\n"


def hook(session_id, folder, limits):
    return json.dumps(
        {"session_id": session_id, "cwd": str(folder), "rate_limits": limits}
    ).encode()


def test_the_status_line_tells_and_shows_the_limits_of_claude_code(
    rad, claude_code, shown, workspace
):
    claude_code("a").answer()
    shown()
    resets = int(time.time()) + 600
    told = {
        "five_hour": {"used_percentage": 61, "resets_at": resets},
        "seven_day": {"used_percentage": 7.25, "resets_at": resets},
    }
    line = hook("a", workspace.root, told)
    done = rad("status", "--format", "{limit_5h} {limit_week}", cwd=workspace.root, input=line)
    assert (done.stdout, done.stderr) == ("61.0% 7.2%\n", "")
    assert rad("status", "--format", "{limit_5h}", cwd=workspace.root).stdout == "61.0%\n"
    assert {one["window"]: one["used_percent"] for one in shown()["limits"]} == {
        "5h": 61, "week": 7.25,
    }  # fmt: skip


@pytest.mark.parametrize(
    "limits",
    [
        "all", 1, [], {}, {"five_hour": {"used_percentage": 1e308, "resets_at": 1e308}},
        {"five_hour": {"used_percentage": "61"}}, {"five_hour": {"used_percentage": 4}},
        {"five_hour": {"used_percentage": 4, "resets_at": 1}},
    ],
)  # fmt: skip
def test_a_hostile_hook_costs_no_line(rad, claude_code, shown, workspace, limits):
    claude_code("a").answer()
    shown()
    line = hook("a", workspace.root, limits)
    done = rad("status", "--format", "{cost} {limit_5h}", cwd=workspace.root, input=line)
    assert (done.returncode, done.stdout, done.stderr) == (0, "$0.0045 n/a\n", "")


def test_an_enormous_hook_is_not_read_to_its_end(rad, claude_code, shown, workspace):
    claude_code("a").answer()
    shown()
    line = hook("a", workspace.root, {"five_hour": {"used_percentage": 61, "x": "x" * 3_000_000}})
    done = rad("status", "--format", "{cost} {limit_5h}", cwd=workspace.root, input=line)
    assert (done.returncode, done.stdout) == (0, "$0.0045 n/a\n")
