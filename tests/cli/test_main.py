from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from rad_lsp import __version__
from rad_lsp.cli import main

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


def commands(command, path=()):
    """All commands, and the groups that they are in, by the words that are typed for them."""
    yield [*path]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*path, name))


NO_WORKSPACE = "Error: No Radium workspace found. Run 'rad init' to create one.\n"


def shell(command, folder):
    """Runs a POSIX shell's command, in which $0 is this Python."""
    return subprocess.run(
        ["sh", "-c", command, sys.executable],
        cwd=folder,
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("command", list(commands(main.rad)), ids=" ".join)
def test_help_of_every_command_has_one_example(rad, command):
    done = rad(*command, "--help")
    example = [line for line in done.stdout.splitlines() if "Example:" in line]
    assert done.returncode == 0
    assert len(example) == 1
    assert f"Example: {' '.join(['rad', *command])}" in example[0]


def test_h_is_help(rad):
    assert rad("stats", "history", "-h").stdout == rad("stats", "history", "--help").stdout


def test_version_names_the_command_and_the_package(rad):
    done = rad("--version")
    assert (done.returncode, done.stdout) == (0, f"rad {__version__} (rad-lsp)\n")


KNOWN = (
    "Known are: budget, compare, cost, daily, engine, export, history, hourly, model, monthly, "
    "session, tools, weekly."
)


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (["stats", "xyz"], KNOWN),
        (["stats", "histroy"], "Did you mean 'rad stats history'?"),
        (["stats", "doctor"], "Did you mean 'rad doctor'?"),
        (["history"], "Did you mean 'rad stats history'?"),
        (["session", "recrod"], "Did you mean 'rad session record'?"),
        (["index", "rebiuld"], "Did you mean 'rad index rebuild'?"),
    ],
    ids=str,
)
def test_an_unknown_command_is_wrong_usage_with_a_suggestion(rad, command, advice):
    done = rad(*command)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"Error: No such command '{command[-1]}'. {advice}"


def test_an_unknown_option_is_wrong_usage(rad):
    done = rad("stats", "session", "--bogus")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "Error: No such option '--bogus'."


@pytest.mark.parametrize(
    "command",
    [
        ["session"],
        ["model"],
        ["engine", "--json"],
        ["history"],
        ["compare", "a", "b"],
        ["export", "-o", "all.json"],
    ],
    ids=" ".join,
)
def test_without_a_workspace_every_command_says_how_to_make_one(rad, tmp_path, command):
    done = rad("stats", *command)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", NO_WORKSPACE)
    assert list(tmp_path.iterdir()) == []


@posix
def test_a_deleted_current_folder_is_one_clear_line(tmp_path):
    (tmp_path / "gone").mkdir()
    done = shell('rmdir "$PWD" && exec "$0" -m rad_lsp.cli stats history', tmp_path / "gone")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"Error: No such file or directory.\n"


def test_output_is_utf8_where_the_terminal_is_not(rad, golden, expected):
    done = rad(
        "stats",
        "history",
        cwd=golden("history"),
        env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, expected("history"), "")


def test_errors_are_utf8_where_the_terminal_is_not(rad, golden):
    done = rad(
        "stats",
        "session",
        "ünïcode",
        cwd=golden("history"),
        env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: No session 'ünïcode' found.")


@posix
def test_a_reader_that_stops_early_ends_it_quietly(start, workspace):
    for number in range(40):
        workspace.add(f"session-{number}", notes="x" * 10_000)
    process = start("stats", "export", "--format", "ndjson", cwd=workspace.root)
    process.stdout.readline()
    process.stdout.close()
    assert (process.stderr.read(), process.wait()) == (b"", 0)


@posix
def test_a_reader_that_never_reads_ends_it_quietly(start, golden):
    process = start("stats", "history", cwd=golden("history"))
    process.stdout.close()
    assert (process.stderr.read(), process.wait()) == (b"", 0)


@posix
def test_a_closed_stdout_is_no_internal_error(golden):
    done = shell('exec "$0" -m rad_lsp.cli stats history >&-', golden("history"))
    assert b"Internal error" not in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full disk")
def test_a_full_disk_behind_stdout_is_one_clear_line(start, golden):
    with Path("/dev/full").open("wb") as full:
        process = start("stats", "export", cwd=golden("history"), stdout=full)
        _, problem = process.communicate()
    assert (process.returncode, problem) == (1, b"Error: No space left on device.\n")


def test_stats_starts_without_what_only_the_server_needs(rad, golden):
    done = rad("stats", "history", cwd=golden("history"), env={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "rad_lsp.service" in imported
    assert {"pygls", "lsprotocol", "git"}.isdisjoint(imported)


@posix
def test_a_terminal_gets_colour(terminal, golden):
    shown = terminal("stats", "session", cwd=golden("session"), env={"TERM": "xterm"})
    assert "\x1b[1mInteraction Summary\x1b[0m\n" in shown
    assert "231 ( \x1b[32m✓ 214\x1b[0m \x1b[31mx 17\x1b[0m )\n" in shown


@posix
@pytest.mark.parametrize(
    "command",
    [["session"], ["history"], ["compare", "latest", "latest"]],
    ids=" ".join,
)
def test_a_terminal_gets_no_colour_with_no_color(terminal, golden, command):
    shown = terminal("stats", *command, cwd=golden("session"), env={"NO_COLOR": "1"})
    assert "3c6ddcd3" in shown or "gemini" in shown
    assert "\x1b" not in shown


def test_a_pipe_gets_no_colour(rad, golden):
    assert "\x1b" not in rad("stats", "history", cwd=golden("history")).stdout


@posix
@pytest.mark.parametrize("kind", ["session", "history", "model", "cost", "export"])
def test_json_on_a_terminal_changes_nothing_there(rad, terminal, workspace, report_dict, kind):
    usage = report_dict()["metrics"]["model_usage"]["gemini-2.5-flash-lite"]
    name = "m\u202e\u009b2J\x7f\x1b[2J\U000e0041\u00fc"
    report = report_dict(session_id=name, model_usage={name: usage})
    workspace.raw("mine.json", json.dumps(report, ensure_ascii=False).encode())
    command = ["stats", kind] if kind == "export" else ["stats", kind, "--json"]
    shown = terminal(*command, cwd=workspace.root)
    assert shown.replace("\n", "").isprintable()
    assert "\\u202e\\u009b2J\\u007f" in shown
    assert json.loads(shown) == json.loads(rad(*command, cwd=workspace.root).stdout)


@posix
def test_json_on_a_terminal_has_no_colour(terminal, golden):
    shown = terminal("stats", "session", "--json", cwd=golden("session"))
    assert shown.startswith('{\n  "metrics": {\n')
    assert "\x1b" not in shown
