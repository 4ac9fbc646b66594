"""Under load: memory, threads and messages stay bounded, and every request gets its answer."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import pytest

from rad_lsp.core.problems import MAX_LISTED

SESSIONS = Path(".radium", "_internals", "sessions")

linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


def status_of(raw, name):
    """A number that the system tells about the server's process."""
    text = Path(f"/proc/{raw.process_id}/status").read_text(encoding="utf-8")
    return int(text.partition(f"\n{name}:")[2].split()[0])


def opened(path, text):
    return {
        "textDocument": {"uri": path.as_uri(), "languageId": "json", "version": 1, "text": text}
    }


def changed(path, text):
    document = {"uri": path.as_uri(), "version": 2}
    return {"textDocument": document, "contentChanges": [{"text": text}]}


def diagnostics(messages, path):
    """What was published for a file, in order."""
    return [
        message["params"]["diagnostics"]
        for message in messages
        if message.get("method") == "textDocument/publishDiagnostics"
        and message["params"]["uri"] == path.as_uri()
    ]


def published(raw, path, wanted):
    """The diagnostics of a file that are as wanted."""

    def is_wanted(message):
        return any(map(wanted, diagnostics([message], path)))

    return raw.next(is_wanted)["params"]["diagnostics"]


class TestManyProblems:
    def test_the_last_diagnostic_says_how_many_are_not_listed(self, raw, workspace):
        warnings = [f"Figure {number} is wrong" for number in range(10_000)]
        path = workspace.add("full", warnings=warnings)
        raw.initialize(workspace.root)
        found = published(raw, path, bool)
        assert [one["message"] for one in found[:MAX_LISTED]] == warnings[:MAX_LISTED]
        assert [one["message"] for one in found[MAX_LISTED:]] == [
            "The report has 9,900 more warnings"
        ]

    def test_an_open_report_has_the_same(self, raw, workspace, report_bytes):
        raw.initialize(workspace.root)
        path = workspace.sessions / "full.json"
        text = report_bytes(session_id="full", warnings=["Wrong"] * 150).decode()
        raw.notify("textDocument/didOpen", opened(path, text))
        assert len(published(raw, path, bool)) == MAX_LISTED + 1

    def test_a_report_nested_without_end_has_an_outline(self, raw, workspace):
        path = workspace.raw("deep.json", b'{"metrics": ' + b"[" * 200_000)
        raw.initialize(workspace.root)
        asked = {"textDocument": {"uri": path.as_uri()}}
        assert "result" in raw.ask("textDocument/documentSymbol", asked)


