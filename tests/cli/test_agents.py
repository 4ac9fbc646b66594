"""Sessions of other agents on the command line."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from rad_lsp.core.session import Session
from rad_lsp.sources import radium

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

NO_WORKSPACE = "Error: No Radium workspace found. Run 'rad init' to create one.\n"
SONNET = "claude-sonnet-4-5-20250929"


def ids(done):
    """The session ids in a JSON answer."""
    assert (done.returncode, done.stderr) == (0, "")
    return [report["metrics"]["session_id"] for report in json.loads(done.stdout)]


def usage(done, kind="model"):
    """Requests, tokens and cost by name, in a JSON answer."""
    assert (done.returncode, done.stderr) == (0, "")
    return {
        row[kind]: (
            row["requests"],
            row["input_tokens"],
            row["output_tokens"],
            row["cached_tokens"],
            pytest.approx(row["estimated_cost"]),
        )
        for row in json.loads(done.stdout)
    }


@pytest.fixture
def bare(tmp_path):
    """A folder without `.radium`."""
    folder = tmp_path / "bare"
    folder.mkdir()
    return folder


@pytest.fixture
def three(workspace, claude_code, codex):
    """A workspace with sessions of three sources: newest `radium`, then `codex`, then `claude`."""
    claude_code("claude").prompt().answer(tools=["a", "b"]).result("a").result("b", failed=True)
    codex("codex").answer()
    workspace.add("radium", end_time="2026-03-04T12:00:00Z")
    return workspace.root


def test_sessions_of_all_agents_are_in_the_history(rad, three):
    assert ids(rad("stats", "history", "--json", cwd=three)) == ["radium", "codex", "claude"]


def test_with_several_sources_the_history_has_a_column_for_them(rad, three):
    lines = rad("stats", "history", "--timezone", "UTC", cwd=three).stdout.splitlines()
    assert lines[2].split("  ")[0] == "Last Active"
    assert [line.split()[:4] for line in lines[4:]] == [
        ["2026-03-04", "12:00", "radium", "radium"],
        ["2026-03-03", "12:00", "codex", "codex"],
        ["2026-03-02", "12:00", "claude", "claude-code"],
    ]


def test_of_reports_alone_the_history_is_the_manuals_table(rad, three):
    lines = rad("stats", "history", "--source", "radium", cwd=three).stdout.splitlines()
    assert lines[2] == (
        "Session ID                  Duration            Tool Calls    Success Rate    Cost"
    )
    assert len(lines) == 5


@pytest.mark.parametrize("source", ["codex", "claude-code"])
def test_of_one_agent_the_history_has_no_column_for_sources(rad, three, source):
    lines = rad("stats", "history", "--source", source, cwd=three).stdout.splitlines()
    assert re.split(" {2,}", lines[2]) == [
        "Last Active", "Session ID", "Duration", "Model", "Tokens", "Tool Calls", "Success Rate",
        "Cost",
    ]  # fmt: skip
    assert len(lines) == 5


def test_sessions_below_the_workspace_count(rad, workspace, claude_code):
    claude_code("below", workspace.root / "packages" / "app").answer()
    assert ids(rad("stats", "history", "--json", cwd=workspace.root)) == ["below"]


def test_sessions_beside_and_above_the_workspace_do_not_count(rad, workspace, claude_code):
    claude_code("beside", workspace.root.with_name("workspace-2")).answer()
    claude_code("above", workspace.root.parent).answer()
    done = rad("stats", "history", "--json", cwd=workspace.root)
    assert (done.returncode, done.stdout) == (0, "[]\n")


def test_the_workspace_of_a_folder_below_it_is_the_same(rad, three):
    below = three / "src"
    below.mkdir()
    assert ids(rad("stats", "history", "--json", cwd=below)) == ["radium", "codex", "claude"]


def test_a_session_that_wrote_the_real_path_counts_in_a_link_to_it(rad, bare, claude_code):
    link = bare.with_name("link")
    link.symlink_to(bare, target_is_directory=True)
    claude_code("real", bare).answer()
    assert ids(rad("stats", "history", "--json", "-w", link)) == ["real"]


def test_models_are_added_up_over_all_sources(rad, three):
    found = usage(rad("stats", "model", "--json", cwd=three))
    assert found[SONNET] == (1, 1000, 100, 0, 0.0045)
    assert found["gpt-5"] == (1, 8000, 100, 0, 0.011)
    assert len(found) > 2


def test_engines_are_added_up_over_all_sources(rad, three):
    found = usage(rad("stats", "engine", "--json", "--source", "codex", cwd=three), "engine")
    assert found == {"codex": (1, 8000, 100, 0, 0.011)}


def test_a_session_is_found_by_its_id_whatever_its_source(rad, three):
    shown = rad("stats", "session", "claude", cwd=three).stdout
    assert "Tool Calls:                 2 ( ✓ 1 x 1 )\n" in shown
    assert "Success Rate:               50.0%\n" in shown


def test_sessions_are_compared_across_sources(rad, three):
    found = json.loads(rad("stats", "compare", "claude", "codex", "--json", cwd=three).stdout)
    assert (found["session_a"], found["session_b"]) == ("claude", "codex")
    assert found["token_delta"] == 8100 - 1100
    assert found["cost_delta"] == pytest.approx(0.011 - 0.0045)
    assert found["tool_calls_delta"] == -2


def test_a_cost_is_explained_by_what_each_request_cost(rad, workspace, claude_code):
    claude_code("cached").answer(1000, 100, read=200_000, written=10_000).answer(2000, 10)
    done = rad("stats", "cost", "cached", "--json", cwd=workspace.root)
    found = json.loads(done.stdout)
    # Above 200,000 input tokens the first request is billed by other rates than the second.
    assert [(row["threshold"], row["requests"]) for row in found["rows"]] == [(200_000, 1), (0, 1)]
    first = (1000 * 6 + 200_000 * 0.60 + 10_000 * 7.5 + 100 * 22.5) / 1e6
    second = (2000 * 3 + 10 * 15) / 1e6
    assert found["cost"] == pytest.approx(first + second)


def test_the_cost_of_all_sessions_is_that_of_all_sources(rad, three):
    whole = json.loads(rad("stats", "cost", "--json", cwd=three).stdout)
    ours = json.loads(rad("stats", "cost", "--json", "--source", "radium", cwd=three).stdout)
    assert whole["sessions"] == 3
    assert whole["cost"] == pytest.approx(ours["cost"] + 0.011 + 0.0045)


def test_several_sources_can_be_named(rad, three):
    done = rad("stats", "history", "--json", "--source", "codex", "--source", "radium", cwd=three)
    assert ids(done) == ["radium", "codex"]


def test_an_unknown_source_is_an_error_that_names_those_there_are(rad, three):
    done = rad("stats", "history", "--source", "clippy", cwd=three)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "'clippy' is no source; known are radium, claude-code, codex" in line


def test_settings_tell_which_sources_count(rad, three, user_settings):
    user_settings('sources = ["codex"]\n')
    assert ids(rad("stats", "history", "--json", cwd=three)) == ["codex"]


def test_a_flag_beats_the_settings_sources(rad, three, user_settings):
    user_settings('sources = ["codex"]\n')
    done = rad("stats", "history", "--json", "--source", "claude-code", cwd=three)
    assert ids(done) == ["claude"]


def test_no_source_at_all_is_no_session(rad, three, user_settings):
    user_settings("sources = []\n")
    assert ids(rad("stats", "history", "--json", cwd=three)) == []


def test_all_projects_are_those_of_other_agents_in_all_folders(rad, three, claude_code, tmp_path):
    claude_code("elsewhere", tmp_path / "other", start="2026-03-01T12:00:00+00:00").answer()
    done = rad("stats", "history", "--json", "--all-projects", cwd=three)
    assert ids(done) == ["radium", "codex", "claude", "elsewhere"]


def test_all_projects_need_no_workspace(rad, bare, claude_code, tmp_path):
    claude_code("elsewhere", tmp_path / "other").answer()
    assert ids(rad("stats", "history", "--json", "--all-projects", cwd=bare)) == ["elsewhere"]


def test_all_projects_of_a_machine_without_any_are_no_sessions(rad, bare):
    done = rad("stats", "history", "--all-projects", cwd=bare)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "No session history found.\n"


def test_a_folder_without_radium_works_when_other_agents_have_sessions_there(
    rad, bare, claude_code
):
    claude_code("bare", bare).answer()
    assert ids(rad("stats", "history", "--json", cwd=bare)) == ["bare"]
    assert "\nSession ID:                 bare\n" in rad("stats", "session", cwd=bare).stdout


def test_a_repository_without_radium_is_a_workspace_from_any_folder_in_it(rad, bare, claude_code):
    (bare / ".git").mkdir()
    below = bare / "src"
    below.mkdir()
    claude_code("root", bare).answer()
    assert ids(rad("stats", "history", "--json", cwd=below)) == ["root"]


@pytest.mark.parametrize(
    "command",
    [
        ("session",),
        ("model",),
        ("engine",),
        ("history",),
        ("compare", "a", "b"),
        ("cost",),
        ("export",),
    ],
    ids=" ".join,
)
def test_without_radium_and_without_sessions_there_is_no_workspace(rad, bare, command):
    done = rad("stats", *command, cwd=bare)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", NO_WORKSPACE)


@pytest.mark.parametrize("command", [("session", "--json"), ("export",)], ids=" ".join)
def test_a_session_is_printed_as_a_report_with_the_same_figures(
    rad, workspace, claude_code, command
):
    made = claude_code("one").prompt().answer(1000, 100, read=5000, written=300, tools=["a", "b"])
    made.result("a").result("b", failed=True, content="Exit code 1").answer(10, 10)
    done = rad("stats", command[0], "one", *command[1:], cwd=workspace.root)
    assert (done.returncode, done.stderr) == (0, "")
    stored = workspace.raw("one.json", done.stdout.encode())
    read = radium.parse(str(stored), stored.read_bytes())
    assert isinstance(read, Session)
    assert read.problems == ()
    shown = rad("stats", "session", "one", "--source", "radium", cwd=workspace.root)
    known = rad("stats", "session", "one", "--source", "claude-code", cwd=workspace.root)
    # Where it worked and who told is not part of a report.
    figures, _, place = known.stdout.partition("Branch:")
    assert shown.stdout == f"{figures}Source:                     radium\n"
    assert place.split() == ["main", "Source:", "claude-code"]
    cost = [
        rad("stats", "cost", "one", "--json", "--source", source, cwd=workspace.root).stdout
        for source in ("radium", "claude-code")
    ]
    assert cost[0] == cost[1]


def test_an_export_has_all_sources(rad, three):
    rows = csv.DictReader(io.StringIO(rad("stats", "export", "--format", "csv", cwd=three).stdout))
    assert [(row["session_id"], row["source"]) for row in rows] == [
        ("radium", "radium"),
        ("codex", "codex"),
        ("claude", "claude-code"),
    ]


def test_a_request_without_a_known_price_has_no_cost(rad, workspace, claude_code):
    claude_code("strange").answer(model="mystery-1")
    assert "n/a" in rad("stats", "history", cwd=workspace.root).stdout.splitlines()[-1]
    assert (
        "no price is known for 1 request to mystery-1" in rad("doctor", cwd=workspace.root).stdout
    )


def test_prices_in_the_settings_hold_for_transcripts(rad, workspace, claude_code, user_settings):
    claude_code("own").answer(1000, 100, model="mystery-1")
    user_settings('[prices."mystery-1"]\ninput = 10\noutput = 100\n')
    found = usage(rad("stats", "model", "--json", cwd=workspace.root))
    assert found == {"mystery-1": (1, 1000, 100, 0, 0.02)}


def test_what_is_appended_counts_the_next_time(rad, workspace, claude_code):
    made = claude_code("grows").answer()
    assert usage(rad("stats", "model", "--json", cwd=workspace.root))[SONNET][0] == 1
    made.answer()
    assert usage(rad("stats", "model", "--json", cwd=workspace.root))[SONNET][0] == 2


def test_a_line_that_is_still_being_written_counts_once_it_is_whole(rad, workspace, claude_code):
    made = claude_code("torn").answer()
    whole = made.path.read_bytes()
    made.path.write_bytes(whole + whole[:-20])
    assert usage(rad("stats", "model", "--json", cwd=workspace.root))[SONNET][0] == 1
    made.path.write_bytes(whole)
    made.answer()
    assert usage(rad("stats", "model", "--json", cwd=workspace.root))[SONNET][0] == 2


def test_sessions_whose_transcript_the_agent_has_deleted_stay_and_say_so(
    rad, workspace, claude_code
):
    made = claude_code("deleted").answer()
    rad("stats", "history", cwd=workspace.root)
    made.path.unlink()
    assert ids(rad("stats", "history", "--json", cwd=workspace.root)) == ["deleted"]
    assert "the transcript has been deleted" in rad("doctor", cwd=workspace.root).stdout
    history = rad("stats", "history", cwd=workspace.root).stdout
    assert "  0s (deleted)  " in history
    assert history.endswith("deleted: the transcript is gone, its last figures are shown\n")
    shown = rad("stats", "session", cwd=workspace.root).stdout
    assert "Wall Time:                  0s (no end recorded, deleted)\n" in shown


def test_nothing_that_was_said_and_no_id_of_a_tool_call_is_kept_or_told(
    rad, workspace, claude_code, codex
):
    said = "xyzzy said"
    claude = claude_code("c1").prompt(f"{said} 1")
    claude.answer(tools=["toolu_ended", "toolu_open"]).result("toolu_ended", content=f"{said} 2")
    claude.raw(b'{"type": "user", "xyzzy said 3": ').raw(b"\n")
    made = codex("c2").line("event_msg", type="user_message", message=f"{said} 4")
    for name in ("call_ended", "call_open"):
        arguments = json.dumps({"command": f"{said} 5"})
        made.line(
            "response_item",
            type="function_call",
            name="shell",
            call_id=name,
            arguments=arguments,
        )
    output = f"{said} 6"
    made.line("response_item", type="function_call_output", call_id="call_ended", output=output)
    made.answer()
    shown = [
        rad("stats", "export", "--format", kind, cwd=workspace.root)
        for kind in ("json", "ndjson", "csv", "markdown")
    ]
    shown += [rad("doctor", cwd=workspace.root), rad("stats", "session", cwd=workspace.root)]
    kept = [path for path in Path(os.environ["HOME"]).rglob("index.db*") if path.is_file()]
    assert kept
    told = [done.stdout.encode() + done.stderr.encode() for done in shown]
    for data in (*told, *(path.read_bytes() for path in kept)):
        assert not [
            word for word in (b"xyzzy", b"toolu_", b"call_ended", b"call_open") if word in data
        ]


def torn(claude_code, session_id):
    """A session whose only answer has no end, after a tool call that is known to have failed."""
    made = claude_code(session_id).prompt().answer(tools=["a"]).result("a", failed=True)
    return made.answer(stop_reason=None)


def test_a_cost_that_is_a_minimum_is_no_sum_in_any_output(rad, workspace, claude_code):
    torn(claude_code, "torn")
    why = "≥: 1 request has no final usage recorded\n"
    for command in ("session", "model", "history", "cost"):
        printed = rad("stats", command, cwd=workspace.root).stdout
        assert "≥ $0.0090" in printed
        assert printed.endswith(f"\n\n{why}")
    template = "{cost} {today_cost} {total_cost}"
    status = rad("status", "--format", template, cwd=workspace.root).stdout
    assert status == "≥ $0.0090 $0.0000 ≥ $0.0090\n"
    exported = rad("stats", "export", "torn", "--format", "markdown", cwd=workspace.root).stdout
    assert "| Cost | ≥ $0.0090 |" in exported
    assert exported.endswith("\n≥: 1 request has no final usage recorded.\n")
    (row,) = json.loads(rad("stats", "model", "--json", cwd=workspace.root).stdout)
    assert row["cost_is_lower_bound"] is True
    report = json.loads(rad("stats", "session", "--json", cwd=workspace.root).stdout)
    assert report["metrics"]["cost_is_lower_bound"] is True


def test_a_cost_that_is_not_known_is_null_in_every_json(rad, workspace, claude_code):
    claude_code("new").answer(model="never-heard-of")
    for arguments in (
        ("session", "--json"),
        ("history", "--json"),
        ("export",),
        ("export", "new"),
        ("export", "--format", "ndjson"),
    ):
        told = json.loads(rad("stats", *arguments, cwd=workspace.root).stdout)
        metrics = (told[0] if isinstance(told, list) else told)["metrics"]
        assert metrics["total_cost"] is None
        assert metrics["model_usage"]["never-heard-of"]["estimated_cost"] is None
        assert [usage["estimated_cost"] for usage in metrics["engine_usage"].values()] == [None]
    for option in ((), ("--per-model",)):
        done = rad("stats", "export", "--format", "csv", *option, cwd=workspace.root)
        (row,) = csv.DictReader(io.StringIO(done.stdout))
        assert row["cost"] == ""


def test_a_tool_call_without_an_outcome_is_no_success(rad, workspace, codex):
    started = codex("started")
    for call, code in (("a", 0), ("b", None)):
        started.line("response_item", type="function_call", call_id=call, name="shell")
        if code is None:
            output = "done"
        else:
            output = json.dumps({"output": "done", "metadata": {"exit_code": code}})
        started.line("response_item", type="function_call_output", call_id=call, output=output)
    started.answer()
    shown = rad("stats", "session", cwd=workspace.root).stdout
    assert "Tool Calls:                 2 ( ✓ 1 x 0 ? 1 )\n" in shown
    assert "Success Rate:               100.0% of 1 known\n" in shown
    assert shown.endswith("\n\nsuccess rate: the outcome of 1 tool call is not recorded\n")
    assert rad("status", cwd=workspace.root).stdout.endswith(" · 100.0% of 1 known\n")


def test_a_comparison_says_when_api_time_is_measured_in_two_ways(rad, workspace, claude_code):
    workspace.add("report")
    claude_code("transcript").answer()
    said = "API time is measured in session A, and active time less tool time in session B"
    assert said in rad("stats", "compare", "report", "transcript", cwd=workspace.root).stdout
    told = rad("stats", "compare", "report", "transcript", "--json", cwd=workspace.root).stdout
    assert json.loads(told)["notes"][0].startswith(said)


def test_a_report_of_a_tracked_session_counts_its_transcripts_once(rad, workspace, claude_code):
    claude_code("child").answer()
    empty = {"secs": 0, "nanos": 0}
    workspace.add(
        "tracked",
        end_time="2026-03-02T12:05:00Z",
        model_usage={},
        engine_usage={},
        spending=[],
        total_cost=0,
        agent_active_time=empty,
        child_sessions=[{"source": "claude-code", "session_id": "child"}],
    )
    assert [
        row["metrics"]["session_id"]
        for row in json.loads(rad("stats", "history", "--json", cwd=workspace.root).stdout)
    ] == ["tracked"]
    found = usage(rad("stats", "model", "--json", cwd=workspace.root))
    assert found == {SONNET: (1, 1000, 100, 0, 0.0045)}


def test_an_agents_folder_can_be_named_by_the_environment(rad, workspace, claude_code, tmp_path):
    claude_code("named", folder=tmp_path / "config").answer()
    env = {"CLAUDE_CONFIG_DIR": str(tmp_path / "config")}
    assert ids(rad("stats", "history", "--json", cwd=workspace.root, env=env)) == ["named"]


@pytest.fixture
def place():
    """The index of the test's own user."""
    return Path(os.environ["HOME"], ".local", "share", "rad-lsp", "index.db")


