"""The language server's bars, measured over stdio on a real process."""

from __future__ import annotations

import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from rad_lsp.cli.lsp_client import Client
from tests.benchmarks import gen_sessions
from tests.benchmarks.measure import python, report, sized, spawn

SESSIONS = Path(".radium", "_internals", "sessions")


class Timed(Client):
    """A client that keeps when things began, and can be asked how long an answer takes."""

    def __init__(self, workspace):
        self.spawned = time.perf_counter()
        super().__init__(workspace)
        self.pid = self._server.pid

    def __enter__(self):
        entered = super().__enter__()
        self.initialized = time.perf_counter()
        return entered

    def milliseconds(self, method, params):
        begun = time.perf_counter()
        self.request(method, params)
        return 1000 * (time.perf_counter() - begun)


def percentile(values, percent):
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def put(folder, name, data):
    """Write a report as Radium does: beside, then renamed into place."""
    temporary = folder / f"{name}.tmp.1"
    temporary.write_bytes(data)
    temporary.replace(folder / f"{name}.json")


def numbered(number, cost):
    """A report later than all of `gen_sessions`, whose status shows its number."""
    _, made = gen_sessions.session(random.Random(number), number, 3)  # noqa: S311
    made["metrics"]["session_id"] = f"bench-{number}"
    made["metrics"]["end_time"] = (
        f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z"
    )
    made["metrics"]["total_cost"] = cost
    made["metrics"]["model_usage"]["only"] = {
        **next(iter(made["metrics"]["model_usage"].values())),
        "estimated_cost": cost
        - sum(u["estimated_cost"] for u in made["metrics"]["model_usage"].values()),
    }
    return json.dumps(made, indent=2).encode()


def start():
    floor, ours = [], []
    with tempfile.TemporaryDirectory() as folder:
        gen_sessions.write(folder, 1)
        for _ in range(sized(9, 3)):
            floor.append(1000 * spawn(python("-c", "import pygls.lsp.server"))[0])
            begun = time.perf_counter()
            with Timed(Path(folder)) as client:
                ours.append(1000 * (client.initialized - begun))
    ours_ms, floor_ms = statistics.median(ours), statistics.median(floor)
    bar = f"{1.3 * floor_ms + 100:.0f} ms"
    detail = f"1.3 x import pygls.lsp.server ({floor_ms:.0f} ms) + 100 ms"
    report("spawn -> initialize reply", f"{ours_ms:.0f} ms", bar, detail)


def first_status(read_all):
    count = sized(10_000, 1_000)
    with tempfile.TemporaryDirectory() as folder:
        gen_sessions.write(folder, count)
        spawned, told, floor = [], [], []
        for _ in range(sized(7, 3)):
            floor.append(spawn(python("-c", read_all, str(Path(folder, SESSIONS))))[0])
            with Timed(Path(folder)) as client:
                client.wait_for("stats/status")
                now = time.perf_counter()
                told.append(now - client.initialized)
                spawned.append(now - client.spawned)
    ratio = statistics.median(a / b for a, b in zip(told, floor, strict=True))
    whole = statistics.median(spawned)
    detail = f"{1000 * statistics.median(told):.0f} ms; from spawn {1000 * whole:.0f} ms"
    name = f"initialized -> stats/status, {count:,} reports / reading"
    report(name, f"{ratio:.2f} x", "3 x", detail)


def requests():
    with tempfile.TemporaryDirectory() as folder:
        count = sized(10_000, 1_000)
        gen_sessions.write(folder, count)
        ids = [path.stem for path in Path(folder, SESSIONS).iterdir()][:500]
        with Timed(Path(folder)) as client:
            client.wait_for("stats/status")
            times = [client.milliseconds("stats/session", {"sessionId": name}) for name in ids]
            p50, p99 = statistics.median(times), percentile(times, 99)
            report(f"stats/session, {count:,} reports, p50", f"{p50:.2f} ms", "2 ms")
            report(f"stats/session, {count:,} reports, p99", f"{p99:.2f} ms", "10 ms")
            pages = [client.milliseconds("stats/history", {"limit": 100}) for _ in range(100)]
            report("stats/history, page of 100", f"{statistics.median(pages):.2f} ms", "10 ms")
            pairs = zip(ids[:100], ids[100:200], strict=True)
            compared = [
                client.milliseconds("stats/compare", {"sessionA": a, "sessionB": b})
                for a, b in pairs
            ]
            report("stats/compare", f"{statistics.median(compared):.2f} ms", "5 ms")


