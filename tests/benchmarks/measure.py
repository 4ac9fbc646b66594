"""Whole processes, timed in turn, so that a ratio holds while the machine's speed drifts."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


def spawn(command, cwd=None, given=None):
    """Run a command, `given` some text; returns its wall seconds and peak memory in MB."""
    seconds, used = _run(command, cwd, given)
    return seconds, used.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def user_seconds(command, cwd=None):
    """Run a command; returns the seconds that it kept processors busy, but for the system's."""
    return _run(command, cwd)[1].ru_utime


def _run(command, cwd=None, given=None):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    # As for users, whose Python keeps what it has compiled.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as told:
        told.write((given or "").encode())
        told.seek(0)
        process = subprocess.Popen(
            command, cwd=cwd, stdin=told, stdout=subprocess.DEVNULL, env=environment
        )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} failed with {process.returncode}")
    return seconds, used


def compare(ours, floor, *, runs=9, cwd=None):
    """The median of our time over the floor's, pair by pair, and our peak memory in MB."""
    spawn(ours, cwd)
    spawn(floor, cwd)
    ratios, peaks, times = [], [], []
    for _ in range(runs):
        seconds, peak = spawn(ours, cwd)
        base, _ = spawn(floor, cwd)
        ratios.append(seconds / base)
        peaks.append(peak)
        times.append((seconds, base))
    ours_s, floor_s = (statistics.median(column) for column in zip(*times, strict=True))
    return statistics.median(ratios), max(peaks), ours_s, floor_s


def python(*arguments):
    """A command that runs this Python."""
    return [sys.executable, *arguments]


def report(name, figure, bar, detail=""):
    """Print one measure beside its bar."""
    print(f"{name:<58} {figure:>12}   bar {bar:<14} {detail}", flush=True)