def test_a_command_leaves_nothing_for_the_next_to_fold_into_the_index(
    rad, workspace, claude_code, place
):
    made = claude_code("a")
    # A status reads no longer than a prompt may wait, so it does not come first.
    for command in (["stats", "history"], ["status"], ["stats", "model", "--all-projects"]):
        made.answer()
        rad(*command, cwd=workspace.root)
        assert [
            file.name for file in place.parent.glob("index.db*") if "lock" not in file.name
        ] == ["index.db"]


def test_the_doctor_tells_of_the_index_and_of_each_agents_folder(rad, workspace, codex, place):
    codex("one").answer()
    done = rad("doctor", cwd=workspace.root)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert "codex:             1 session" in lines
    (index,) = [line for line in lines if line.startswith("Index:")]
    assert index.startswith(f"Index:             {place}, 0.")
    assert index.endswith(" MB, ok; 'rad index rebuild' makes it new")
    assert f"  codex:           {os.environ['HOME']}/.codex/sessions" in lines
    assert "  claude-code:     no transcripts here" in lines


def test_a_folder_without_radium_but_with_sessions_is_no_fault(rad, bare, claude_code):
    claude_code("bare", bare).answer()
    done = rad("doctor", cwd=bare)
    assert (done.returncode, done.stderr) == (0, "")
    assert "(the current folder; it has no .radium folder)" in done.stdout


