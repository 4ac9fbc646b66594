"""How time and memory grow with the number of sessions."""

from __future__ import annotations

import json
import math
import statistics
import tempfile
import time
from pathlib import Path

from tests.benchmarks.measure import python, report, report_growth, sized, spawn, user
from tests.benchmarks.server import SESSIONS, Timed, numbered, peak_megabytes, percentile, put
from tests.benchmarks.transcripts import IMPORTS, rad

LIST = """
import os, sys
with os.scandir(sys.argv[1]) as entries:
    for entry in entries:
        os.stat(entry.path)
"""
HISTORY = ("stats", "history")
ALL = ("--all-projects",)
LINE = "transcripts: one more line -> stats/status, p95"
KILOBYTES = 10
"""The size of a transcript."""


class Figures(dict):
    """By name and unit, by the number of sessions."""

    def add(self, count, name, unit, figure):
        self.setdefault((name, unit), {})[count] = figure

    def report(self):
        for (name, unit), figures in self.items():
            report_growth(name, unit, figures)


def reports():
    """Of reports in one workspace, as Radium writes them."""
    figures = Figures()
    counts = sized((100, 1_000, 10_000, 100_000), (100, 1_000))
    for count in counts:
        with tempfile.TemporaryDirectory() as folder, user():
            spawn(python("-m", "tests.benchmarks.gen_sessions", folder, str(count)))
            _server(figures, Path(folder), count)
            _commands(figures, folder, count, largest=count == counts[-1])
    figures.report()


def transcripts():
    """Of transcripts of Claude Code."""
    figures = Figures()
    for count in sized((100, 1_000, 10_000, 50_000), (100, 1_000)):
        with (
            tempfile.TemporaryDirectory() as data,
            tempfile.TemporaryDirectory() as folder,
            user(CLAUDE_CONFIG_DIR=data),
        ):
            size = str(count * KILOBYTES / 1000)
            spawn(python("-m", "tests.benchmarks.gen_claude", data, str(count), size))
            seconds, peak = spawn(rad("stats", "model", *ALL), folder)
            figures.add(count, "transcripts: first read", "ms", 1000 * seconds)
            figures.add(count, "transcripts: first read, peak memory", "MB", peak)
            for name, command in (("rad status", "status"), ("rad stats model", "stats model")):
                again = _median(rad(*command.split(), *ALL), folder)
                figures.add(count, f"transcripts: {name}, warm", "ms", 1000 * again)
            figures.add(count, LINE, "ms", _line_to_status(Path(data), Path(folder)))
    figures.report()


def _line_to_status(data, folder):
    """Milliseconds from a request at the end of a transcript to the status that has its cost."""
    path = data / "projects" / "own" / "own.jsonl"
    path.parent.mkdir()
    times = []
    with Timed(folder) as client:
        client.wait_for("stats/status")
        for number in range(sized(40, 10)):
            begun = time.perf_counter()
            with path.open("a", encoding="utf-8") as file:
                file.write(_request(folder, number))
            while not _has_cost(client.wait_for("stats/status")["session"], 0.0045 * (number + 1)):
                pass
            times.append(1000 * (time.perf_counter() - begun))
    return percentile(times, 95)


def _request(folder, number):
    """A line of a transcript: a request of $0.0045."""
    usage = {"input_tokens": 1000, "output_tokens": 100}
    message = {"id": f"own-{number}", "model": "claude-sonnet-4-5-20250929", "usage": usage}
    message |= {"role": "assistant", "content": [], "stop_reason": "end_turn"}
    record = {"type": "assistant", "sessionId": "own", "cwd": str(folder), "message": message}
    record |= {"requestId": f"own-{number}", "timestamp": f"2030-01-01T00:00:{number:02}Z"}
    return json.dumps(record) + "\n"


def _has_cost(session, cost):
    return session is not None and math.isclose(session["cost"] or 0, cost)


def _server(figures, folder, count):
    """A server that finds no index, then one report after the other that changes."""
    times = []
    with Timed(folder) as client:
        client.wait_for("stats/status")
        first = time.perf_counter() - client.initialized
        for number in range(sized(40, 10)):
            cost = 1000.0 + number
            begun = time.perf_counter()
            put(folder / SESSIONS, "bench-0", numbered(0, cost))
            while client.wait_for("stats/status")["session"]["cost"] != cost:
                pass
            times.append(1000 * (time.perf_counter() - begun))
        peak = peak_megabytes(client.pid)
    change = percentile(times, 95)
    figures.add(count, "reports: first status without an index", "ms", 1000 * first)
    figures.add(count, "reports: one change -> stats/status, p95", "ms", change)
    figures.add(count, "reports: server, peak memory", "MB", peak)
    if count == sized(100_000, 1_000):
        report(
            f"one change in {count:,} reports -> stats/status, p95", f"{change:.0f} ms", "300 ms"
        )
        report(f"server, first read of {count:,} reports, peak", f"{peak:.0f} MB", "250 MB")


def _commands(figures, folder, count, *, largest):
    """Commands that find an index which knows all reports."""
    listing = python("-c", LIST, str(Path(folder, SESSIONS)))
    spawn(rad(*HISTORY), folder)
    pairs = [(spawn(rad(*HISTORY), folder)[0], spawn(listing)[0]) for _ in range(sized(5, 2))]
    history, floor = (1000 * statistics.median(column) for column in zip(*pairs, strict=True))
    status = 1000 * _median(rad("status"), folder)
    _, peak = spawn(rad("stats", "export", "--format", "ndjson"), folder)
    figures.add(count, "reports: rad status, warm", "ms", status)
    figures.add(count, "reports: rad stats history, warm", "ms", history)
    figures.add(count, "reports: list and stat the folder (the floor)", "ms", floor)
    figures.add(count, "reports: rad stats export --format ndjson, peak memory", "MB", peak)
    if largest:
        imports = 1000 * _median(python("-c", IMPORTS), folder)
        detail = f"{status / imports:.1f} x import msgspec, sqlite3 ({imports:.0f} ms)"
        report(f"rad status, {count:,} reports, warm", f"{status:.0f} ms", "300 ms", detail)
        ratio = statistics.median(ours / least for ours, least in pairs)
        detail = f"{history:.0f} ms / {floor:.0f} ms"
        name = f"history of {count:,} reports, warm / list and stat"
        report(name, f"{ratio:.2f} x", "2 x", detail)
        name = f"rad stats export --format ndjson, {count:,} reports, peak"
        report(name, f"{peak:.0f} MB", "120 MB")


def _median(command, folder):
    return statistics.median(spawn(command, folder)[0] for _ in range(sized(9, 3)))
