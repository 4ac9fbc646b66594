"""What reading other agents' transcripts costs, beside ccusage, which is written in Rust."""

from __future__ import annotations

import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import gen_claude
from tests.benchmarks.measure import python, report, run, sized, spawn, user, user_seconds

MODEL = ("stats", "model", "--all-projects", "--source", "claude-code", "--json")
STATUS = ("status", "--all-projects")
IMPORTS = "import msgspec, sqlite3"
TOTALS = """
from pathlib import Path
from zoneinfo import ZoneInfo
from rad_lsp.core.period import ALWAYS
from rad_lsp.service import sessions
machine = sessions.open_machine()
store = sessions.open_store(machine, Path.cwd(), None, {}, everywhere=True)
store.update()
totals = store.usage_totals(("day", "project"), ALWAYS, ZoneInfo("Europe/Berlin"))
assert totals
machine.close()
"""


def rad(*arguments):
    return python("-m", "rad_lsp.cli", *arguments)


def index(home):
    """Where the user's index is."""
    return next(home.rglob("index.db"))


def ccusage(folder):
    """The newest ccusage that npm has and that runs here, as a command."""
    system = {"win32": "win32", "darwin": "darwin"}.get(sys.platform, "linux")
    machine = "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x64"
    native = f"@ccusage/ccusage-{system}-{machine}"
    npm = shutil.which("npm") or sys.exit("npm is needed to get ccusage")
    listed = subprocess.run(
        [npm, "view", native, "versions", "--json"], capture_output=True, check=True
    )
    for version in reversed(json.loads(listed.stdout)):
        packages = [f"ccusage@{version}", f"{native}@{version}"]
        install = [npm, "install", "--silent", "--prefix", folder, *packages]
        if subprocess.run(install, check=False).returncode == 0:
            program = str(Path(folder, "node_modules", ".bin", "ccusage"))
            if (
                subprocess.run([program, "--version"], capture_output=True, check=False).returncode
                == 0
            ):
                run.versions["ccusage"] = version
                return [program]
    return sys.exit("no ccusage runs here")


def transcripts():
    """First read, read again, one line more, and the status line."""
    with (
        tempfile.TemporaryDirectory() as data,
        tempfile.TemporaryDirectory() as tools,
        user(CLAUDE_CONFIG_DIR=data) as home,
    ):
        sessions, runs = sized(5_000, 300), sized(5, 2)
        made = gen_claude.History(data, sessions, sized(200, 12)).write()
        peer = ccusage(tools)
        daily = [*peer, "claude", "daily", "--offline", "--json"]
        theirs = min(user_seconds(daily) for _ in range(runs))
        first = min(_first(home, user_seconds) for _ in range(runs))
        _compare_totals(made)
        their_wall = min(spawn(daily)[0] for _ in range(runs))
        wall = min(_first(home, lambda command: spawn(command)[0]) for _ in range(runs))
        again = min(user_seconds(rad(*MODEL)) for _ in range(runs))
        grown = min(_grown(data) for _ in range(runs))
        size = index(home).stat().st_size
        read = sum(path.stat().st_size for path in Path(data).rglob("*.jsonl"))
        name = f"{sessions:,} sessions, {read / 1e6:.0f} MB, user time"
        report(
            f"first read / ccusage, {name}", f"{first / theirs:.2f} x", "0.95 x", f"{first:.2f} s"
        )
        detail = f"{wall:.2f} s"
        report("first read / ccusage, wall time", f"{wall / their_wall:.2f} x", "1.5 x", detail)
        report(
            "again, nothing changed / ccusage",
            f"{again / theirs:.2f} x",
            "0.08 x",
            f"{again:.2f} s",
        )
        report("again, a line more / nothing changed", f"{grown / again:.2f} x", "1.3 x")
        report("index / transcripts", f"{100 * size / read:.1f} %", "7 %")
        _status(peer)
        _totals()


def _first(home, measure):
    for path in home.rglob("index.db*"):
        path.unlink()
    return measure(rad(*MODEL))


def _grown(data):
    path = max(Path(data).rglob("*.jsonl"))
    with path.open("a", encoding="utf-8") as file:
        file.write('{"type":"summary","summary":"x"}\n')
    return user_seconds(rad(*MODEL))


def _compare_totals(made):
    done = subprocess.run(rad(*MODEL), capture_output=True, check=True)
    for row in json.loads(done.stdout):
        true = made["models"][row["model"]]
        inputs = sum(true[name] for name in ("input", "cache_read", "write_5m", "write_1h"))
        found = (row["requests"], row["input_tokens"], row["output_tokens"], row["cached_tokens"])
        if found != (true["requests"], inputs, true["output"], true["cache_read"]):
            sys.exit(f"wrong totals: {row} instead of {true}")
    report("totals of tokens and requests that differ from the true ones", "0", "0")


def _status(peer):
    hook = json.dumps(
        {
            "session_id": "none",
            "transcript_path": "none",
            "cwd": "/",
            "model": {"id": "m", "display_name": "m"},
        }
    )
    line = [*peer, "statusline", "--offline"]
    times = [
        (
            spawn(rad(*STATUS))[0],
            spawn(python("-c", IMPORTS))[0],
            spawn(line, given=hook)[0],
        )
        for _ in range(sized(15, 3))
    ]
    ours, floor, theirs = (statistics.median(column) for column in zip(*times, strict=True))
    detail = f"{1000 * ours:.0f} ms / {1000 * floor:.0f} ms"
    ratio = statistics.median(mine / least for mine, least, _ in times)
    report("rad status, warm / import msgspec, sqlite3", f"{ratio:.2f} x", "2.5 x", detail)
    detail = f"{1000 * ours:.0f} ms / {1000 * theirs:.0f} ms"
    ratio = statistics.median(mine / other for mine, _, other in times)
    report("rad status, warm / ccusage statusline", f"{ratio:.2f} x", "1.5 x", detail)


def _totals():
    """Sums by day and project of all requests, beside a status line."""
    times = [(spawn(python("-c", TOTALS))[0], spawn(rad(*STATUS))[0]) for _ in range(sized(15, 3))]
    ours, floor = (statistics.median(column) for column in zip(*times, strict=True))
    detail = f"{1000 * ours:.0f} ms / {1000 * floor:.0f} ms"
    ratio = statistics.median(mine / least for mine, least in times)
    report("sums by day and project / rad status", f"{ratio:.2f} x", "1.5 x", detail)


def large_transcript():
    """One large transcript."""
    size = sized(640, 32) << 20
    with tempfile.TemporaryDirectory() as data, user(CLAUDE_CONFIG_DIR=data):
        gen_claude.History(data, 1, 20).write()
        (path,) = Path(data).rglob("*.jsonl")
        piece = path.read_bytes().removesuffix(b"\n") + b"\n"
        with path.open("wb") as file:
            for number in range(size // len(piece) + 1):
                # Each piece has requests of its own.
                file.write(piece.replace(b'"msg_01', b'"msg_%d_' % number))
        _, peak = spawn(rad(*MODEL))
    report(f"one transcript of {size >> 20} MB, peak memory", f"{peak:.0f} MB", "120 MB")
