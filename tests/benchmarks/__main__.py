"""`python -m tests.benchmarks [NAME ...]`: every bar measured, as ratios, in one run."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.benchmarks import (
    gen_sessions,
    git_changes,
    kills,
    prices,
    server,
    tracking,
    transcripts,
)
from tests.benchmarks.measure import compare, python, report, spawn

READ_ALL = """
import os, sys
folder = sys.argv[1]
for name in os.listdir(folder):
    with open(os.path.join(folder, name), "rb") as file:
        file.read()
"""


def cli_start():
    ratio, _, ours, floor = compare(
        python("-m", "rad_lsp.cli", "--help"), python("-c", "import click, msgspec")
    )
    detail = f"{1000 * ours:.0f} ms / {1000 * floor:.0f} ms"
    report("rad --help / import click, msgspec", f"{ratio:.2f} x", "2 x", detail)


def history():
    with tempfile.TemporaryDirectory() as folder:
        gen_sessions.write(folder, 10_000)
        sessions = str(Path(folder, ".radium/_internals/sessions"))
        ratio, peak, ours, floor = compare(
            python("-m", "rad_lsp.cli", "stats", "history"),
            python("-c", READ_ALL, sessions),
            cwd=folder,
        )
    detail = f"{1000 * ours:.0f} ms / {1000 * floor:.0f} ms"
    report("rad stats history, 10,000 reports / reading them", f"{ratio:.2f} x", "3 x", detail)
    report("rad stats history, 10,000 reports, peak memory", f"{peak:.0f} MB", "80 MB")


def export():
    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own: a child's peak counts what its parent held before.
        spawn(python("-m", "tests.benchmarks.gen_sessions", folder, "100000"))
        command = python("-m", "rad_lsp.cli", "stats", "export", "--format", "ndjson")
        seconds, peak = spawn(command, folder)
    name = "rad stats export --format ndjson, 100,000 reports, peak"
    report(name, f"{peak:.0f} MB", "120 MB", f"{seconds:.1f} s")


BENCHMARKS = {
    "cli_start": cli_start,
    "history": history,
    "export": export,
    "git_changes": git_changes.changes,
    "prices": prices.requests,
    "savings": prices.savings,
    "server_start": server.start,
    "first_status": lambda: server.first_status(READ_ALL),
    "requests": server.requests,
    "documents": server.documents,
    "latency": server.latency,
    "burst": server.burst,
    "idle": server.idle,
    "memory": server.memory,
    "recorder": tracking.recorder,
    "session_run": tracking.session_run,
    "transcripts": transcripts.transcripts,
    "large_transcript": transcripts.large_transcript,
    "large_history": transcripts.large_history,
    "kills": kills.kills,
}

if __name__ == "__main__":
    for chosen in sys.argv[1:] or BENCHMARKS:
        BENCHMARKS[chosen]()