def test_the_doctor_names_transcripts_with_lines_that_cant_be_read(rad, workspace, claude_code):
    made = claude_code("torn").answer().raw(b"{torn\n").raw(b"\0" * 40 + b"\n").answer()
    done = rad("doctor", cwd=workspace.root)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"  {made.path}: ")]
    assert line.startswith(f"  {made.path}: 2 lines skipped (line 2: JSON is malformed")


def test_the_lines_around_one_that_cant_be_read_count(rad, workspace, claude_code):
    claude_code("torn").answer().raw(b"{torn\n").answer()
    assert usage(rad("stats", "model", "--json", cwd=workspace.root))[SONNET][0] == 2


@posix
def test_a_transcript_that_may_not_be_read_is_named(
    without_privileges, workspace, claude_code, place
):
    claude_code("open").answer()
    claude_code("closed").answer().path.chmod(0)
    place.parent.mkdir(parents=True)
    assert "closed.jsonl: the file may not be read: permission denied" in (
        without_privileges("doctor", cwd=workspace.root).stdout
    )


@posix
def test_where_the_index_cant_be_written_it_is_kept_in_memory_and_says_so(
    without_privileges, workspace, claude_code, place
):
    claude_code("one").answer()
    place.parent.mkdir(parents=True)
    place.parent.chmod(0o555)
    done = without_privileges("stats", "history", "--json", cwd=workspace.root)
    place.parent.chmod(0o755)
    assert done.returncode == 0
    assert [report["metrics"]["session_id"] for report in json.loads(done.stdout)] == ["one"]
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"The index is kept in memory only: {place}: ")


