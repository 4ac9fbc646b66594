"""Snapshots of a large repository, measured against `git status` of the same."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rad_lsp.tracking.changes import ChangeTracker, CodeChanges
from tests.benchmarks.measure import python, report, sized

IN_A_FOLDER = 100


def write(folder, files):
    """Make and commit files in folders of 100; contents recur, names do not."""
    for number in range(files // IN_A_FOLDER):
        inner = Path(folder, f"part-{number // 50}", f"folder-{number}")
        inner.mkdir(parents=True)
        for index in range(IN_A_FOLDER):
            path = inner / f"file-{number}-{index}.py"
            path.write_bytes(b"a line\n" * index)
    for command in (
        ("init", "-q"),
        ("add", "-A"),
        ("-c", "user.name=x", "-c", "user.email=x", "commit", "-q", "-m", "x"),
        ("status",),
    ):
        git = ["git", "-c", "gc.auto=0", *command]
        subprocess.run(git, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def changes():
    """Print the ratios and the peak memory of the whole."""
    files = sized(200_000, 5_000)
    with tempfile.TemporaryDirectory() as folder:
        write(folder, files)
        done = subprocess.run(
            python("-m", "tests.benchmarks.git_changes", folder), check=True, capture_output=True
        )
    found = json.loads(done.stdout)
    for name, bar in (("first", "4 x"), ("again", "2 x")):
        pairs = found[name]
        ours, floor = (1000 * statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(ours / floor for ours, floor in pairs)
        report(
            f"snapshot of {files:,} files, {name} / git status",
            f"{ratio:.2f} x",
            bar,
            f"{ours:.0f} ms / {floor:.0f} ms",
        )
    report(
        f"snapshot of {files:,} files, peak of Python and git", f"{found['peak']:.0f} MB", "100 MB"
    )


def _measure(folder):
    """Times in pairs, so that a ratio holds while the machine's speed drifts."""

    def timed(call):
        begun = time.perf_counter()
        call()
        return time.perf_counter() - begun

    def status():
        command = ["git", "status", "--porcelain", "-uall"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    first, again = [], []
    status()
    for _ in range(3):
        tracker = ChangeTracker(Path(folder))
        first.append((timed(tracker.start), timed(status)))
        again += [(timed(tracker.changes), timed(status)) for _ in range(4)]
        if tracker.reason or tracker.changes() != CodeChanges():
            raise SystemExit(f"{folder} is not clean: {tracker.reason} {tracker.changes()}")
        tracker.close()
    peaks = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    peak = sum(used.ru_maxrss for used in peaks) / unit
    print(json.dumps({"first": first, "again": again, "peak": peak}))


if __name__ == "__main__":
    _measure(sys.argv[1])
