"""A run as a page: each measure beside its bar, what grows by which power, and the machine."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("msgspec", "pygls", "watchfiles", "genai-prices")
HEAD = """# Benchmarks
Written by `python -m tests.benchmarks{arguments}` on {day}, in {minutes:.0f} minutes. Run it to \
measure another machine; `--quick` takes a few minutes.

Each measure is the median of several runs, or the percentile that it names. Where a measure \
reads `ours / theirs`, both were run in turn on the same machine: the floor is the least that any \
program needs for the same (listing the files, importing the libraries), and ccusage is the best \
known program of its kind, written in Rust. A figure must not exceed its bar. The editors' clients \
have benchmarks of their own: `python -m tests.editors.vscode.bench` and `…neovim.bench`.
"""
QUICK = """
> **A quick run:** sizes are small and runs are few. It shows that each benchmark works; its \
figures say nothing of the bars.
"""


def page(run, minutes, arguments):
    """The page of a run, as Markdown."""
    day = datetime.now(UTC).date().isoformat()
    head = HEAD.format(arguments=arguments, day=day, minutes=minutes)
    parts = [head + QUICK if run.quick else head, "## Machine\n" + _machine(run)]
    if run.measures:
        parts.append("## Measures\n" + _measures(run))
    if run.growths:
        parts.append("## Growth\n" + _growths(run))
    return "\n".join(parts)


def _machine(run):
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    rows = {
        "CPU": f"{_cpu()}, {os.cpu_count()} cores, load {load} at the end",
        "System": platform.platform(),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "SQLite": sqlite3.sqlite_version,
        "git": _git(),
        **{name: version(name) for name in LIBRARIES},
        **run.versions,
    }
    return _table(("what", "which"), rows.items())


def _measures(run):
    rows = [
        (
            measure.name,
            measure.bar and f"≤ {measure.bar}",
            measure.figure if measure.is_met or run.quick else f"**{measure.figure}**",
            measure.detail,
        )
        for measure in run.measures
    ]
    head = ("measure", "bar", "measured", "in detail")
    return ("" if run.quick else "Bars that are missed are bold.\n\n") + _table(head, rows)


def _growths(run):
    text = (
        "By the number of sessions n: the exponent e of nᵉ, over all of them and between the last "
        "two. 0 does not grow, 1 grows in proportion.\n"
    )
    kinds: dict[tuple[int, ...], list[tuple[str, ...]]] = {}
    for growth in run.growths:
        figures = [f"{figure:,.0f} {growth.unit}" for figure in growth.figures.values()]
        exponents = f"{growth.exponent:.2f}", f"{growth.last_exponent:.2f}"
        kinds.setdefault(tuple(growth.figures), []).append((growth.name, *figures, *exponents))
    for counts, rows in kinds.items():
        head = ("measure", *(f"{count:,}" for count in counts), "e", "e, at the end")
        text += "\n" + _table(head, rows)
    return text


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(str(cell) or ' ' for cell in line)} |\n" for line in lines)


def _cpu():
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _git():
    git = shutil.which("git")
    if git is None:
        return "none"
    done = subprocess.run([git, "--version"], capture_output=True, check=True)
    return done.stdout.decode().removeprefix("git version ").strip()