def test_a_user_without_a_home_has_no_other_agents(rad, workspace):
    workspace.add("radium")
    done = rad("stats", "history", "--json", cwd=workspace.root, env={"HOME": "/dev/null"})
    assert done.returncode == 0
    assert [report["metrics"]["session_id"] for report in json.loads(done.stdout)] == ["radium"]


def test_rebuilding_the_index_reads_all_transcripts_anew(rad, workspace, claude_code, place):
    claude_code("one").answer()
    gone = claude_code("gone", start="2026-03-01T12:00:00+00:00").answer().path
    rad("stats", "history", cwd=workspace.root)
    gone.unlink()
    done = rad("index", "rebuild", cwd=workspace.root)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Rebuilt {place}: 2 sessions, 0.")
    assert ids(rad("stats", "history", "--json", cwd=workspace.root)) == ["one", "gone"]
    assert usage(rad("stats", "model", "--json", cwd=workspace.root))[SONNET][0] == 2


@pytest.mark.parametrize("protected", ["file", "folder"])
def test_an_index_that_cant_be_written_is_not_said_to_be_rebuilt(
    rad, without_privileges, workspace, claude_code, place, protected
):
    claude_code("one").answer()
    rad("stats", "history", cwd=workspace.root)
    if protected == "file":
        place.chmod(0o444)
    place.parent.chmod(0o555)
    done = without_privileges("index", "rebuild", cwd=workspace.root)
    place.parent.chmod(0o755)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        f"Error: The index can't be changed, because it can't be written: {place}: "
    )
    assert "Allow writing to it" in done.stderr


