"""The documented lines for status lines of other programs, each run as that program runs it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest

from tests.editors.neovim.conftest import missing

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs sh and a pty")

ROOT = Path(__file__).parents[2]

ODD = """it's "my" $(touch run) `touch run` #[bold] (1) %H; touch run"""
"""A folder's name that a shell, and tmux, must not take for more than a name."""


def snippet(language):
    """The lines in that language that users of status lines are given."""
    text = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    section = re.search(r"^## Status lines\n(.*)", text, re.DOTALL | re.MULTILINE)
    assert section, "there is no section on status lines"
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", section[1], re.DOTALL | re.MULTILINE)
    return found


@pytest.fixture
def environment(tmp_path):
    """A user's environment, with this repository's `rad` on the PATH."""
    program = tmp_path / "bin" / "rad"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m rad_lsp.cli "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TMUX")}
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "SHELL": "/bin/sh"}


@pytest.fixture
def folder(tmp_path, claude_code, rad):
    """A folder with an odd name, in which the newest session cost $0.0090."""
    made = tmp_path / ODD
    made.mkdir()
    claude_code("older", made, start="2026-03-01T12:00:00+00:00").answer()
    claude_code("newer", made).answer(tools=["a"]).result("a").answer()
    # A status line does not wait for a first read, however busy the machine is.
    assert rad("index", "rebuild").returncode == 0
    return made


@pytest.fixture
def tmux(folder, environment):
    """tmux as a user sees it who has that line in the settings."""
    program = shutil.which("tmux") or missing("tmux", "run tests/e2e/setup.sh")
    from tests.editors.neovim.terminal import Terminal

    # Looked at every second, so that a folder which is known late is seen at all.
    settings = f"{snippet('tmux')}set -g status-interval 1\n"
    Path(os.environ["HOME"], ".tmux.conf").write_text(settings, encoding="utf-8")
    # Of its own, since the path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="rad-") as sockets:
        env = {**environment, "TMUX_TMPDIR": sockets}
        terminal = Terminal([program, "new-session"], folder, env)
        yield terminal
        subprocess.run([program, "kill-server"], env=env, check=True)
        terminal.close()


def test_tmux_shows_the_latest_session_of_the_panes_folder(tmux, folder, claude_code, tmp_path):
    tmux.wait("$0.0090 · 100.0%")
    claude_code("newest", folder, start="2026-03-03T12:00:00+00:00").answer().answer().answer()
    tmux.wait("$0.0135 · n/a")
    assert tmux.line(-1).endswith("$0.0135 · n/a")
    tmux.type("cd\r")
    tmux.wait("no sessions")
    assert not [*tmp_path.rglob("run")]


def test_claude_code_shows_the_session_that_it_names(folder, environment, tmp_path):
    line = json.loads(snippet("json"))["statusLine"]
    assert line.keys() == {"type", "command"}
    assert line["type"] == "command"
    hook = {
        "hook_event_name": "Status",
        "session_id": "older",
        "transcript_path": "/nowhere/older.jsonl",
        "cwd": str(folder),
        "model": {"id": "claude-sonnet-4-5", "display_name": "Sonnet 4.5"},
        "workspace": {"current_dir": str(folder), "project_dir": str(folder)},
        "version": "2.1.0",
        "output_style": {"name": "default"},
        "cost": {"total_cost_usd": 1.23, "total_duration_ms": 45000},
    }
    done = subprocess.run(
        ["sh", "-c", line["command"]],
        input=json.dumps(hook).encode(),
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=True,
    )
    assert (done.stdout.decode("utf-8"), done.stderr) == ("$0.0045 · n/a\n", b"")


def test_starship_shows_the_latest_session_of_the_folder(folder, environment):
    settings = tomllib.loads(snippet("toml"))
    module = settings["custom"]["rad"]
    # Else starship ends a command after half a second, which is less than a busy machine takes.
    assert module == {"command": "rad status", "when": True, "ignore_timeout": True}
    # As starship does it: the command is what the shell reads.
    done = subprocess.run(
        ["sh"],
        input=module["command"].encode(),
        cwd=folder,
        env=environment,
        capture_output=True,
        check=True,
    )
    assert (done.stdout.decode("utf-8"), done.stderr) == ("$0.0090 · 100.0%\n", b"")
