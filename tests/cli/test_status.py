"""One line for prompts, status bars and agents' hooks."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rad_lsp import settings
from rad_lsp.store.machine import Machine

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

PROMPT_SECONDS = 10
"""A busy machine may take so long to start a process and to answer; waiting for ever does not."""


MANY = 60
"""Lines that would be too many even for a slow machine."""


@pytest.fixture
def place():
    """The index of the test's own user."""
    return Path(os.environ["HOME"], ".local", "share", "rad-lsp", "index.db")


@pytest.fixture
def read():
    """Reads all transcripts into the index, however long that takes."""

    def reads():
        machine = Machine({}, Path(os.environ["HOME"]), settings.data_folder())
        machine.update(machine.agents())
        machine.index.close()

    return reads


@pytest.fixture
def two(workspace, claude_code, read):
    """A workspace whose newest session cost $0.0090, and the one before $0.0045."""
    claude_code("older", start="2026-03-01T12:00:00+00:00").answer()
    claude_code("newer").answer(tools=["a"]).result("a").answer()
    read()
    return workspace.root


def said(done):
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def hook(session_id, folder, **more):
    """What Claude Code gives its status line on stdin."""
    return json.dumps(
        {
            "hook_event_name": "Status",
            "session_id": session_id,
            "transcript_path": f"/nowhere/{session_id}.jsonl",
            "cwd": str(folder),
            "model": {"id": "claude-sonnet-4-5", "display_name": "Sonnet 4.5"},
            "workspace": {"current_dir": str(folder), "project_dir": str(folder)},
            "cost": {"total_cost_usd": 1.23},
            **more,
        }
    ).encode()


def test_it_is_one_line_on_the_most_recent_session(rad, two):
    assert said(rad("status", cwd=two)) == "$0.0090 · 100.0%\n"


def test_a_report_of_radium_is_a_session_like_any(rad, golden):
    assert said(rad("status", cwd=golden("session"))) == "$0.1275 · 92.6%\n"


def test_a_format_names_figures(rad, two):
    template = "{session_id}: {cost}, {tokens} tokens, {tool_calls} calls in {wall_time}"
    done = rad("status", "--format", template, cwd=two)
    assert said(done) == "newer: $0.0090, 2,200 tokens, 1 calls in 2s\n"


@pytest.mark.parametrize(
    ("template", "shown"),
    [("{total_cost}", "$0.0135"), ("{total_sessions}", "2"), ("{today_cost}", "$0.0000")],
)
def test_a_format_may_name_sums(rad, two, template, shown):
    assert said(rad("status", "--format", template, cwd=two)) == f"{shown}\n"


def test_today_is_told_by_the_time_of_each_request(rad, workspace, claude_code, read, midday):
    now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - 5))
    claude_code("today", start=now).answer()
    read()
    done = rad("status", "--format", "{today_cost} {today_sessions}", "--timezone", midday,
               cwd=workspace.root)  # fmt: skip
    assert said(done) == "$0.0045 1\n"


def test_json_tells_that_sessions_are_still_to_be_read(rad, workspace, claude_code, tmp_path):
    for number in range(6):
        claude_code(f"s-{number}").answer()
    done = rad("status", "--json", cwd=workspace.root, env=slow(tmp_path))
    assert json.loads(done.stdout)["reading"] is True


def test_a_session_that_has_just_begun_shows_what_the_day_has_cost(
    rad, workspace, claude_code, read, midday
):
    now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - 5))
    claude_code("before", start=now).answer()
    read()

    def shown(session_id):
        given = hook(session_id, workspace.root)
        return said(rad("status", "--timezone", midday, cwd=workspace.root, input=given))

    assert shown("begun") == "$0.0045 today\n"
    assert shown("before") == "$0.0045 · n/a\n"


BROKEN = "status.format = 1"


