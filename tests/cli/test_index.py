"""`rad index forget`; `rad index rebuild` is tested in `test_agents.py`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

UNTOUCHED = "No transcript and no report was touched.\n"


@pytest.fixture
def shown(rad, workspace):
    """The ids in the history of all projects."""

    def ids():
        done = rad("stats", "history", "--all-projects", "--json", cwd=workspace.root)
        assert (done.returncode, done.stderr) == (0, "")
        return [report["metrics"]["session_id"] for report in json.loads(done.stdout)]

    return ids


@pytest.fixture
def forget(rad, workspace):
    """Runs `rad index forget` in the workspace."""
    return lambda *arguments, **options: rad(
        "index", "forget", *arguments, cwd=workspace.root, **options
    )


def test_sessions_with_ids_are_forgotten_in_all_projects(
    forget, shown, workspace, claude_code, tmp_path
):
    claude_code("11-here").answer()
    claude_code("22-there", tmp_path / "there").answer()
    claude_code("kept").answer()
    done = forget("11", "22-there", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "Forgot:\n"
        f"  1 session of claude-code in {tmp_path / 'there'}\n"
        f"  1 session of claude-code in {workspace.root}\n" + UNTOUCHED
    )
    assert shown() == ["kept"]


def test_so_are_all_of_a_source_or_of_a_folder(forget, shown, workspace, claude_code, codex):
    claude_code("claude", workspace.root / "secret" / "below").answer()
    codex("codex").answer()
    workspace.add("radium")
    done = forget("--folder", "secret", "--yes", "--json")
    assert json.loads(done.stdout) == [
        {
            "source": "claude-code",
            "folder": str(workspace.root / "secret" / "below"),
            "sessions": 1,
        }
    ]
    assert sorted(shown()) == ["codex", "radium"]
    assert forget("--source", "codex", "--source", "claude-code", "--yes").returncode == 0
    assert shown() == ["radium"]


def test_a_report_is_forgotten_and_stays_where_it_is(forget, shown, workspace):
    path = workspace.add("radium")
    assert forget("radium", "--yes").returncode == 0
    assert shown() == []
    assert path.exists()


def test_where_nobody_can_be_asked_it_says_how_to_go_on(forget, shown, claude_code):
    claude_code("one").answer()
    done = forget("one")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: 1 session would be forgotten. Add --yes, as nobody can be asked here.\n"
    )
    assert shown() == ["one"]


@posix
@pytest.mark.parametrize(("answer", "left"), [(b"n\n", ["one"]), (b"\n", ["one"]), (b"y\n", [])])
def test_on_a_terminal_it_asks(start, shown, workspace, claude_code, answer, left):
    import pty

    claude_code("one").answer()
    ours, theirs = pty.openpty()
    try:
        process = start("index", "forget", "one", cwd=workspace.root, stdin=theirs)
        os.write(ours, answer)
        _, errors = process.communicate(timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert b"1 session of claude-code" in errors
    assert process.returncode == (1 if left else 0)
    assert (b"Nothing was forgotten." in errors) == bool(left)
    assert shown() == left


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "either each by its ID, or by --source and --folder"),
        (["one", "--source", "codex"], 2, "either each by its ID, or by --source and --folder"),
        (["--source", "nobody"], 2, "'nobody' is no source; known are radium, claude-code"),
        (["--folder", "empty", "--yes"], 1, "The index has no such session."),
        (["on3", "--yes"], 1, "No session 'on3' found. Did you mean 'one'?"),
    ],
)
def test_what_names_no_session_is_refused(forget, shown, claude_code, arguments, code, message):
    claude_code("one").answer()
    done = forget(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert shown() == ["one"]


def test_doctor_tells_how_many_are_forgotten(rad, forget, workspace, claude_code):
    claude_code("one").answer()
    assert "Forgotten" not in rad("doctor", cwd=workspace.root).stdout
    forget("one", "--yes")
    told = rad("doctor", cwd=workspace.root).stdout
    assert "  Forgotten:       1 session, by 'rad index forget'\n" in told
    assert "Skipped files:     0\n" in told


def test_an_index_that_cant_be_written_is_not_said_to_forget(
    rad, without_privileges, workspace, claude_code
):
    place = Path(os.environ["HOME"], ".local", "share", "rad-lsp", "index.db")
    claude_code("one").answer()
    rad("stats", "history", cwd=workspace.root)
    place.chmod(0o444)
    place.parent.chmod(0o555)
    done = without_privileges("index", "forget", "one", "--yes", cwd=workspace.root)
    place.parent.chmod(0o755)
    assert (done.returncode, done.stdout) == (1, "")
    assert "The index can't be changed, because it can't be written" in done.stderr
