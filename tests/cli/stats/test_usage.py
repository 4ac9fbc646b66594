from __future__ import annotations

import json
from datetime import timedelta

import pytest

ID = "3c6ddcd3-85b6-48f1-88e1-f428ca458337"


def usage(requests, tokens_in, tokens_out, cached, cost):
    return {
        "requests": requests,
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "cached_tokens": cached,
        "estimated_cost": cost,
    }


def printed(*counts):
    """What JSON has of usage: that of a report, and the same cost by our name."""
    row = usage(*counts)
    return {**row, "cost": row["estimated_cost"], "cost_is_lower_bound": False}


def test_models_are_added_up_over_all_sessions(rad, golden, expected):
    done = rad("stats", "model", cwd=golden("session"))
    assert (done.returncode, done.stdout, done.stderr) == (0, expected("model"), "")


def test_models_of_one_session_are_titled_with_its_id(rad, golden, expected):
    done = rad("stats", "model", "3c", cwd=golden("session"))
    title, _, table = expected("model").partition("\n")
    assert title == "Aggregated Model Usage (All Sessions)"
    assert done.stdout == f"Model Usage (Session: {ID})\n{table}"


def test_engines_are_added_up_over_all_sessions(rad, workspace):
    workspace.add("one", engine_usage={"gemini": usage(1, 1000, 20, 3, 0.5)})
    workspace.add(
        "two",
        engine_usage={"gemini": usage(2, 1, 1, 1, 0.25), "claude": usage(9, 9000, 9, 9, 1.0)},
    )
    done = rad("stats", "engine", cwd=workspace.root)
    assert (done.returncode, done.stderr) == (0, "")
    title, _, head, rule, *rows, last_rule, total = done.stdout.splitlines()
    assert title == "Aggregated Engine Usage (All Sessions)"
    assert head == (
        "Engine                         Requests  Input Tokens  Output Tokens  Cached Tokens  Cost"
    )
    assert {rule, last_rule} == {"─" * 92}
    assert [line.split() for line in [*rows, total]] == [
        ["claude", "9", "9,000", "9", "9", "$1.0000"],
        ["gemini", "3", "1,001", "21", "4", "$0.7500"],
        ["TOTAL", "12", "10,001", "30", "13", "$1.7500"],
    ]


def test_engines_of_one_session_are_titled_with_its_id(rad, golden):
    done = rad("stats", "engine", "--session-id", "latest", cwd=golden("session"))
    assert done.stdout.splitlines()[0] == f"Engine Usage (Session: {ID})"


def test_equal_rows_are_in_the_order_of_their_names(rad, workspace):
    same = usage(1, 10, 10, 0, 0.1)
    workspace.add("mine", model_usage={"b": same, "c": same, "a": same})
    rows = json.loads(rad("stats", "model", "--json", cwd=workspace.root).stdout)
    assert [row["model"] for row in rows] == ["a", "b", "c"]


def test_model_json_has_a_row_per_model(rad, golden):
    done = rad("stats", "model", "--json", cwd=golden("session"))
    one = {"spellings": []}
    assert json.loads(done.stdout) == [
        {"model": "gemini-3-pro-preview", **printed(168, 31056954, 44268, 12000, 0.125), **one},
        {"model": "gemini-2.5-flash-lite", **printed(28, 60389, 2422, 5000, 0.0025), **one},
    ]


def test_engine_json_has_a_row_per_engine(rad, golden):
    done = rad("stats", "engine", "--json", cwd=golden("session"))
    assert json.loads(done.stdout) == [
        {"engine": "gemini", **printed(196, 31117343, 46690, 17000, 0.1275), "sessions": None}
    ]


def test_sessions_that_name_no_engine_are_a_row_without_a_name(rad, workspace):
    workspace.add("one", model_usage={"m": usage(1, 1000, 20, 3, 0.5)}, drop=["engine_usage"])
    workspace.add("two", model_usage={"m": usage(2, 10, 2, 3, 0.25)}, engine_usage={})
    same = usage(4, 100, 20, 30, 1.0)
    workspace.add("three", model_usage={"m": same}, engine_usage={"e": same})
    done = rad("stats", "engine", "--json", cwd=workspace.root)
    assert json.loads(done.stdout) == [
        {"engine": None, **printed(3, 1010, 22, 6, 0.75), "sessions": ["one", "two"]},
        {"engine": "e", **printed(4, 100, 20, 30, 1.0), "sessions": None},
    ]
    shown = rad("stats", "engine", cwd=workspace.root).stdout
    *_, unnamed, named, _, total, _, note = shown.splitlines()
    assert unnamed.split()[:2] == ["n/a", "3"]
    assert named.split()[:2] == ["e", "4"]
    assert total == rad("stats", "model", cwd=workspace.root).stdout.splitlines()[-1]
    assert note == "2 sessions name no engine: one, two"


