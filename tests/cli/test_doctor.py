from __future__ import annotations

import platform
import shutil
import subprocess
from datetime import UTC, datetime
from importlib import metadata

import pytest

from rad_lsp import __version__, settings
from rad_lsp.service import price_list_age


def test_a_healthy_workspace_is_zero(rad, golden):
    done = rad("doctor", cwd=golden("history"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nReports:           2, read in " in done.stdout
    assert "\nSkipped files:     0\n" in done.stdout
    assert "\nWarnings:          0\n" in done.stdout


HOSTILE = '"\\u001b]0;title\\u0007\\u202e' + "x" * 50_000 + '"'
"""A text of TOML with a terminal's escape, a bidi mark, and many letters."""


def test_it_names_the_versions(rad, golden):
    shown = rad("doctor", cwd=golden("history")).stdout
    assert shown.startswith(f"rad-lsp:           {__version__}\n")
    assert f"\nPython:            {platform.python_version()} (" in shown
    assert f"click {metadata.version('click')}" in shown
    assert f"pygls {metadata.version('pygls')}" in shown


def test_it_tells_how_old_the_prices_are(rad, golden):
    shown = rad("doctor", cwd=golden("history")).stdout
    age = price_list_age()
    assert age.released
    days = (datetime.now(UTC).date() - age.released).days
    assert (
        f"\nPrices:            genai-prices {age.version}, released on {age.released} ({days} day"
    ) in shown
    assert f"; corrections of {age.corrected}\n" in shown


def test_it_names_the_workspace_and_its_folders(rad, workspace):
    lines = rad("doctor", cwd=workspace.root).stdout.splitlines()
    assert f"Workspace:         {workspace.root} (the nearest .radium folder upward)" in lines
    assert f"Sessions folder:   {workspace.sessions}" in lines
    settings = workspace.root / ".radium" / "rad-lsp.toml"
    assert f"Settings:          {settings} (none)" in lines


def test_it_tells_when_the_workspace_was_named(rad, workspace):
    lines = rad("doctor", "-w", workspace.root).stdout.splitlines()
    assert f"Workspace:         {workspace.root} (named with --workspace)" in lines


def test_it_tells_when_the_environment_names_the_workspace(rad, workspace):
    lines = rad("doctor", env={"RADIUM_WORKSPACE": str(workspace.root)}).stdout.splitlines()
    assert f"Workspace:         {workspace.root} (named by $RADIUM_WORKSPACE)" in lines


def test_without_a_workspace_it_says_how_to_make_one(rad):
    done = rad("doctor")
    assert done.returncode == 1
    assert "No Radium workspace found. Run 'rad init' to create one." in done.stdout + done.stderr
    assert f"rad-lsp:           {__version__}\n" in done.stdout


def test_an_empty_workspace_is_no_fault(rad, workspace):
    done = rad("doctor", cwd=workspace.root)
    assert done.returncode == 0
    assert "No sessions found: run an agent session in this workspace first." in done.stdout


def test_a_missing_sessions_folder_wants_mending(rad, tmp_path):
    (tmp_path / ".radium").mkdir()
    done = rad("doctor")
    assert done.returncode == 1
    assert "The sessions folder does not exist. 'rad init' makes it." in done.stdout


def test_it_names_every_skipped_file_with_its_reason(rad, workspace, report_bytes):
    workspace.add("mine")
    workspace.raw("empty.json", b"")
    workspace.raw("torn.json", report_bytes()[:500])
    workspace.raw("wrong.json", report_bytes(tool_calls="many"))
    for number in range(12):
        workspace.raw(f"z-{number:02}.json", b"")
    done = rad("doctor", cwd=workspace.root)
    lines = done.stdout.splitlines()
    first = lines.index("Skipped files:     15") + 1
    assert done.returncode == 1
    assert lines[first].startswith("  empty.json: the file is empty")
    assert lines[first + 1].startswith(
        "  torn.json: the file ends in the middle of the report (byte 499)"
    )
    assert lines[first + 2].startswith(
        "  wrong.json: `metrics.tool_calls` must be a whole number, not text (byte "
    )
    assert [line.split(":")[0].strip() for line in lines[first + 3 : first + 15]] == [
        f"z-{number:02}.json" for number in range(12)
    ]


def test_figures_that_contradict_each_other_are_a_warning_only(rad, workspace):
    workspace.add("mine", end_time="2025-12-01T00:00:00Z")
    done = rad("doctor", cwd=workspace.root)
    assert done.returncode == 0
    assert "\nWarnings:          1\n  mine: " in done.stdout


def test_control_characters_from_a_file_are_escaped(rad, workspace, report_bytes):
    workspace.raw("mine.json", report_bytes(session_id="\x1b[31mred\nline"))
    done = rad("doctor", cwd=workspace.root)
    assert "\n  \\x1b[31mred\\nline: " in done.stdout
    assert "\x1b" not in done.stdout


def test_no_name_and_no_warning_changes_the_terminal(rad, tmp_path, report_bytes):
    root = tmp_path / "a\x1b]0;b\x07\u202e"
    folder = root / ".radium" / "_internals" / "sessions"
    folder.mkdir(parents=True)
    (folder / "mine.json").write_bytes(report_bytes(session_id="mine", warnings=["x\x1b[2J\ny"]))
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    shown = rad("doctor", cwd=root, env={"XDG_DATA_HOME": str(root)}).stdout
    assert "mine: x\\x1b[2J\\ny" in shown
    assert "git repository at " in shown
    assert shown.count("a\\x1b]0;b\\x07\\u202e") >= 4
    assert not set("\x1b\x07\u202e") & set(shown)


def test_without_a_program_on_the_path_it_advises_no_module_of_the_current_folder(rad, workspace):
    shown = rad("doctor", cwd=workspace.root, env={"PATH": ""}).stdout
    assert "\nrad on PATH:       none; python -P -m rad_lsp.cli is the same\n" in shown
    assert "\nrad-lsp on PATH:   none; python -P -m rad_lsp is the same\n" in shown


def test_a_mistake_in_the_settings_is_named(rad, workspace):
    file = workspace.root / ".radium" / "rad-lsp.toml"
    file.write_text("bogus = 1")
    done = rad("doctor", cwd=workspace.root)
    assert done.returncode == 1
    assert f"Settings:          {file} (read)" in done.stdout
    assert f"{file}: Object contains unknown field `bogus`" in done.stdout


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_it_tells_of_the_git_repository(rad, workspace):
    subprocess.run(["git", "init", "--quiet"], cwd=workspace.root, check=True)
    shown = rad("doctor", cwd=workspace.root).stdout
    assert f"\nCode changes:      git repository at {workspace.root}; " in shown


def test_it_tells_what_set_which_setting(rad, workspace, user_settings, workspace_settings):
    user = user_settings('sources = ["radium"]\nbudget.day = 20\n')
    own = workspace_settings("budget.day = 10\n")
    done = rad("doctor", "--timezone", "UTC", cwd=workspace.root)
    assert done.returncode == 0
    assert (
        f"Settings:          {user} (read)\n"
        f"  {user}: sources\n  {own}: budget.day\n  command line: timezone\n"
        f"Sessions folder:   {workspace.sessions}\n"
    ) in done.stdout


def test_it_names_what_a_workspace_may_not_set(rad, workspace, user_settings, workspace_settings):
    user = user_settings("budget.day = 1\n")
    own = workspace_settings(f"sources = []\nbudget.day = 2\nstatus.format = {HOSTILE}\n")
    done = rad("doctor", cwd=workspace.root)
    assert done.returncode == 0
    assert f"\n  {own}: sources, status, budget.day ignored. A workspace sets " in done.stdout
    assert f"belongs in {user}.\n" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    "text",
    [f"{HOSTILE} = 1", f"timezone = {HOSTILE}", f"[{HOSTILE}"],
    ids=["key", "time zone", "no TOML"],
)
def test_nothing_that_a_workspace_has_is_printed_raw_or_at_length(rad, workspace, text):
    folder = workspace.root.with_name("\x1b[2J\u202efolder")
    workspace.add("mine", warnings=["\x1b[2J\u202e" + "x" * 100_000])
    workspace.root.rename(folder)
    (folder / settings.WORKSPACE_FILE).write_text(text, encoding="utf-8")
    done = rad("doctor", cwd=folder)
    assert done.returncode == 1
    lines = (done.stdout + done.stderr).splitlines()
    assert all(line.isprintable() and len(line) < 10_000 for line in lines)
