"""Sums over time, beside a status line, a list of sessions, and ccusage's own."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile

from tests.benchmarks import gen_claude, gen_sessions
from tests.benchmarks.measure import report, sized, spawn, user
from tests.benchmarks.transcripts import STATUS, ccusage, rad

DAILY = ("stats", "daily", "--split", "project", "--all-projects")
MONTHLY = ("stats", "monthly", "--split", "model")
BY_MODEL = ("stats", "daily", "--split", "model", "--all-projects", "--timezone", "UTC", "--json")
SINCE = ("--since", "2000-01-01")
LONG = 200_000
"""Input tokens of a request above which some models have other rates."""

LONG_REQUESTS = """
import json
from pathlib import Path
from datetime import UTC
from rad_lsp.core.period import ALWAYS
from rad_lsp.service import sessions
from rad_lsp.store.totals import When
machine = sessions.open_machine()
store = sessions.open_store(machine, Path.cwd(), ["claude-code"], {}, everywhere=True)
rows = store.ask(lambda sums: sums.usage(("day", "model", "threshold"), When(ALWAYS, UTC)))
print(json.dumps([[str(row.key[0]), row.key[1]] for row in rows if row.key[2]]))
"""


def daily():
    """By day and project, with many transcripts and reports; all days and models as ccusage."""
    with (
        tempfile.TemporaryDirectory() as data,
        tempfile.TemporaryDirectory() as tools,
        tempfile.TemporaryDirectory() as workspace,
        user(CLAUDE_CONFIG_DIR=data),
    ):
        transcripts, reports = sized(5_000, 300), sized(10_000, 300)
        gen_claude.History(data, transcripts, sized(200, 12)).write()
        gen_sessions.write(workspace, reports)
        peer = [*ccusage(tools), "claude", "daily", "--offline", "--json", "--timezone", "UTC"]
        spawn(rad(*DAILY), workspace)  # reads what is there
        name = f"rad stats daily --split project, {transcripts:,} + {reports:,} sessions"
        _ratio(f"{name} / rad status", rad(*DAILY), rad(*STATUS), workspace, "2 x")
        _ratio(f"{name} / ccusage daily", rad(*DAILY), peer, workspace, "0.2 x")
        name = f"rad alone, {transcripts:,} + {reports:,} sessions"
        _ratio(f"{name} / rad status", rad("overview"), rad(*STATUS), workspace, "2 x")
        _ratio(f"{name} / ccusage daily", rad("overview"), peer, workspace, "0.2 x")
        _compare(workspace, peer)


def monthly():
    """By month and model, with very many reports."""
    with tempfile.TemporaryDirectory() as workspace, user():
        reports = sized(100_000, 1_000)
        gen_sessions.write(workspace, reports)
        spawn(rad(*MONTHLY), workspace)
        name = f"rad stats monthly --split model, {reports:,} reports / rad stats history"
        _ratio(name, rad(*MONTHLY), rad("stats", "history"), workspace, "1.5 x")


def _ratio(name, ours, theirs, folder, bar):
    """The median of our time over theirs, pair by pair."""
    times = [(spawn(ours, folder)[0], spawn(theirs, folder)[0]) for _ in range(sized(9, 3))]
    mine, other = (statistics.median(column) for column in zip(*times, strict=True))
    ratio = statistics.median(one / base for one, base in times)
    report(name, f"{ratio:.2f} x", bar, f"{1000 * mine:.0f} ms / {1000 * other:.0f} ms")


def _compare(workspace, peer):
    """Tokens of each day and model, and what explains that the money is another.

    Where a request has more than 200,000 input tokens, its provider bills all of them by other
    rates; ccusage bills only those beyond by them.
    """
    ours = _answer([*rad(*BY_MODEL), "--source", "claude-code", *SINCE], workspace)
    mine = {(row["label"], part["name"]): part for row in ours["rows"] for part in row["parts"]}
    theirs = {
        (day["date"], model["modelName"]): model
        for day in _answer([*peer, "--breakdown"], workspace)["daily"]
        for model in day["modelBreakdowns"]
    }
    names = {
        "fresh_tokens": "inputTokens",
        "cache_read_tokens": "cacheReadTokens",
        "cache_write_tokens": "cacheCreationTokens",
        "output_tokens": "outputTokens",
    }
    differ = mine.keys() ^ theirs.keys()
    both = mine.keys() & theirs.keys()
    differ |= {
        key
        for key in both
        if any(mine[key][ours] != theirs[key][other] for ours, other in names.items())
    }
    report(
        f"of {len(theirs)} days and models, tokens that differ from ccusage", f"{len(differ)}", "0"
    )
    long = {tuple(one) for one in _answer([sys.executable, "-c", LONG_REQUESTS], workspace)}
    money = {key for key in both if abs(mine[key]["cost"] - theirs[key]["cost"]) > 1e-6}
    report(
        f"money that differs, without a request of over {LONG:,} tokens",
        f"{len(money - long)}",
        "0",
        f"{len(money)} differ with one",
    )


def _answer(command, folder):
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)
