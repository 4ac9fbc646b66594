"""What all sessions come to, while they change."""

from __future__ import annotations

import random

import pytest

from rad_lsp import service
from rad_lsp.service.tally import Tally
from rad_lsp.sources import radium
from rad_lsp.store import snapshot


@pytest.fixture
def session(report_bytes):
    """The session of a report with that id and some metrics replaced."""
    return lambda session_id, **changes: radium.parse(
        f"/w/{session_id}.json", report_bytes(session_id=session_id, **changes)
    )


def of(session, costs):
    """A snapshot of sessions with these costs, by id."""
    made = [session(name, total_cost=cost) for name, cost in costs.items()]
    return snapshot.assemble([snapshot.pack(one) for one in made])


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_sum_of_the_sessions_that_there_are_now(session, seed):
    dice = random.Random(seed)  # noqa: S311
    tally = Tally()
    costs = {}
    for _ in range(30):
        for name in dice.sample("abcdefgh", 3):
            costs[name] = dice.random()
        for name in dice.sample("abcdefgh", 2):
            costs.pop(name, None)
        made = of(session, costs)
        overall = tally.take(made)
        assert overall.sum == service.added_up(entry.totals for entry in made.entries)
        assert [(one.id, found) for one, found in overall.warned] == [
            (one.id, found) for one, found in snapshot.warned(made)
        ]


def test_of_what_is_as_before_nothing_is_unpacked_again(session):
    tally = Tally()
    made = of(session, {"a": 1.0})
    assert tally.take(made) is tally.take(made)