def test_a_broken_settings_file_costs_a_prompt_its_settings_not_its_line(
    rad, two, user_settings, workspace_settings
):
    user_settings('status.format = "{session_id}"')
    workspace_settings("timezone = 1")
    assert said(rad("status", cwd=two)) == "newer (bad settings: rad doctor)\n"
    user_settings(BROKEN)
    assert said(rad("status", cwd=two)) == "$0.0090 · 100.0% (bad settings: rad doctor)\n"
    done = rad("status", "--json", cwd=two)
    assert (done.returncode, json.loads(done.stdout)["text"]) == (0, "$0.0090 · 100.0%")
    assert "status.format" in done.stderr


def test_a_mistake_on_the_command_line_is_an_error_whatever_the_files_say(rad, two, user_settings):
    user_settings(BROKEN)
    done = rad("status", "--format", "{nothing}", cwd=two)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: command line: status.format: {nothing} is no figure")


def test_the_settings_tell_the_format(rad, two, user_settings):
    user_settings('[status]\nformat = "{session_id}"\n')
    assert said(rad("status", cwd=two)) == "newer\n"
    assert said(rad("status", "--format", "{tool_calls}", cwd=two)) == "1\n"


@pytest.mark.parametrize("template", ["{clippy}", "{cost.__class__}", "{cost!r}", "{", "{0}"])
def test_a_wrong_format_is_an_error_in_one_line(rad, two, template):
    done = rad("status", "--format", template, cwd=two)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1


def test_json_is_the_servers_status(rad, two):
    found = json.loads(said(rad("status", "--json", cwd=two)))
    assert found["text"] == "$0.0090 · 100.0%"
    assert found["workspace_uri"] == two.as_uri()
    assert found["session"]["session_id"] == "newer"
    assert found["session"]["source"] == "claude-code"
    assert found["totals"]["sessions"] == 2
    assert found["totals"]["cost"] == pytest.approx(0.0135)
    assert found["severity"] == "ok"


def test_sources_narrow_it_and_all_projects_widen_it(rad, two, codex, tmp_path, read):
    codex("elsewhere", tmp_path / "other").answer()
    read()
    assert said(rad("status", "--source", "codex", cwd=two)) == "no sessions\n"
    assert said(rad("status", "--all-projects", cwd=two)) == "$0.0110 · n/a\n"


def test_without_sessions_it_says_so_and_is_no_failure(rad, workspace):
    assert said(rad("status", cwd=workspace.root)) == "no sessions\n"


def test_without_a_workspace_it_says_so_and_is_no_failure(rad, tmp_path):
    assert said(rad("status", cwd=tmp_path)) == "no sessions\n"
    assert json.loads(said(rad("status", "--json", cwd=tmp_path)))["session"] is None


def test_without_a_home_it_says_so_and_is_no_failure(rad, tmp_path):
    env = dict.fromkeys(("HOME", "USERPROFILE", "XDG_CONFIG_HOME"), os.devnull)
    assert said(rad("status", cwd=tmp_path, env=env)) == "no sessions\n"


def test_a_hook_picks_the_session(rad, two):
    assert said(rad("status", cwd=two, input=hook("older", two))) == "$0.0045 · n/a\n"


def test_a_hook_picks_the_folder(rad, two, tmp_path):
    assert said(rad("status", cwd=tmp_path, input=hook("older", two))) == "$0.0045 · n/a\n"


def test_a_hooks_folder_may_lie_below_the_workspace(rad, two, tmp_path):
    below = two / "src"
    below.mkdir()
    assert said(rad("status", cwd=tmp_path, input=hook("older", below))) == "$0.0045 · n/a\n"


def test_a_hooks_session_that_has_written_nothing_yet_shows_no_other(rad, two):
    assert said(rad("status", cwd=two, input=hook("begun", two))) == "$0.0000 today\n"


