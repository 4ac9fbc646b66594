"""Small transcripts of each agent, each with the values that were worked out by hand.

A folder of `tests/data/cases` is a user's home folder as the agents would leave it.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest

from rad_lsp.core import figures, transcript
from rad_lsp.core.spending import SLOT_MS
from rad_lsp.sources import AGENTS
from rad_lsp.store import query
from rad_lsp.store.machine import Machine
from rad_lsp.store.query import Scope

CASES = Path(__file__).parent / "data" / "cases"

TOTALS = {
    "claude-fast": (1, 4, 400_000, 40_000, 0, 8.25),
    "claude-us-geo": (1, 3, 300_000, 30_000, 0, 2.3250),
    "claude-websearch": (1, 1, 10_000, 1_000, 0, 0.0950),
    "codex-tier": (1, 2, 200_000, 2_000, 0, 0.6360),
    "no-final-newline": (1, 1, 100_000, 10_000, 0, 0.7500),
    "codex-zst": (1, 2, 210_000, 3_000, 100_000, 0.2760),
    "codex-compaction": (1, 3, 435_000, 8_000, 200_000, 1.1800),
    "codex-replay-parent-zst": (2, 61, 610_000, 700, 0, 1.2284),
    "claude-advisor": (1, 2, 102_000, 4_400, 0, 0.6120),
    "gateway-same-id": (2, 6, 210_000, 600, 0, 0.6390),
    "cowork": (1, 1, 100_000, 10_000, 0, 0.7500),
    "copilot-resume": (1, 2, 1_200_000, 15_000, 0, 0.33),
    "copilot-compaction": (1, 2, 70_000, 1_200, 10_000, 0.01765),
    "copilot-crash": (1, 1, 0, 400, 0, 0.03),
    "copilot-midnight": (1, 2, 3_100_000, 31_000, 0, 0.8370),
}
"""Of all sessions of a folder: sessions, requests, input, output and cached tokens, USD."""


@pytest.fixture
def read(tmp_path):
    """The sessions that all agents have below a home folder, in the order of their ids."""

    def of(home, index="index"):
        machine = Machine({}, home, tmp_path / index)
        with contextlib.closing(machine):
            machine.update(machine.agents())
            scope = Scope(frozenset(AGENTS))
            entries = query.entries(machine.index.connection, scope, None)
            return sorted((entry.session for entry in entries), key=lambda session: session.id)

    return of


@pytest.mark.parametrize("name", sorted(TOTALS))
def test_totals(read, name):
    sessions = read(CASES / name / "home")
    usages = [usage for session in sessions for usage in session.models]
    counts = (
        len(sessions),
        sum(usage.requests for usage in usages),
        sum(map(figures.input_tokens, sessions)),
        sum(map(figures.output_tokens, sessions)),
        sum(session.cached_tokens for session in sessions),
    )
    *expected, usd = TOTALS[name]
    assert counts == tuple(expected)
    assert sum(session.cost for session in sessions) == pytest.approx(usd, abs=1e-9)


@pytest.mark.parametrize("name", [name for name in TOTALS if name.startswith("copilot")])
def test_a_file_that_grows_line_by_line_comes_to_the_same(read, tmp_path, name):
    home = tmp_path / "home"
    for path in (CASES / name / "home").rglob("*.jsonl"):
        copy = home / path.relative_to(CASES / name / "home")
        copy.parent.mkdir(parents=True)
        for line in path.read_bytes().splitlines(keepends=True):
            with copy.open("ab") as file:
                file.write(line)
            grown = read(home)
    whole = read(CASES / name / "home", "another index")
    assert [usage_of(session) for session in grown] == [usage_of(session) for session in whole]


def usage_of(session):
    """What must not depend on when a file was read."""
    return session.models, session.spending, session.api_time, session.tool_calls


def spent_by_day(session):
    """USD by the day in UTC."""
    days = {}
    for row in session.spending:
        day = transcript.moment(row.slot * SLOT_MS).date().isoformat()
        days[day] = days.get(day, 0) + row.cost
    return days


def test_money_is_spent_on_the_day_of_its_checkpoint(read):
    (session,) = read(CASES / "copilot-midnight" / "home")
    assert spent_by_day(session) == pytest.approx({"2026-11-29": 0.027, "2026-11-30": 0.81})


def test_money_of_a_session_that_broke_off_is_a_lower_bound(read):
    (session,) = read(CASES / "copilot-crash" / "home")
    assert (session.money.usd, session.money.lower_bound) == (pytest.approx(0.03), 1)
    assert session.money.is_lower_bound
    assert session.end_time is None


def test_an_advisor_is_a_model_of_its_own(read):
    (session,) = read(CASES / "claude-advisor" / "home")
    assert {usage.name: usage.money.usd for usage in session.models} == {
        "claude-sonnet-4-6": pytest.approx(0.012),
        "claude-opus-4-8": pytest.approx(0.6),
    }


def test_what_a_fork_copied_of_a_relay_s_session_counts_once(read, tmp_path):
    home = shutil.copytree(CASES / "gateway-same-id" / "home", tmp_path / "home")
    (first, _) = sorted(home.rglob("*.jsonl"))
    fork = first.read_text(encoding="utf-8").replace("-000000000001", "-000000000003")
    first.with_name(f"{first.stem[:-1]}3.jsonl").write_text(fork, encoding="utf-8")
    requests = [sum(usage.requests for usage in session.models) for session in read(home)]
    assert (sum(requests), len(requests)) == (6, 3)
