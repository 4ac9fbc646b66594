from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from rad_lsp.repository import project_of

ID = "3c6ddcd3-85b6-48f1-88e1-f428ca458337"
OTHER = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
LISTS = "'rad stats history' lists the sessions."


BELOW = (
    "\n"
    "Cost:                       $0.1275 (gemini-3-pro-preview, gemini-2.5-flash-lite; "
    "rates: rad stats cost)\n"
    "Start:                      2025-12-07 09:00\n"
    "End:                        2025-12-07 13:09\n"
    "Project:                    {project}\n"
    "Source:                     radium\n"
)


def utc(rad, workspace):
    """What is printed of the most recent session, with times in UTC."""
    done = rad("stats", "session", "--timezone", "UTC", cwd=workspace)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def shown_id(done):
    """The id in the block that was printed."""
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()[1].removeprefix("Session ID:").strip()


def test_it_prints_the_manuals_block_then_approvals_cache_cost_and_place(rad, golden, expected):
    project = project_of(str(golden("session")))
    assert utc(rad, golden("session")) == expected("session") + (
        "\n"
        "Approvals:                  40 allowed, 2 denied, 9 asked\n"
        "\n"
        "Cache\n"
        "Hit Rate:                   0.0%\n"
        "Cached Tokens:              17,000\n"
        "Created / Read:             4,000 / 13,000\n"
        "Savings:                    $0.0169\n"
    ) + BELOW.format(project=project)


def test_without_approvals_and_cache_only_cost_and_place_follow_the_manuals_block(
    rad, workspace, expected
):
    nothing = dict.fromkeys(
        [
            "tool_approvals_allowed",
            "tool_approvals_denied",
            "tool_approvals_asked",
            "total_cached_tokens",
            "total_cache_creation_tokens",
            "total_cache_read_tokens",
        ],
        0,
    )
    workspace.add(ID, **nothing)
    below = BELOW.format(project=workspace.root)
    assert utc(rad, workspace.root) == expected("session") + below


def test_the_most_recent_is_the_one_active_last(rad, workspace):
    workspace.add("older", end_time="2025-12-07T12:00:00Z", generated_at="2026-01-01T00:00:00Z")
    workspace.add("newer", end_time="2025-12-07T13:00:00Z", generated_at="2025-12-07T13:00:01Z")
    assert shown_id(rad("stats", "session", cwd=workspace.root)) == "newer"


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        (ID, ID),
        ("3c", ID),
        ("3c6ddcd3-85b6-48f1-88e1...", ID),
        ("a...", OTHER),
        ("latest", ID),
        ("latest~0", ID),
        ("latest~1", OTHER),
    ],
)
def test_a_session_is_named_by_id_beginning_or_recency(rad, golden, reference, found):
    assert shown_id(rad("stats", "session", reference, cwd=golden("history"))) == found


def test_a_session_is_named_by_option_as_well(rad, golden):
    assert shown_id(rad("stats", "session", "--session-id", "a1", cwd=golden("history"))) == OTHER


def test_an_exact_id_wins_over_a_beginning(rad, workspace):
    for name in ("run", "run-2", "run-3"):
        workspace.add(name)
    assert shown_id(rad("stats", "session", "run", cwd=workspace.root)) == "run"


def test_a_session_that_is_called_latest_is_found_by_its_id(rad, workspace):
    workspace.add("latest", end_time="2025-12-01T09:00:00Z")
    workspace.add("newer", end_time="2025-12-07T09:00:00Z")
    assert shown_id(rad("stats", "session", "latest", cwd=workspace.root)) == "latest"


def test_an_id_that_begins_with_a_dash_comes_behind_two(rad, workspace):
    workspace.add("-odd")
    assert shown_id(rad("stats", "session", "--", "-odd", cwd=workspace.root)) == "-odd"


def test_an_ambiguous_beginning_lists_the_candidates(rad, workspace):
    workspace.add("run-1", end_time="2025-12-07T13:00:00Z")
    workspace.add("run-2", end_time="2025-12-07T12:00:00Z")
    done = rad("stats", "session", "run", cwd=workspace.root)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: 'run' is the beginning of 2 session ids: run-1, run-2. Give more of it.\n"
    )