def test_a_damaged_index_is_made_anew(rad, workspace, claude_code, place):
    claude_code("one").answer()
    rad("stats", "history", cwd=workspace.root)
    place.write_bytes(b"no database at all" * 1000)
    for suffix in ("-wal", "-shm"):
        place.with_name(place.name + suffix).unlink(missing_ok=True)
    first = rad("stats", "history", cwd=workspace.root)
    assert first.stderr == "The index was damaged: all transcripts are read anew.\n"
    assert ids(rad("stats", "history", "--json", cwd=workspace.root)) == ["one"]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("rad stats history --source c", ["claude-code", "codex"]),
        ("rad status --source rad", ["radium"]),
        ("rad stats session --source codex ", ["codex"]),
        ("rad stats session cl", ["claude"]),
    ],
)
def test_the_shell_completes_sources_and_their_sessions(rad, three, words, offered):
    env = {
        "_RAD_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = rad(env=env, cwd=three)
    assert (done.returncode, done.stderr) == (0, "")
    found = [line.removeprefix("plain,") for line in done.stdout.split()]
    assert [name for name in found if name != "copilot-cli"] == offered


@pytest.fixture
def patched(tmp_path):
    """Environment variables of a `rad` in which a piece of Python has run first."""

    def patch(code):
        folder = tmp_path / "patch"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(code, encoding="utf-8")
        path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
        return {"PYTHONPATH": path.rstrip(os.pathsep)}

    return patch


HURRIED = """
import time
passed = iter(range(10**9))
time.monotonic = lambda: float(next(passed))
"""
"""Each look at the clock finds it a second later."""


@posix
def test_reading_that_takes_long_shows_how_far_it_is_on_a_terminal(
    terminal, patched, workspace, claude_code
):
    for number in range(40):
        claude_code(f"s-{number}").answer()
    shown = terminal("stats", "history", cwd=workspace.root, env=patched(HURRIED))
    assert "\rReading sessions: " in shown
    assert shown.index("\rReading sessions: ") < shown.index("Recent Session Summaries")


def test_reading_shows_no_progress_off_a_terminal(rad, patched, workspace, claude_code):
    claude_code("one").answer()
    done = rad("stats", "history", cwd=workspace.root, env=patched(HURRIED))
    assert (done.returncode, done.stderr) == (0, "")


@posix
@pytest.mark.parametrize("at", [0, 1, 4])
@pytest.mark.parametrize(
    ("ends", "code"),
    [("raise KeyboardInterrupt", 130), ("os.kill(os.getpid(), 9)", -signal.SIGKILL)],
    ids=["Ctrl-C", "killed"],
)
def test_a_first_read_that_breaks_off_leaves_a_right_index(
    rad, patched, workspace, claude_code, at, ends, code
):
    for number in range(5):
        claude_code(f"s-{number}").answer().answer()
    env = patched(f"""
import os
number, opened = iter(range(10**9)), os.open
def opening(path, *arguments, **options):
    if str(path).endswith(".jsonl") and next(number) == {at}:
        {ends}
    return opened(path, *arguments, **options)
os.open = opening
""")
    done = rad("stats", "model", "--json", cwd=workspace.root, env=env)
    assert (done.returncode, done.stdout) == (code, "")
    assert "Traceback" not in done.stderr
    found = usage(rad("stats", "model", "--json", cwd=workspace.root))
    assert found == {SONNET: (10, 10_000, 1_000, 0, 0.045)}


@posix
def test_waiting_for_another_process_to_read_can_be_interrupted(
    start, rad, workspace, claude_code, place
):
    rad("stats", "history", cwd=workspace.root)
    claude_code("new").answer()
    writer = sqlite3.connect(place, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        process = start("stats", "history", cwd=workspace.root)
        with pytest.raises(subprocess.TimeoutExpired):  # it waits
            process.wait(2)
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 130
    finally:
        writer.close()
    assert ids(rad("stats", "history", "--json", cwd=workspace.root)) == ["new"]


@posix
def test_a_command_waits_for_another_process_that_reads(start, rad, workspace, claude_code, place):
    rad("stats", "history", cwd=workspace.root)
    claude_code("new").answer()
    writer = sqlite3.connect(place, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    process = start("stats", "history", "--json", cwd=workspace.root)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    writer.execute("ROLLBACK")
    writer.close()
    output, _ = process.communicate(timeout=60)
    assert [report["metrics"]["session_id"] for report in json.loads(output)] == ["new"]


def test_ten_processes_that_read_at_once_agree(start, workspace, claude_code):
    for number in range(20):
        claude_code(f"s-{number}").answer()
    started = [start("stats", "model", "--json", cwd=workspace.root) for _ in range(10)]
    answers = {process.communicate(timeout=300) for process in started}
    ((output, errors),) = answers
    assert errors == b""
    assert [row["requests"] for row in json.loads(output)] == [20]