def test_spellings_of_a_model_are_one_row(rad, workspace):
    spellings = ["anthropic/claude-4.6-opus-20260205", "claude-opus-4-6", "claude-opus-4-6[1m]"]
    for number, spelling in enumerate(spellings):
        workspace.add(f"s{number}", model_usage={spelling: usage(1, 10, 20, 3, 0.5)})
    done = rad("stats", "model", "--json", cwd=workspace.root)
    row = {"model": "claude-opus-4-6", **printed(3, 30, 60, 9, 1.5), "spellings": spellings}
    assert json.loads(done.stdout) == [row]
    lines = rad("stats", "model", cwd=workspace.root).stdout.splitlines()
    assert [line.split()[:2] for line in lines[4:5]] == [["claude-opus-4-6", "3"]]


def test_a_report_is_shown_with_the_names_that_it_has(rad, workspace):
    spellings = ("claude-opus-4-6", "claude-opus-4-6[1m]")
    workspace.add("mine", model_usage=dict.fromkeys(spellings, usage(1, 10, 20, 3, 0.5)))
    shown = rad("stats", "session", cwd=workspace.root).stdout
    assert [line.split()[:2] for line in shown.splitlines() if line.startswith("claude")] == [
        [spelling, "1"] for spelling in spellings
    ]


def test_another_agents_session_has_one_row_per_model(rad, workspace, claude_code):
    transcript = claude_code("mine").answer(model="claude-opus-4-6")
    transcript.answer(model="claude-opus-4-6[1m]")
    shown = rad("stats", "session", cwd=workspace.root).stdout
    assert [line.split() for line in shown.splitlines() if line.startswith("claude")] == [
        ["claude-opus-4-6", "2", "2,000", "200"]
    ]


@pytest.mark.parametrize("kind", ["model", "engine"])
def test_a_session_counts_on_each_day_with_what_it_spent_on_it(rad, workspace, claude_code, kind):
    transcript = claude_code("long", start="2026-11-29T23:50:00+00:00").answer().answer()
    transcript.time += timedelta(minutes=20)
    transcript.answer()

    def requests(*options):
        done = rad("stats", kind, "--json", *options, "--timezone", "UTC", cwd=workspace.root)
        return sum(row["requests"] for row in json.loads(done.stdout))

    assert requests() == 3
    assert requests("--until", "2026-11-29") == 2
    assert requests("--since", "2026-11-30") == 1
    assert requests("--since", "2026-11-29T23:49", "--until", "2026-11-29T23:52") == 2
    assert requests("--since", "2026-11-29T23:52", "--until", "2026-11-30T00:00") == 0
    assert requests("--since", "2026-12-01") == 0


def test_a_sum_beyond_64_bits_stays_exact(rad, workspace):
    most = 18446744073709551615
    for name in ("one", "two"):
        workspace.add(name, model_usage={"big": usage(most, most, most, most, 0.0)})
    rows = json.loads(rad("stats", "model", "--json", cwd=workspace.root).stdout)
    sums = printed(2 * most, 2 * most, 2 * most, 2 * most, 0.0)
    assert rows == [{"model": "big", **sums, "spellings": []}]


@pytest.mark.parametrize("kind", ["model", "engine"])
def test_an_empty_workspace_says_so(rad, workspace, kind):
    done = rad("stats", kind, cwd=workspace.root)
    assert (done.returncode, done.stdout, done.stderr) == (0, "No session history found.\n", "")


@pytest.mark.parametrize("kind", ["model", "engine"])
def test_an_empty_workspace_is_an_empty_array(rad, workspace, kind):
    done = rad("stats", kind, "--json", cwd=workspace.root)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_since_leaves_out_older_sessions(rad, golden):
    done = rad("stats", "model", "--json", "--since", "2025-12-07T00:00:00Z", cwd=golden("history"))
    assert [row["requests"] for row in json.loads(done.stdout)] == [168]


def test_until_counts_its_day_whole(rad, golden):
    done = rad(
        *("stats", "model", "--json", "--until", "2025-12-06", "--timezone", "UTC"),
        cwd=golden("history"),
    )
    assert [row["requests"] for row in json.loads(done.stdout)] == [99]


def test_a_period_does_not_go_with_one_session(rad, golden):
    done = rad("stats", "model", "latest", "--since", "7d", cwd=golden("history"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == (
        "Error: --since and --until go with all sessions, not with one ID."
    )


def test_an_unknown_session_is_one_clear_line(rad, golden):
    done = rad("stats", "engine", "zzz", cwd=golden("history"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: No session 'zzz' found. 'rad stats history' lists the sessions.\n"
    )


def test_a_long_name_widens_the_column_and_the_rule(rad, workspace):
    name = "a-model-with-a-name-longer-than-the-column"
    workspace.add("mine", model_usage={name: usage(1, 2, 3, 4, 0.5)})
    lines = rad("stats", "model", cwd=workspace.root).stdout.splitlines()
    assert lines[4] == f"{name}         1             2              3              4  $0.5000"
    assert {lines[3], lines[5]} == {"─" * len(lines[4])}


def test_control_characters_from_a_file_are_escaped(rad, workspace, report_bytes):
    workspace.raw(
        "mine.json",
        report_bytes(session_id="\x1b[2J", model_usage={"one\ntwo": usage(1, 2, 3, 4, 0.5)}),
    )
    lines = rad("stats", "model", "latest", cwd=workspace.root).stdout.splitlines()
    assert lines[0] == r"Model Usage (Session: \x1b[2J)"
    assert lines[4].startswith(r"one\ntwo ")
