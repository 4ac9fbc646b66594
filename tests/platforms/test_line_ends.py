"""Lines that end as on Windows, and pieces of text that begin with a byte order mark."""

from __future__ import annotations

import json
import subprocess
import sys

from rad_lsp.settings import user_file

BOM = b"\xef\xbb\xbf"


def crlf(data):
    return data.replace(b"\n", b"\r\n")


def sessions(done):
    return {row["metrics"]["session_id"]: row["metrics"] for row in json.loads(done.stdout)}


def test_reports_and_transcripts_are_the_same_with_either_end(
    workspace, report_bytes, claude_code, codex, rad
):
    (workspace.sessions / "r.json").write_bytes(report_bytes(session_id="r"))
    made = [
        workspace.sessions / "r.json",
        claude_code("c").prompt().answer(tools=["t"]).result("t").path,
        codex("x").answer().answer().path,
    ]
    before = sessions(rad("stats", "history", "--json", cwd=workspace.root))
    for path in made:
        path.write_bytes(crlf(path.read_bytes()))
    after = rad("stats", "history", "--json", cwd=workspace.root)
    assert sessions(after) == before
    assert before.keys() == {"r", "c", "x"}
    assert after.stderr == ""


def test_settings_may_have_them(workspace, rad):
    workspace.add("r")
    user_file().parent.mkdir(parents=True, exist_ok=True)
    user_file().write_bytes(b'timezone = "Etc/UTC"\r\n[status]\r\nformat = "{total_sessions}"\r\n')
    done = rad("status", cwd=workspace.root)
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_events_may_have_them_and_a_mark_before_each_piece(workspace, rad):
    events = b'{"type": "tool", "gen_ai.tool.name": "a"}\r\n'
    write = f"import os; open(os.environ['RAD_SESSION_EVENTS'], 'ab').write({2 * (BOM + events)!r})"
    done = rad("session", "run", "--json", "--", sys.executable, "-c", write, cwd=workspace.root)
    metrics = json.loads(done.stdout)["metrics"]
    changes = "Changes are not tracked"
    assert metrics["tool_calls"] == 2
    assert [text for text in metrics["warnings"] if changes not in text and "git" not in text] == []


def test_a_repository_with_them_is_tracked_as_git_does(workspace, rad):
    root = workspace.root
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.autocrlf=false"]
    (root / ".gitignore").write_bytes(b"ignored.txt\r\n# note\r\nbuild/\r\n")
    (root / "a.txt").write_bytes(b"1\r\n2\r\n3\r\n")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *arguments], cwd=root, check=True)
    write = (
        "import os, pathlib; os.mkdir('build')\n"
        "for name in ('ignored.txt', 'build/b.txt', 'c.txt'):\n"
        "    pathlib.Path(name).write_bytes(b'x\\r\\ny\\r\\n')\n"
        "pathlib.Path('a.txt').write_bytes(b'1\\r\\ntwo\\r\\n3\\r\\n')"
    )
    done = rad("session", "run", "--json", "--", sys.executable, "-c", write, cwd=root)
    metrics = json.loads(done.stdout)["metrics"]
    counted = [metrics[name] for name in ("lines_added", "lines_removed", "files_changed")]
    assert counted == [3, 1, 2]


def test_a_linked_worktree_that_windows_wrote_is_of_its_repository(workspace, rad, tmp_path):
    root = workspace.root
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    linked = tmp_path / "linked"
    for arguments in (
        ["init", "-q"],
        ["commit", "-q", "--allow-empty", "-m", "x"],
        ["worktree", "add", "-q", str(linked)],
    ):
        subprocess.run([*git, *arguments], cwd=root, check=True)
    for path in (linked / ".git", *root.glob(".git/worktrees/*/*dir")):
        path.write_bytes(crlf(path.read_bytes()))
    (linked / ".radium").mkdir()
    write = "open('new', 'w').write('x')"
    done = rad("session", "run", "--json", "--", sys.executable, "-c", write, cwd=linked)
    assert json.loads(done.stdout)["metrics"]["files_changed"] == 1