def test_a_named_workspace_beats_a_hooks_folder(rad, two, tmp_path):
    done = rad("status", "-w", two, cwd=tmp_path, input=hook("older", tmp_path))
    assert said(done) == "$0.0045 · n/a\n"


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\xff\xfe",
        b"no json",
        b'{"session_id": "older"',
        b"[]",
        b"null",
        b'{"session_id": 5, "workspace": 7, "cwd": []}',
        b'{"workspace": {"project_dir": {}}}',
        b'{"cwd": "/no/such/folder"}',
        b'{"cwd": "a\\u0000b"}',
        b"[" * 100_000,
        b"x" * 3_000_000,
    ],
    ids=range(12),
)
def test_what_is_no_hook_on_stdin_is_left_alone(rad, two, garbage):
    assert said(rad("status", cwd=two, input=garbage)) == "$0.0090 · 100.0%\n"


def test_a_pipe_that_stays_open_and_silent_holds_nothing_up(start, two):
    process = start("status", cwd=two, stdin=subprocess.PIPE)
    assert process.wait(PROMPT_SECONDS) == 0
    assert process.stdout.read() == b"$0.0090 \xc2\xb7 100.0%\n"


def test_a_hook_whose_pipe_stays_open_is_read(start, two):
    ours, theirs = os.pipe()
    os.write(theirs, hook("older", two))
    process = start("status", cwd=two, stdin=ours)
    os.close(ours)
    try:
        assert process.wait(PROMPT_SECONDS) == 0
    finally:
        os.close(theirs)
    assert process.stdout.read() == b"$0.0045 \xc2\xb7 n/a\n"


@posix
def test_a_closed_stdin_is_none(two):
    command = '"$0" -m rad_lsp.cli status <&-'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable], cwd=two, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"$0.0090 \xc2\xb7 100.0%\n", b"")


@posix
def test_a_terminal_on_stdin_is_not_read(start, two):
    import pty

    ours, theirs = pty.openpty()
    os.write(ours, b"ls\n")
    process = start("status", cwd=two, stdin=theirs)
    assert process.wait(PROMPT_SECONDS) == 0
    assert process.stdout.read() == b"$0.0090 \xc2\xb7 100.0%\n"
    os.set_blocking(theirs, False)
    assert os.read(theirs, 100) == b"ls\n"
    os.close(ours)
    os.close(theirs)


