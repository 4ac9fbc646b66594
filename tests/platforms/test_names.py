"""Names that one system takes for the same and another does not, and names that are long."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from rad_lsp import repository
from rad_lsp.cli.lsp_client import Client
from rad_lsp.core import paths
from rad_lsp.service import documents
from rad_lsp.sources import copilot_cli
from rad_lsp.sources.claude_code import ClaudeCodeParser
from rad_lsp.store import query
from rad_lsp.store.machine import Machine
from rad_lsp.store.query import Scope

posix = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are Unicode")


@pytest.fixture
def on(monkeypatch):
    """Paths are those of a system."""
    return lambda system: monkeypatch.setattr(paths, "SYSTEM", system)


@pytest.fixture
def found_in(claude_code):
    """The sessions that a folder has, of those that worked in folders as transcripts say."""

    def found(folder, *worked_in):
        for number, cwd in enumerate(worked_in):
            claude_code(str(number), cwd, folder=Path(os.environ["HOME"], ".claude")).answer()
        machine = Machine({}, Path(os.environ["HOME"]), None)
        try:
            machine.update(machine.agents(["claude-code"]))
            scope = Scope(frozenset({"claude-code"}), (folder,))
            return {one.id for one in query.entries(machine.index.connection, scope, None)}
        finally:
            machine.index.close()

    return found


def test_on_windows_a_session_is_found_however_its_folder_is_written(on, found_in):
    on("win32")
    worked_in = ["C:\\work\\App", "c:/work/app/src", "\\\\?\\C:\\Work\\App", "C:\\work\\app2"]
    assert found_in("c:\\work\\app", *worked_in) == {"0", "1", "2"}


def test_on_windows_a_whole_drive_and_a_share_have_what_is_below_them(on, found_in):
    on("win32")
    worked_in = ["C:\\a", "c:\\", "D:\\a", "\\\\host\\share\\a"]
    assert found_in("C:\\", *worked_in) == {"0", "1"}
    assert found_in("//HOST/share") == {"3"}


def test_on_macos_a_session_is_found_in_any_case(on, found_in):
    on("darwin")
    assert found_in("/users/x/app", "/Users/x/App", "/Users/x/App/src", "/Users/y") == {"0", "1"}


def test_on_linux_folders_of_other_case_are_others(on, found_in):
    on("linux")
    assert found_in("/w/app", "/w/App", "/w/app", "/w\\app") == {"1"}


def test_a_transcript_is_known_by_its_uri_in_the_editors_spelling(on, claude_code):
    on("darwin")
    path = str(claude_code("a").prompt().path)
    assert documents.transcript_source(path.replace(".claude", ".Claude")) == "claude-code"


def test_windows_signs_in_nowhere_because_a_transcript_or_a_repository_says_so(on, tmp_path):
    on("win32")
    share = "//host/share" if sys.platform != "win32" else "\\\\host\\share"
    (tmp_path / ".git").write_text(f"gitdir: {share}\n", encoding="utf-8")
    assert repository.at(tmp_path) is None
    assert repository.project_of(share) == share
    (tmp_path / "gitdir").write_text(f"{share}\n", encoding="utf-8")
    assert repository.first_line(tmp_path / "gitdir") == ""


CWD = "C:\\work"
WRITTEN = ("C:\\work\\src\\a.py", "c:/work/src/A.py", "src\\a.py")


def lines(*records):
    return b"".join(json.dumps(record).encode() + b"\r\n" for record in records)


def test_claude_code_changed_one_file_however_it_is_written():
    records = []
    for number, path in enumerate(WRITTEN):
        base = {"sessionId": "a", "cwd": CWD, "timestamp": f"2026-03-02T12:00:0{number}Z"}
        call = {"type": "tool_use", "id": f"t{number}", "name": "Edit"}
        message = {"id": f"m{number}", "model": "m", "content": [call], "usage": {}}
        records.append({**base, "type": "assistant", "requestId": "r", "message": message})
        result = {"type": "tool_result", "tool_use_id": f"t{number}", "content": "done"}
        changed = {"filePath": path, "structuredPatch": [{"lines": ["+x"]}]}
        message = {"role": "user", "content": [result]}
        records.append({**base, "type": "user", "message": message, "toolUseResult": changed})
    parser = ClaudeCodeParser("a.jsonl")
    parser.feed(lines(*records))
    tools = [tool for tool in parser.tools.values() if tool is not None]
    assert sum(tool.lines_added for tool in tools) == 3
    assert len({tool.changed_file for tool in tools}) == 1


def test_copilot_cli_changed_one_file_however_it_is_written():
    parser = copilot_cli.CopilotCli({}, Path()).parser(str(Path("a", "events.jsonl")))
    start = {"sessionId": "a", "context": {"cwd": CWD}}
    end = {"codeChanges": {"linesAdded": 3, "linesRemoved": 0, "filesModified": WRITTEN}}
    parser.feed(
        lines(
            {"type": "session.start", "timestamp": "2026-03-02T12:00:00Z", "data": start},
            {"type": "session.shutdown", "timestamp": "2026-03-02T12:00:01Z", "data": end},
        )
    )
    (facts,) = parser.facts.values()
    assert facts.files is not None
    assert len(facts.files) == 1


def test_ids_of_sessions_are_told_apart_by_case(workspace, rad):
    for name in ("Abc", "abc") if sys.platform == "linux" else ("Abc",):
        workspace.add(name)
    assert "Abc\n" in rad("stats", "session", "Abc", cwd=workspace.root).stdout
    assert rad("stats", "session", "ABC", cwd=workspace.root).returncode == 1


@posix
def test_a_name_that_is_not_unicode_is_shown_and_found(workspace, rad, tmp_path, report_bytes):
    odd = tmp_path / os.fsdecode(b"b\xff\xe9")
    workspace.root.rename(odd)
    sessions = odd / ".radium" / "_internals" / "sessions"
    report = sessions / os.fsdecode(b"x\xff.json")
    report.write_bytes(report_bytes())
    for command in ("init", "doctor"):
        assert "b\\udcff\\udce9" in rad(command, cwd=odd).stdout


@posix
def test_a_report_whose_name_is_not_unicode_is_a_symbol(workspace, report_bytes):
    report = workspace.sessions / os.fsdecode(b"x\xff.json")
    report.write_bytes(report_bytes(session_id="x"))
    with Client(workspace.root) as client:
        client.wait_for("stats/status")
        (symbol,) = client.request("workspace/symbol", {"query": ""})
    assert symbol["location"]["uri"] == report.as_uri()


class TestLong:
    """Paths beyond 260 characters, which Windows has had for a limit, and names of 255 bytes."""

    @pytest.fixture
    def deep(self, workspace, tmp_path):
        """A workspace far down."""
        folder = tmp_path.joinpath(*["d" * 60] * 5)
        folder.parent.mkdir(parents=True)
        workspace.root.rename(folder)
        assert len(str(folder)) > 260
        return folder

    def test_a_report_is_read_and_exported(self, deep, report_bytes, rad):
        name = "r" * 250
        sessions = deep / ".radium" / "_internals" / "sessions"
        (sessions / f"{name}.json").write_bytes(report_bytes(session_id=name))
        target = deep / f"{'é' * 125}x.csv"
        done = rad("stats", "export", "--format", "csv", "-o", target.name, cwd=deep)
        assert (done.returncode, done.stderr[:5]) == (0, "Wrote")
        assert name in target.read_text(encoding="utf-8")

    def test_a_session_is_tracked_with_its_changes(self, deep, rad):
        write = "import pathlib; pathlib.Path('n' * 255).write_bytes(b'x\\r\\n')"
        rad("session", "run", "--", "git", "init", "-q", cwd=deep)
        done = rad("session", "run", "--json", "--", sys.executable, "-c", write, cwd=deep)
        metrics = json.loads(done.stdout)["metrics"]
        assert (metrics["lines_added"], metrics["files_changed"]) == (1, 1)

    def test_a_transcript_counts(self, deep, codex, rad):
        codex("a", deep).answer()
        done = rad("stats", "history", "--json", cwd=deep)
        assert [row["metrics"]["session_id"] for row in json.loads(done.stdout)] == ["a"]