def documents():
    with tempfile.TemporaryDirectory() as folder:
        sessions = Path(folder, SESSIONS)
        sessions.mkdir(parents=True)
        made = json.loads(numbered(1, 1.0))
        usage = next(iter(made["metrics"]["model_usage"].values()))
        made["metrics"]["model_usage"] = {f"model-{n}": usage for n in range(5_300)}
        text = json.dumps(made, indent=2)
        put(sessions, "large", text.encode())
        uri = (sessions / "large.json").as_uri()
        lines = text.count("\n")
        with Timed(Path(folder)) as client:
            client.wait_for("stats/status")
            document = {"uri": uri, "languageId": "json", "version": 1, "text": text}
            client.notify("textDocument/didOpen", {"textDocument": document})
            at = {"textDocument": {"uri": uri}}
            client.request("stats/session", {"uri": uri})
            middle = {**at, "position": {"line": lines // 2, "character": 10}}
            shown = {"line": lines // 2, "character": 0}, {"line": lines // 2 + 60, "character": 0}
            for method, params in (
                ("textDocument/hover", middle),
                ("textDocument/codeLens", at),
                (
                    "textDocument/inlayHint",
                    {**at, "range": dict(zip(("start", "end"), shown, strict=True))},
                ),
            ):
                times = [client.milliseconds(method, params) for _ in range(15)]
                size = f"report of {len(text) / 1e6:.1f} MB"
                report(f"{method}, {size}, median", f"{statistics.median(times):.1f} ms", "50 ms")


def latency():
    with tempfile.TemporaryDirectory() as folder:
        gen_sessions.write(folder, 100)
        sessions = Path(folder, SESSIONS)
        times = []
        with Timed(Path(folder)) as client:
            client.wait_for("stats/status")
            for number in range(sized(200, 30)):
                cost = 1000.0 + number
                begun = time.perf_counter()
                put(sessions, "bench-0", numbered(0, cost))
                while client.wait_for("stats/status")["session"]["cost"] != cost:
                    pass
                times.append(1000 * (time.perf_counter() - begun))
    detail = f"median {statistics.median(times):.0f} ms, max {max(times):.0f} ms"
    report(
        "report renamed into place -> stats/status, p95",
        f"{percentile(times, 95):.0f} ms",
        "250 ms",
        detail,
    )


def same_second():
    """New reports whose end is told in whole seconds, so that many of them end at the same time."""
    dice = random.Random(1)  # noqa: S311  (the same pauses in each run)
    with tempfile.TemporaryDirectory() as folder:
        gen_sessions.write(folder, 100)
        sessions = Path(folder, SESSIONS)
        times, ends = [], []
        with Timed(Path(folder)) as client:
            client.wait_for("stats/status")
            for number in range(sized(100, 10)):
                time.sleep(dice.uniform(0, 1.5))
                name = f"{dice.getrandbits(64):016x}"
                made = json.loads(numbered(number, 1.0))
                ends.append(datetime.now(UTC).isoformat(timespec="seconds"))
                made["metrics"] |= {"session_id": name, "end_time": ends[-1]}
                begun = time.perf_counter()
                put(sessions, name, json.dumps(made).encode())
                while client.wait_for("stats/status")["session"]["sessionId"] != name:
                    pass
                times.append(1000 * (time.perf_counter() - begun))
    shared = len(ends) - len(set(ends))
    detail = f"median {statistics.median(times):.0f} ms, max {max(times):.0f} ms"
    report(
        "new report, also of the same second -> stats/status, p95",
        f"{percentile(times, 95):.0f} ms",
        "120 ms",
        f"{detail}; {shared} of {len(ends)} ended with the one before",
    )


def burst():
    with tempfile.TemporaryDirectory() as folder:
        gen_sessions.write(folder, 1_000)
        sessions = Path(folder, SESSIONS)
        writer = (
            "import sys, time, pathlib\n"
            "from tests.benchmarks.server import numbered, put\n"
            "folder = pathlib.Path(sys.argv[1])\n"
            "made = [numbered(n, float(n)) for n in range(1000)]\n"
            "begun = time.perf_counter()\n"
            "for n, data in enumerate(made):\n"
            "    time.sleep(max(0, begun + n / 1000 - time.perf_counter()))\n"
            "    put(folder, f'bench-{n}', data)\n"
        )
        with Timed(Path(folder)) as client:
            client.wait_for("stats/status")
            environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
            process = subprocess.Popen(python("-c", writer, str(sessions)), env=environment)
            heard, waits = [], []
            while not heard or heard[-1]["totals"]["sessions"] < 2_000:
                waits.append(client.milliseconds("stats/history", {"limit": 1}))
                heard.extend(client.heard("stats/status"))
                time.sleep(0.02)
            process.wait()
    last = heard[-1]["session"]["sessionId"]
    report("1,000 reports in a second, notifications", str(len(heard)), "12", f"last: {last}")
    report("1,000 reports in a second, longest request", f"{max(waits):.0f} ms", "100 ms")


def idle():
    """Read from /proc, which only Linux has."""
    if sys.platform != "linux":
        return
    with tempfile.TemporaryDirectory() as folder:
        count = sized(10_000, 1_000)
        gen_sessions.write(folder, count)
        with Timed(Path(folder)) as client:
            client.wait_for("stats/status")
            time.sleep(5)
            before, begun = cpu_seconds(client.pid), time.perf_counter()
            time.sleep(sized(30, 5))
            share = (cpu_seconds(client.pid) - before) / (time.perf_counter() - begun)
    report(f"idle on {count:,} reports", f"{100 * share:.2f} %", "1 % of a core")


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_megabytes(pid):
    """Linux tells it of a running process; other systems don't, and it is not a number then."""
    if sys.platform != "linux":
        return math.nan
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
