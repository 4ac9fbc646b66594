"""The report page of many sessions: how long it takes to write, and how large it is."""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path

from tests.benchmarks import gen_claude, gen_sessions
from tests.benchmarks.measure import report, sized, spawn, user
from tests.benchmarks.transcripts import rad

MEGABYTE = 1_000_000


def page():
    """Transcripts and reports, half of the sessions each; the index has read them before."""
    with (
        tempfile.TemporaryDirectory() as data,
        tempfile.TemporaryDirectory() as workspace,
        user(CLAUDE_CONFIG_DIR=data),
    ):
        count = sized(5_000, 100)
        gen_claude.History(data, count, sized(200, 4)).write()
        gen_sessions.write(workspace, count)
        target = Path(workspace, "page.html")
        command = rad("report", "--all-projects", "--output", os.fspath(target), "--force")
        spawn(command, workspace)  # reads what is there, and puts the page's script together
        times = [spawn(command, workspace)[0] for _ in range(sized(9, 3))]
        name = f"rad report, {2 * count:,} sessions"
        report(name, f"{statistics.median(times):.2f} s", "3 s")
        report(f"{name}, the page", f"{target.stat().st_size / MEGABYTE:.2f} MB", "2.2 MB")
