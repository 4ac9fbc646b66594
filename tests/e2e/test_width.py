"""Tables in a real terminal of some width: nothing wraps, and what is left out is named."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import pytest

from tests.editors.neovim.conftest import missing

DONE = "all-is-shown"
PATIENCE = 60
RULES = {"─", "═"}


@pytest.fixture
def sessions(workspace, claude_code, codex):
    """Sessions with long names and big figures, and a project and title of wide characters."""
    for number, name in enumerate(["項目-alpha/プロジェクト", "shop/api", "blog/api"]):
        made = claude_code(f"{number}c6ddcd3-85b6-48f1-88e1-f428ca458337", workspace.root / name)
        made.answer(1_234_567, 98_765, read=22_345_678, written=5000, tools=["a"]).result("a")
        title = "ログイン画面のバグを直す、そしてその他の多くの言葉"
        made.write({"type": "custom-title", "customTitle": title, "sessionId": made.id})
        made.answer(model="claude-haiku-4-5-20251001")
    codex("01a10000-0000-7000-8000-0000000000a3").answer(300_000, 10)
    return workspace.root


@pytest.fixture
def shown(sessions):
    """The lines that `rad` shows in a terminal of a width, which wraps what is longer."""
    program = shutil.which("tmux") or missing("tmux", "run tests/e2e/setup.sh")

    def run(width, *arguments, joined=False):
        rad = shlex.join([sys.executable, "-m", "rad_lsp.cli", *arguments])
        with tempfile.TemporaryDirectory(prefix="rad-") as sockets:
            env = {key: value for key, value in os.environ.items() if not key.startswith("TMUX")}
            env |= {"TMUX_TMPDIR": sockets, "LC_ALL": "C.UTF-8"}
            tmux = [program, "-f", os.devnull]
            command = f"{rad}; echo {DONE}; exec sleep 600"
            size = ["-d", "-x", str(width), "-y", "200"]
            subprocess.run(
                [*tmux, "new-session", *size, command], cwd=sessions, env=env, check=True
            )
            screen = ""
            deadline = time.monotonic() + PATIENCE
            # With -J, tmux joins the parts of a line that it has wrapped.
            capture = [*tmux, "capture-pane", "-p", *["-J"] * joined]
            while f"\n{DONE}" not in screen:
                assert time.monotonic() < deadline, screen
                time.sleep(0.1)
                done = subprocess.run(capture, env=env, check=True, capture_output=True)
                screen = done.stdout.decode("utf-8")
            subprocess.run([*tmux, "kill-server"], env=env, check=True)
        return screen.partition(f"\n{DONE}")[0].splitlines()

    return run


@pytest.mark.parametrize("width", [80, 100, 120, 200])
@pytest.mark.parametrize(
    ("command", "rows"),
    [
        (["history"], 4),
        (["history", "--titles", "--columns", "title,project,branch,models,cost,requests"], 4),
        (["model"], 3),
        (["engine"], 2),
    ],
    ids=["history", "columns", "model", "engine"],
)
def test_a_row_of_a_table_is_one_line(shown, width, command, rows):
    lines = shown(width, "stats", *command)
    (first, *more) = [number for number, line in enumerate(lines) if set(line) == {"─"}]
    end = more[0] if more else [*lines[first:], ""].index("") + first
    assert end - first - 1 == rows
    left_out = " ".join(lines).partition("Left out, for lack of width: ")[2]
    assert "Cost" in lines[first - 1] or "Cost" in left_out


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_what_a_cost_is_made_of_is_told_whole(shown, width):
    said = " ".join(" ".join(shown(width, "stats", "cost")).split())
    assert "claude-sonnet-4-5-20250929, 3 requests over 200,000 input tokens" in said


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_a_session_and_a_comparison_have_no_line_that_wraps(shown, width):
    assert "claude-haiku-4-5-20251001 " in "\n".join(shown(width, "stats", "session", "0c6"))
    for line in shown(width, "stats", "compare", "0c6", "1c6"):
        assert line == "" or line.startswith(("Session", "  ", "Token", "Cost", "Perf", "Tool",
                                              "Code", "Other", "─", "═"))  # fmt: skip


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize(
    "command",
    ["overview", "limits", "stats daily --split project --since 2026-03-01 --until 2026-03-04",
     "stats monthly --split model --since 2026-01-01", "stats tools", "stats budget"],
    ids=lambda command: " ".join(command.split()[:2]),
)  # fmt: skip
def test_no_line_wraps(shown, user_settings, width, command):
    user_settings("budget = { day = 5, week = 30, month = 100 }")
    words = command.split()
    joined = [line.rstrip() for line in shown(width, *words, joined=True)]
    prose = ("Burn rate", "Expected", "Range", "No plan limits", "No current", "Left out")
    for line in joined:
        assert line in shown(width, *words) or line.startswith(prose), line