def test_many_candidates_are_counted(rad, workspace):
    for number in range(8):
        workspace.add(f"run-{number}")
    done = rad("stats", "session", "run", cwd=workspace.root)
    assert done.stderr == (
        "Error: 'run' is the beginning of 8 session ids: "
        "run-0, run-1, run-2, run-3, run-4 and 3 more. Give more of it.\n"
    )


@pytest.mark.parametrize("typed", ["3c6ddcd4", f"{ID[:-1]}8", "f428ca458337"])
def test_an_unknown_id_suggests_a_near_one(rad, golden, typed):
    done = rad("stats", "session", typed, cwd=golden("history"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: No session '{typed}' found. Did you mean '{ID}'?\n"


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("zzz", "zzz"),
        ("...", "..."),
        ("latest~2", "latest~2"),
        ("latest~", "latest~"),
        ("../../secret", "../../secret"),
        ("one\ntwo", r"one\ntwo"),
        ("\x1b[31mred", r"\x1b[31mred"),
    ],
)
def test_an_unknown_id_is_one_line_without_control_characters(rad, golden, typed, printed):
    done = rad("stats", "session", typed, cwd=golden("history"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: No session '{printed}' found. {LISTS}\n"


def test_an_empty_id_is_refused(rad, golden):
    done = rad("stats", "session", "", cwd=golden("history"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: The session id is empty. {LISTS}\n"


def test_two_different_ids_are_wrong_usage(rad, golden):
    done = rad("stats", "session", "3c", "--session-id", "a1", cwd=golden("history"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == (
        "Error: Name the session once: as ID or with --session-id."
    )


@pytest.mark.parametrize("arguments", [[], ["--json"], ["some-id"]], ids=" ".join)
def test_an_empty_workspace_has_no_sessions(rad, workspace, arguments):
    done = rad("stats", "session", *arguments, cwd=workspace.root)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: No sessions found. Run an agent session first, or see 'rad doctor'.\n"
    )


def test_json_is_the_stored_report_value_for_value(rad, workspace, report_dict):
    report = report_dict(session_id="mine", future={"list": [1, None], "größe": "名前"})
    text = json.dumps(report, ensure_ascii=False)
    text = text.replace('"tool_calls": 231', '"tool_calls": 18446744073709551615')
    text = text.replace('"list": [1', '"exact": 0.1000000000000000055, "huge": 1E+30, "list": [1')
    workspace.raw("mine.json", text.encode())
    done = rad("stats", "session", "--json", cwd=workspace.root)
    assert (done.returncode, done.stderr) == (0, "")
    as_written = json.JSONDecoder(parse_int=str, parse_float=str)
    stored, found = as_written.decode(text), as_written.decode(done.stdout)
    assert {key: found[key] for key in stored} == stored


def test_json_has_our_keys_beside_those_of_the_report(rad, claude_code, workspace):
    claude_code("mine").prompt().answer(read=9000, model="claude-opus-4-6").answer(model="new")
    found = json.loads(rad("stats", "session", "--json", cwd=workspace.root).stdout)
    assert (found["source"], found["project"], found["branch"]) == (
        "claude-code", str(workspace.root), "main",
    )  # fmt: skip
    assert (found["start_time"], found["end_time"]) == ("2026-03-02T12:00:01Z", None)
    assert (found["wall_time_seconds"], found["cost"], found["cost_is_lower_bound"]) == (
        2, pytest.approx(0.012), True,
    )  # fmt: skip
    assert [(model["name"], model["cost"] is None) for model in found["models"]] == [
        ("claude-opus-4-6", False), ("new", True),
    ]  # fmt: skip
    assert found["cache"]["savings"] == pytest.approx(9000 * 4.5 / 1_000_000)
    assert {"text", "markdown", "brief", "last_activity_text"}.isdisjoint(found)


def test_a_report_can_not_pass_off_keys_as_ours(rad, workspace, report_dict):
    report = report_dict(session_id="mine") | {"source": 5, "project": "/elsewhere", "cost": "x"}
    workspace.raw("mine.json", json.dumps(report).encode())
    (found,) = json.loads(rad("stats", "history", "--json", cwd=workspace.root).stdout)
    assert (found["source"], found["cost"]) == ("radium", report["metrics"]["total_cost"])
    assert found["project"] != "/elsewhere"
    exported = json.loads(rad("stats", "export", "mine", cwd=workspace.root).stdout)
    assert exported == report


def test_json_is_indented_by_two_and_ends_its_line(rad, golden):
    done = rad("stats", "session", "gen-3", "--json", cwd=golden("generations"))
    assert done.stdout.startswith('{\n  "metrics": {\n    "session_id": "gen-3-compact",\n')
    assert done.stdout.endswith("}\n")


@pytest.mark.parametrize("generation", ["gen-1", "gen-2", "gen-3-compact"])
def test_every_generation_of_reports_is_read(rad, golden, generation):
    assert shown_id(rad("stats", "session", generation, cwd=golden("generations"))) == generation


def test_without_tool_calls_there_is_no_success_rate(rad, golden):
    done = rad("stats", "session", "no-tool-calls", cwd=golden("edge"))
    assert "Tool Calls:                 0 ( ✓ 0 x 0 )\n" in done.stdout
    assert "Success Rate:               n/a\n" in done.stdout


def test_the_cache_section_shows_the_hit_rate(rad, golden):
    done = rad("stats", "session", "cache-heavy", cwd=golden("edge"))
    assert (
        "\n"
        "Cache\n"
        "Hit Rate:                   90.0%\n"
        "Cached Tokens:              950,000\n"
        "Created / Read:             50,000 / 900,000\n"
        "Savings:                    $3.9875\n"
        "\n"
    ) in done.stdout


def test_big_counts_widen_the_table_and_its_rule(rad, golden):
    lines = rad("stats", "session", "very-large", cwd=golden("edge")).stdout.splitlines()
    assert (
        "Model Usage                       Reqs           Input Tokens      Output Tokens" in lines
    )
    assert "─" * 80 in lines
    assert (
        "m-0                          1,000,000  9,000,000,000,000,000  1,000,000,000,000" in lines
    )


@pytest.mark.parametrize(
    ("files", "printed"),
    [(4, "+505 -208 (4 files)"), (1, "+505 -208 (1 file)"), (None, "+505 -208")],
)
def test_code_changes_tell_the_number_of_files_where_it_is_known(rad, workspace, files, printed):
    workspace.add("mine", files_changed=files)
    lines = rad("stats", "session", cwd=workspace.root).stdout.splitlines()
    assert f"Code Changes:               {printed}" in lines


def test_a_running_session_says_so(rad, workspace):
    now = datetime.now(UTC).isoformat()
    workspace.add("mine", end_time=None, generated_at=now)
    lines = rad("stats", "session", cwd=workspace.root).stdout.splitlines()
    assert "Wall Time:                  4h 9m 54s (running)" in lines


def test_an_interrupted_session_has_no_end_recorded(rad, golden):
    lines = rad("stats", "session", "still-running", cwd=golden("edge")).stdout.splitlines()
    assert "Wall Time:                  59m 59s (no end recorded)" in lines


def test_a_wide_name_lines_up(rad, workspace, report_dict):
    usage = report_dict()["metrics"]["model_usage"]["gemini-2.5-flash-lite"]
    workspace.add("mine", model_usage={"名前": usage})
    lines = rad("stats", "session", cwd=workspace.root).stdout.splitlines()
    assert "名前                           28         60,389          2,422" in lines


def test_control_characters_from_a_file_are_escaped(rad, workspace, report_dict):
    usage = report_dict()["metrics"]["model_usage"]["gemini-2.5-flash-lite"]
    workspace.raw(
        "mine.json",
        json.dumps(
            report_dict(session_id="\x1b[31mred", model_usage={"one\ntwo\x07": usage})
        ).encode(),
    )
    done = rad("stats", "session", cwd=workspace.root)
    assert "Session ID:                 \\x1b[31mred\n" in done.stdout
    assert "\none\\ntwo\\x07 " in done.stdout
    assert done.stdout.replace("\n", "").isprintable()