@posix
def test_nobody_who_reads_is_no_failure(two):
    done = subprocess.run(
        ["sh", "-c", '{ "$0" -m rad_lsp.cli status; echo $? >&2; } | true', sys.executable],
        cwd=two, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr == b"0\n"


def test_while_another_process_writes_it_answers_from_the_index(rad, two, claude_code, place):
    assert said(rad("status", cwd=two)) == "$0.0090 · 100.0%\n"
    claude_code("newest", start="2026-03-05T12:00:00+00:00").answer()
    writer = sqlite3.connect(place, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        begun = time.monotonic()
        done = rad("status", cwd=two, awaited=False)
        assert said(done) == "$0.0090 · 100.0% \N{HORIZONTAL ELLIPSIS}\n"
        assert time.monotonic() - begun < PROMPT_SECONDS
    finally:
        writer.close()
    assert said(rad("status", cwd=two)) == "$0.0045 · n/a\n"


SLOW = """
import os, time
opened, read = os.open, os.read
def opening(path, *arguments, **options):
    if str(path).endswith(".jsonl"):
        time.sleep(0.1)
    return opened(path, *arguments, **options)
def reading(descriptor, size):
    if size == 1 << 20:
        time.sleep(0.1)
    return read(descriptor, size)
os.open, os.read = opening, reading
"""
"""Transcripts are slow to open, and to read."""


def slow(folder):
    """The environment of a process with `SLOW`."""
    (folder / "sitecustomize.py").write_text(SLOW, encoding="utf-8")
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    return {"PYTHONPATH": path.rstrip(os.pathsep)}


def test_a_long_first_read_goes_on_from_one_line_to_the_next(rad, workspace, claude_code, tmp_path):
    for number in range(12):
        claude_code(f"s-{number:02}").answer()
    env = slow(tmp_path)
    seen, marked = [], []
    while not seen or marked[-1]:
        begun = time.monotonic()
        line = said(rad("status", "--format", "{total_sessions}", cwd=workspace.root, env=env))
        assert time.monotonic() - begun < PROMPT_SECONDS
        shown, _, mark = line.rstrip().partition(" \N{HORIZONTAL ELLIPSIS}")
        assert mark == ""
        seen.append(0 if shown == "no sessions" else int(shown))
        marked.append("\N{HORIZONTAL ELLIPSIS}" in line)
        assert seen == sorted(seen), "it began anew"
        assert len(seen) < MANY
    assert len(seen) > 2
    assert seen[-1] == 12


def test_a_long_transcript_is_read_from_one_line_to_the_next(rad, workspace, claude_code, tmp_path):
    made = claude_code("long")
    for _ in range(5):
        made.answer().record("progress", data="x" * (1 << 20))
    env = slow(tmp_path)
    seen = []
    while not seen or seen[-1] != 5_500:
        line = said(rad("status", "--format", "{tokens}", cwd=workspace.root, env=env))
        line = line.removesuffix("\n").removesuffix(" \N{HORIZONTAL ELLIPSIS}")
        seen.append(0 if line == "no sessions" else int(line.replace(",", "")))
        assert seen == sorted(seen), "it began anew"
        assert len(seen) < MANY
    assert len(seen) > 2


def lines_of(process, wanted):
    """Lines of a process that watches, up to the one that is wanted."""
    found = []
    while not found or found[-1] != wanted:
        line = process.stdout.readline().decode()
        assert line, (found, process.stderr.read())
        found.append(line)
    return found


@posix
def test_watching_says_a_line_at_once_and_after_each_change(start, two, claude_code):
    process = start("status", "--watch", cwd=two)
    assert lines_of(process, "$0.0090 · 100.0%\n") == ["$0.0090 · 100.0%\n"]
    claude_code("newest", start="2026-03-05T12:00:00+00:00").answer()
    assert lines_of(process, "$0.0045 · n/a\n") == ["$0.0045 · n/a\n"]
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=PROMPT_SECONDS)
    assert (process.returncode, output, errors) == (130, b"", b"")


@posix
def test_watching_begins_where_there_is_nothing_yet(start, workspace, claude_code):
    process = start("status", "--watch", "--format", "{session_id}", cwd=workspace.root)
    assert lines_of(process, "no sessions\n") == ["no sessions\n"]
    claude_code("first").answer()
    assert lines_of(process, "first\n") == ["first\n"]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PROMPT_SECONDS)


@posix
def test_watching_json_says_an_object_a_line(start, two):
    process = start("status", "--watch", "--json", cwd=two)
    found = json.loads(process.stdout.readline())
    assert found["session"]["session_id"] == "newer"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PROMPT_SECONDS)


@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["line", "json"])
def test_what_a_workspace_may_not_set_is_not_named_at_each_prompt(rad, two, user_settings, flags):
    user_settings("budget.session = 0.001")
    before = said(rad("status", *flags, cwd=two))
    (two / ".radium" / "rad-lsp.toml").write_text(
        f'sources = []\nstatus.format = "\\u001b]0;title\\u0007{"x" * 60_000}"\n'
        f'budget.session = 1000\n[prices."claude-sonnet-4-5-20250929"]\ninput = 0\noutput = 0\n',
        encoding="utf-8",
    )
    assert said(rad("status", *flags, cwd=two)) == before


def test_a_line_is_short_and_changes_no_terminal_whatever_the_format(rad, two, user_settings):
    user_settings(f'status.format = "\\u001b]0;title\\u0007\\u202e{{cost}}{"x" * 60_000}"')
    line = said(rad("status", cwd=two))
    assert line.startswith("\\x1b]0;title\\x07\\u202e$0.0090xxx")
    assert len(line) < 1_000