class TestEdits:
    def test_many_that_follow_each_other_are_shown_once(self, raw, workspace, report_bytes):
        path = workspace.add("a", total_cost=1.0)
        raw.initialize(workspace.root)
        raw.notification("stats/status")
        text = report_bytes(session_id="a", total_cost=2.0).decode()
        raw.notify("textDocument/didOpen", opened(path, text))
        for number in range(500):
            broken = text if number == 499 else text.replace("metrics", "metric")
            raw.notify("textDocument/didChange", changed(path, broken))
        raw.next(
            lambda m: m.get("method") == "stats/status" and m["params"]["session"]["cost"] == 2
        )
        published(raw, path, lambda found: all(one["severity"] > 1 for one in found))
        assert len(diagnostics(raw.rest(), path)) < 250

    def test_the_last_good_session_counts_while_a_buffer_is_broken(
        self, raw, workspace, report_bytes
    ):
        path = workspace.add("a", total_cost=1.0)
        raw.initialize(workspace.root)
        raw.notification("stats/status")
        text = report_bytes(session_id="a", total_cost=3.0).decode()
        raw.notify("textDocument/didOpen", opened(path, text))
        raw.next(
            lambda m: m.get("method") == "stats/status" and m["params"]["session"]["cost"] == 3
        )
        raw.notify("textDocument/didChange", changed(path, "{"))
        published(raw, path, bool)
        assert raw.ask("stats/history")["result"]["sessions"][0]["cost"] == 3
        raw.notify("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})
        raw.next(
            lambda m: m.get("method") == "stats/status" and m["params"]["session"]["cost"] == 1
        )


@linux
class TestManyFolders:
    def test_they_share_their_threads_and_each_has_its_status(self, raw, tmp_path, report_bytes):
        roots = [tmp_path / f"folder-{number}" for number in range(60)]
        for root in roots:
            (root / SESSIONS).mkdir(parents=True)
            (root / SESSIONS / "a.json").write_bytes(report_bytes(session_id="a", total_cost=1.0))
        raw.initialize(*roots)
        expected = {root.as_uri() for root in roots}
        told = set()
        # A folder is told of again when the price list is loaded, maybe before others are at all.
        while not told >= expected:
            told.add(raw.notification("stats/status")["params"]["workspaceUri"])
        assert told == expected
        assert status_of(raw, "Threads") <= 20
        for root in (roots[0], roots[-1]):
            (root / SESSIONS / "a.json").write_bytes(report_bytes(session_id="a", total_cost=2.0))
            status = raw.next(
                lambda m: m.get("method") == "stats/status" and m["params"]["session"]["cost"] == 2
            )
            assert status["params"]["workspaceUri"] == root.as_uri()


@linux
class TestMemory:
    def test_notifications_leave_nothing_behind(self, raw, workspace, report_bytes):
        path = workspace.add("a")
        text = report_bytes(session_id="a").decode()
        raw.initialize(workspace.root)
        raw.notification("stats/status")

        def send(count):
            for _ in range(count):
                raw.notify("textDocument/didOpen", opened(path, text))
                raw.notify("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})
                raw.notify("workspace/didChangeConfiguration", {"settings": {}})
            raw.rest()

        send(1_500)
        before = status_of(raw, "VmRSS")
        send(3_000)  # which left 24 MB
        assert status_of(raw, "VmRSS") - before < 6_000

    def test_changes_that_nobody_reads_of_take_none(self, raw, workspace):
        path = workspace.sessions / "torn.json"
        text = json.dumps({"metrics": ["wrong"] * 40_000})
        raw.initialize(workspace.root)
        raw.notification("stats/status")
        raw.notify("textDocument/didOpen", opened(path, text))
        raw.ask("stats/history")
        before = status_of(raw, "VmRSS")
        raw.reads.clear()
        for number in range(120):  # 44 MB
            raw.notify("textDocument/didChange", changed(path, text + " " * number))
        assert status_of(raw, "VmHWM") - before < 30_000
        raw.reads.set()
        assert "result" in raw.ask("stats/history")


class TestAClientThatReadsLate:
    @pytest.fixture(autouse=True)
    def late(self, raw, workspace):
        """A client with a hundred sessions that does not read for now."""
        for number in range(100):
            workspace.add(f"session-{number}")
        raw.initialize(workspace.root)
        raw.notification("stats/status")
        raw.reads.clear()

    def test_every_request_has_one_answer(self, raw):
        ids = [raw.new_id() for _ in range(400)]  # whose answers have 50 MB

        def send():
            for msg_id in ids:
                params = {"limit": 100}
                raw.send({"id": msg_id, "method": "stats/history", "params": params})

        sending = threading.Thread(target=send)
        sending.start()
        sending.join(2)
        raw.reads.set()
        sending.join(60)
        assert [raw.reply(msg_id)["id"] for msg_id in ids] == ids
        assert [m for m in raw.rest() if m.get("id") in ids] == []

    def test_it_can_end_the_server_without_reading(self, raw):
        for _ in range(10):
            raw.send({"id": raw.new_id(), "method": "stats/history", "params": {"limit": 100}})
        raw.send({"id": raw.new_id(), "method": "shutdown"})
        raw.notify("exit")
        assert raw.exit_code() == 0
        raw.reads.set()
