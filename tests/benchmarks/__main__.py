"""`python -m tests.benchmarks [NAME ...]`: every bar measured, as ratios, in one run."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import (
    damages,
    drawing,
    gen_sessions,
    git_changes,
    growth,
    kills,
    load,
    page,
    prices,
    server,
    table,
    tracking,
    transcripts,
    trend,
)
from tests.benchmarks.measure import compare, python, report, run, sized, user

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
    count = sized(10_000, 1_000)
    with tempfile.TemporaryDirectory() as folder:
        gen_sessions.write(folder, count)
        sessions = str(Path(folder, ".radium/_internals/sessions"))
        ratio, peak, ours, floor = compare(
            python("-m", "rad_lsp.cli", "stats", "history"),
            python("-c", READ_ALL, sessions),
            cwd=folder,
        )
    detail = f"{1000 * ours:.0f} ms / {1000 * floor:.0f} ms"
    report(f"rad stats history, {count:,} reports / reading them", f"{ratio:.2f} x", "3 x", detail)
    report(f"rad stats history, {count:,} reports, peak memory", f"{peak:.0f} MB", "80 MB")


BENCHMARKS = {
    "cli_start": cli_start,
    "history": history,
    "git_changes": git_changes.changes,
    "prices": prices.requests,
    "savings": prices.savings,
    "server_start": server.start,
    "first_status": lambda: server.first_status(READ_ALL),
    "requests": server.requests,
    "documents": server.documents,
    "latency": server.latency,
    "same_second": server.same_second,
    "burst": server.burst,
    "idle": server.idle,
    "recorder": tracking.recorder,
    "session_run": tracking.session_run,
    "transcripts": transcripts.transcripts,
    "large_transcript": transcripts.large_transcript,
    "daily": trend.daily,
    "monthly": trend.monthly,
    "page": page.page,
    "drawing": drawing.drawing,
    "kills": kills.kills,
    "contradictions": load.contradictions,
    "edits": load.edits,
    "folders": load.folders,
    "leaks": load.leaks,
    "unread": load.unread,
    "growth_reports": growth.reports,
    "growth_transcripts": growth.transcripts,
    "damages": damages.attacks,
}


def main():
    """Run the benchmarks; returns 1 where a bar is missed, in a run that is not quick."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="small sizes: only see that all run")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page of the run")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - BENCHMARKS.keys():
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    run.quick = chosen.quick
    begun = time.monotonic()
    for name in chosen.names or BENCHMARKS:
        with user():
            BENCHMARKS[name]()
        print(f"-- {name}, after {time.monotonic() - begun:.0f} s", flush=True)
        if chosen.write:  # after each, so that a run that breaks off has shown something
            arguments = "".join(f" {argument}" for argument in sys.argv[1:])
            page = table.page(run, (time.monotonic() - begun) / 60, arguments)
            chosen.write.parent.mkdir(parents=True, exist_ok=True)
            chosen.write.write_text(page, encoding="utf-8")
    return int(not (run.quick or all(measure.is_met for measure in run.measures)))


if __name__ == "__main__":
    sys.exit(main())
