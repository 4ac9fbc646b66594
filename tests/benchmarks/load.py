"""The language server under load: many folders, edits and contradictions, and a client that waits.

Threads and memory are read from /proc, which only Linux has.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import gen_sessions
from tests.benchmarks.measure import report
from tests.benchmarks.server import SESSIONS, Timed, cpu_seconds, numbered, percentile, put

FOLDERS = 200
REPORTS = 3
CONTRADICTIONS = 10_000
CHANGES = 10_000
MEGABYTES_UNREAD = 400
PING = ("workspace/symbol", {"query": "no such session"})


class Loaded(Timed):
    """A client of several folders, which can stop reading."""

    def __init__(self, *workspaces):
        self.reading = threading.Event()
        self.reading.set()
        self._all = workspaces
        super().__init__(workspaces[0])

    def _read(self):
        out: Any = self._server.stdout
        while header := out.readline():
            length = int(header.partition(b":")[2])
            out.readline()
            self._inbox.put(json.loads(out.read(length)))
            self.reading.wait()
        self._inbox.put(None)

    def __enter__(self):
        params = {
            "processId": None,
            "rootUri": None,
            "capabilities": {},
            "workspaceFolders": [{"uri": one.as_uri(), "name": one.name} for one in self._all],
        }
        self.request("initialize", params)
        self.notify("initialized", {})
        self.initialized = time.perf_counter()
        return self


def whole(document, version, text):
    """The params of a change that replaces all of a document."""
    changed = {"text": text + " " * (version % 100)}
    return {"textDocument": {**document, "version": version}, "contentChanges": [changed]}


def contradictions():
    """One report that is full of warnings, opened, edited and closed."""
    with tempfile.TemporaryDirectory() as folder:
        gen_sessions.write(folder, 100)
        sessions = Path(folder, SESSIONS)
        made = json.loads(numbered(1, 1.0))
        made["metrics"]["warnings"] = [f"Figure {n} is wrong" for n in range(CONTRADICTIONS)]
        text = json.dumps(made, indent=2)
        with Timed(Path(folder)) as client:
            client.wait_for("stats/status")
            put(sessions, "bench-1", text.encode())
            document = {"uri": (sessions / "bench-1.json").as_uri()}
            waits = [client.milliseconds(*PING) for _ in range(50)]
            opened = {**document, "languageId": "json", "version": 1, "text": text}
            client.notify("textDocument/didOpen", {"textDocument": opened})
            waits += [client.milliseconds(*PING) for _ in range(50)]
            for version in range(2, 12):
                client.notify("textDocument/didChange", whole(document, version, text))
                waits += [client.milliseconds(*PING) for _ in range(5)]
    report(f"{CONTRADICTIONS:,} contradictions, longest wait", f"{max(waits):.0f} ms", "100 ms")


def edits():
    """One letter after the other, typed into a report among many."""
    with tempfile.TemporaryDirectory() as folder:
        gen_sessions.write(folder, 5_000)
        sessions = Path(folder, SESSIONS)
        text = numbered(1, 1.0).decode()
        document = {"uri": (sessions / "bench-1.json").as_uri()}
        put(sessions, "bench-1", text.encode())
        with Timed(Path(folder)) as client:
            client.wait_for("stats/status")
            opened = {**document, "languageId": "json", "version": 1, "text": text}
            client.notify("textDocument/didOpen", {"textDocument": opened})
            hover = {"textDocument": document, "position": {"line": 2, "character": 8}}
            begun, used = time.perf_counter(), cpu_seconds(client.pid)
            waits = []
            for version in range(2, CHANGES + 2):
                end = {"line": text.count("\n"), "character": 1}
                change = {"range": {"start": end, "end": end}, "text": " "}
                params = {"textDocument": {**document, "version": version}}
                client.notify("textDocument/didChange", {**params, "contentChanges": [change]})
                if version % 100 == 0:
                    waits.append(client.milliseconds("textDocument/hover", hover))
            time.sleep(2)
            seconds = time.perf_counter() - begun
            used = cpu_seconds(client.pid) - used
    detail = f"hovers: median {statistics.median(waits):.0f} ms, p95 {percentile(waits, 95):.0f} ms"
    report(
        f"{CHANGES:,} edits over 5,000 reports, CPU per edit",
        f"{1000 * used / CHANGES:.2f} ms",
        "1 ms",
        f"{used:.1f} s in {seconds:.1f} s; {detail}",
    )


def folders():
    """Many folders, each with some reports."""
    with tempfile.TemporaryDirectory() as parent:
        roots = [Path(parent, f"folder-{number}") for number in range(FOLDERS)]
        for number, root in enumerate(roots):
            gen_sessions.write(root, REPORTS, seed=number)
        with Loaded(*roots) as client:
            first = set()
            while len(first) < FOLDERS:
                first.add(client.wait_for("stats/status")["workspaceUri"])
            told = time.perf_counter() - client.initialized
            time.sleep(10)
            threads = int(status_of(client.pid, "Threads"))
            before, begun = cpu_seconds(client.pid), time.perf_counter()
            time.sleep(30)
            share = (cpu_seconds(client.pid) - before) / (time.perf_counter() - begun)
            put(roots[-1] / SESSIONS, "bench-1", numbered(1, 77.0))
            begun = time.perf_counter()
            while client.wait_for("stats/status")["totals"]["sessions"] != REPORTS + 1:
                pass
            change = time.perf_counter() - begun
    report(f"{FOLDERS} folders, initialized -> last first status", f"{told:.1f} s", "5 s")
    report(f"{FOLDERS} folders, idle", f"{100 * share:.2f} %", "2 % of a core")
    report(f"{FOLDERS} folders, threads", f"{threads}", "20")
    report(f"{FOLDERS} folders, a report -> its status", f"{1000 * change:.0f} ms", "250 ms")


def leaks():
    """What stays in memory of notifications that change nothing in the end."""
    with tempfile.TemporaryDirectory() as folder:
        gen_sessions.write(folder, 10)
        path = next(Path(folder, SESSIONS).iterdir())
        document = {"uri": path.as_uri()}
        opened = {**document, "languageId": "json", "version": 1, "text": path.read_text("utf-8")}
        files = {"changes": [{"uri": document["uri"], "type": 2}]}
        folders = {"event": {"added": [], "removed": []}}
        with Timed(Path(folder)) as client:
            client.wait_for("stats/status")

            def pair(_number):
                client.notify("textDocument/didOpen", {"textDocument": opened})
                client.notify("textDocument/didClose", {"textDocument": document})

            def other(number):
                if number % 3 == 0:
                    client.notify("workspace/didChangeConfiguration", {"settings": {}})
                elif number % 3 == 1:
                    client.notify("workspace/didChangeWorkspaceFolders", folders)
                else:
                    client.notify("workspace/didChangeWatchedFiles", files)

            for name, send, count in (
                ("open-and-close pairs", pair, 20_000),
                ("other notifications", other, 100_000),
            ):
                _settled(client, send, 5_000)
                before = resident_megabytes(client.pid)
                _settled(client, send, count)
                grown = resident_megabytes(client.pid) - before
                report(f"{count:,} {name}, growth", f"{grown:.1f} MB", "2 MB")


def unread():
    """Changes from a client that does not read what they lead to."""
    with tempfile.TemporaryDirectory() as folder:
        gen_sessions.write(folder, 10)
        document = {"uri": Path(folder, SESSIONS, "torn.json").as_uri()}
        text = json.dumps({"metrics": [f"wrong {n}" for n in range(8_000)]}, indent=2)
        with Loaded(Path(folder)) as client:
            client.wait_for("stats/status")
            opened = {**document, "languageId": "json", "version": 1, "text": text}
            client.notify("textDocument/didOpen", {"textDocument": opened})
            client.milliseconds(*PING)
            before = resident_megabytes(client.pid)
            client.reading.clear()
            sent = version = 0
            while sent < MEGABYTES_UNREAD * 1e6:
                version += 1
                client.notify("textDocument/didChange", whole(document, version, text))
                sent += len(text)
            peak = float(status_of(client.pid, "VmHWM").split()[0]) / 1024
            client.reading.set()
            waited = client.milliseconds(*PING)
    report(
        f"{MEGABYTES_UNREAD} MB of changes, nothing read, more memory",
        f"{peak - before:.0f} MB",
        "60 MB",
        f"then an answer within {waited:.0f} ms",
    )


def _settled(client, send, count):
    for number in range(count):
        send(number)
    client.request(*PING)
    time.sleep(2)
    client.request(*PING)


def resident_megabytes(pid):
    return float(status_of(pid, "VmRSS").split()[0]) / 1024


def status_of(pid, name):
    """A line of what the system tells about a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return status.partition(f"\n{name}:")[2].partition("\n")[0].strip()
