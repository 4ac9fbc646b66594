"""Whole processes, timed in turn, so that a ratio holds while the machine's speed drifts.

What is measured is printed, and kept for the table.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
OWN = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME")
LAUNCHER = """
import json, os, sys, time
quiet = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
begun = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[quiet])
_, status, used = os.wait4(child, 0)
seconds = time.perf_counter() - begun
code = os.waitstatus_to_exitcode(status)
print(json.dumps([seconds, code, used.ru_utime, used.ru_maxrss]))
"""
"""Starts a command from a process that is small: a child's peak counts its parent's memory."""


@dataclass
class Measure:
    """A figure beside its bar, which it must not exceed; "" where there is none."""

    name: str
    figure: str
    bar: str
    detail: str

    @property
    def is_met(self):
        return not self.bar or _number(self.figure) <= _number(self.bar)


@dataclass
class Growth:
    """A figure by the number of sessions that there are."""

    name: str
    unit: str
    figures: dict[int, float]

    @property
    def exponent(self):
        """By what power of their number it grows, over all of them."""
        return _slope(list(self.figures.items()))

    @property
    def last_exponent(self):
        """The same for the largest two numbers, where what is constant counts least."""
        return _slope(sorted(self.figures.items())[-2:])


@dataclass
class Run:
    """What one run of the command has measured. In a `quick` one, sizes are small."""

    quick: bool = False
    measures: list[Measure] = field(default_factory=list)
    growths: list[Growth] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)


run = Run()


def sized(full, quick):
    """How much of something this run takes."""
    return quick if run.quick else full


@contextmanager
def user(**variables):
    """A user with a home folder of his own."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as home:
        for name in OWN:
            os.environ.pop(name, None)
        os.environ.update(HOME=home, LOCALAPPDATA=home, **variables)
        try:
            yield Path(home)
        finally:
            os.environ.clear()
            os.environ.update(before)


def spawn(command, cwd=None, given=None):
    """Run a command, `given` some text; returns its wall seconds and peak memory in MB."""
    seconds, _, peak = _run(command, cwd, given)
    return seconds, peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def user_seconds(command, cwd=None):
    """Run a command; returns the seconds that it kept processors busy, but for the system's."""
    return _run(command, cwd)[1]


def _run(command, cwd=None, given=None):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    # As for users, whose Python keeps what it has compiled.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", LAUNCHER, *command],
        cwd=cwd,
        input=(given or "").encode(),
        stdout=subprocess.PIPE,
        env=environment,
        check=True,
    )
    seconds, code, user, peak = json.loads(done.stdout)
    if code:
        raise SystemExit(f"{command} failed with {code}")
    return seconds, user, peak


def compare(ours, floor, *, runs=None, cwd=None):
    """The median of our time over the floor's, pair by pair, and our peak memory in MB."""
    spawn(ours, cwd)
    spawn(floor, cwd)
    ratios, peaks, times = [], [], []
    for _ in range(runs or sized(9, 3)):
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


def report(name, figure, bar="", detail=""):
    """Keep and print one measure beside its bar."""
    measure = Measure(name, figure, bar, detail)
    run.measures.append(measure)
    told = f"bar {bar}" if bar else ""
    missed = "" if measure.is_met or run.quick else "MISSED"
    print(f"{name:<62} {figure:>12}   {told:<18} {missed:<6} {detail}".rstrip(), flush=True)


def report_growth(name, unit, figures):
    """Keep and print one figure by the number of sessions."""
    growth = Growth(name, unit, figures)
    run.growths.append(growth)
    shown = ", ".join(f"{count:,}: {figure:,.0f} {unit}" for count, figure in figures.items())
    exponents = f"exponent {growth.exponent:.2f}, at the end {growth.last_exponent:.2f}"
    print(f"{name:<62} {shown}; {exponents}", flush=True)


def _number(text):
    return float(text.split()[0].replace(",", ""))


def _slope(points):
    """Of the straight line through the points' logarithms."""
    places, values = zip(*((math.log(at), math.log(value)) for at, value in points), strict=True)
    return statistics.linear_regression(places, values).slope
