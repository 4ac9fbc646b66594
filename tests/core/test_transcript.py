"""The session that an agent's files add up to."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from rad_lsp.core import transcript
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Usage
from rad_lsp.core.transcript import Facts

NOON = 1_765_108_800_000
"""2025-12-07 12:00 UTC, in milliseconds."""


def minutes(*intervals):
    return [(NOON + 60_000 * begin, NOON + 60_000 * end) for begin, end in intervals]


@pytest.fixture
def told():
    """The session that some facts tell of."""
    return lambda *facts, rows=(), **options: transcript.session(
        "agent", "/t/s.jsonl", facts, tuple(rows), **options
    )


def test_times_are_those_of_all_files_together(told):
    main = Facts("s", start=NOON, end=NOON + 60_000)
    side = Facts("s", start=NOON - 1_000, end=NOON + 5_000)
    found = told(main, side, Facts("s"))
    assert (found.id, found.source, found.path) == ("s", "agent", "/t/s.jsonl")
    assert found.start_time == datetime(2025, 12, 7, 11, 59, 59, tzinfo=UTC)
    assert found.generated_at == datetime(2025, 12, 7, 12, 1, tzinfo=UTC)
    assert found.wall_time == 61_000_000_000
    assert found.end_time is None


def test_a_session_has_an_end_where_its_agent_wrote_one(told):
    found = told(Facts("s", start=NOON, end=NOON + 1), Facts("s", ended=True))
    assert found.end_time == found.generated_at


def test_a_moment_widens_the_time_of_a_file():
    facts = Facts("s")
    for moment in (NOON, NOON + 5, NOON - 5):
        facts.at(moment)
    assert (facts.start, facts.end) == (NOON - 5, NOON + 5)


def test_calls_are_those_that_ended_and_refusals_are_no_failures(told):
    found = told(Facts("s", successful=3, failed=1, denied=2, allowed=4, asked=6),
                 Facts("s", successful=1, asked=1))  # fmt: skip
    assert (found.tool_calls, found.successful_tool_calls, found.failed_tool_calls) == (5, 4, 1)
    assert (found.approvals_denied, found.approvals_allowed, found.approvals_asked) == (2, 4, 7)


def test_what_runs_in_parallel_counts_once(told):
    main = Facts("s", tools=minutes((0, 10)), active=minutes((0, 20)))
    side = Facts("s", tools=minutes((5, 15), (30, 31)))
    found = told(main, side)
    minute = 60 * 1_000_000_000
    assert found.tool_time == 16 * minute
    assert found.agent_active_time == 21 * minute
    assert found.api_time == 5 * minute


def test_time_in_the_api_is_the_agents_own_where_it_measures_it(told):
    found = told(Facts("s", api_time=1_500), Facts("s", active=minutes((0, 1))),
                 Facts("s", api_time=500))  # fmt: skip
    assert found.api_time == 2_000_000_000


def test_files_that_several_changed_count_once(told):
    assert told(Facts("s", files={1, 2}), Facts("s", files={2, 3}), Facts("s")).files_changed == 3
    assert told(Facts("s")).files_changed is None
    assert told(Facts("s", files=set())).files_changed == 0


def test_lines_are_added_up(told):
    found = told(Facts("s", lines_added=5, lines_removed=2), Facts("s", lines_added=1))
    assert (found.lines_added, found.lines_removed) == (6, 2)


def test_usage_is_that_of_the_requests(told, spending):
    rows = [
        spending(model="b", engine="e", requests=2, input_tokens=100, output_tokens=10, cost=0.5,
                 cache_read_tokens=60, cache_write_5m_tokens=20, cache_write_1h_tokens=5),
        spending(model="a", engine="e", requests=1, input_tokens=7, cost=0.25),
        spending(model="b", engine="f", requests=4, input_tokens=1, cost=None),
    ]  # fmt: skip
    found = told(Facts("s"), rows=rows)
    assert found.models == (
        Usage("a", 1, 7, 0, 0, 0.25),
        Usage("b", 6, 101, 10, 60, 0.5, 4),
    )
    assert found.engines == (Usage("e", 3, 107, 10, 60, 0.75), Usage("f", 4, 1, 0, 0, None, 4))
    assert (found.cached_tokens, found.cache_read_tokens) == (60, 60)
    assert found.cache_creation_tokens == 25
    assert (found.cost, found.spending) == (0.75, tuple(rows))


def test_a_cost_that_is_not_known_is_none(told, spending):
    assert told(Facts("s"), rows=[spending(cost=None)]).cost is None
    assert told(Facts("s")).cost == 0


def test_what_could_not_be_counted_is_said_once_and_is_no_warning(told, spending):
    rows = [spending(model="new", requests=2, cost=None), spending(model="newer", cost=None)]
    found = told(
        Facts("s", unknown=1, notes=["Half a line"]),
        Facts("s", unknown=1, notes=["Half a line"]),
        rows=rows,
        unfinished=1,
    )
    assert [problem.message for problem in found.problems] == [
        "No price is known for 3 requests to new, newer: not in the cost",
        "1 request has no final usage recorded: output tokens and cost are lower bounds",
        "The outcome of 2 tool calls is not recorded; counted as successful",
        "Half a line",
    ]
    assert {problem.severity for problem in found.problems} == {"information"}
    (problem,) = told(Facts("s"), unfinished=1_200).problems
    assert problem.message.startswith("1,200 requests have no final usage")
    assert told(Facts("s")).problems == ()


def test_a_folder_may_be_known_by_its_hash_only():
    assert transcript.hashed("/w") == ("sha256:" + hashlib.sha256(b"/w").hexdigest())
    assert transcript.hashed("/\udcff").startswith("sha256:")


def test_other_prices_count_for_the_models_that_they_have(told, spending, price_list):
    rows = [
        spending(model="a", input_tokens=1_000_000, above=1000, cost=None),
        spending(model="b", quarter=100, requests=2, cost=None),
        spending(model="b", quarter=101, cost=7.0, reported=True),
        spending(model="unknown", cost=None),
        spending(model="other", cost=0.25),
    ]
    found = transcript.repriced(told(Facts("s", notes=["Kept"]), rows=rows), price_list)
    assert [row.cost for row in found.spending] == [20.0, 1.0, 7.0, None, 0.25]
    assert found.cost == 28.25
    assert [(usage.name, usage.cost, usage.unpriced) for usage in found.models] == [
        ("a", 20.0, 0),
        ("b", 8.0, 0),
        ("other", 0.25, 0),
        ("unknown", None, 1),
    ]
    assert [problem.message for problem in found.problems] == [
        "No price is known for 1 request to unknown: not in the cost",
        "Kept",
    ]
    free = transcript.repriced(told(Facts("s"), rows=rows[:1]), price_list)
    assert (free.cost, free.problems) == (20.0, ())


CHILD = {
    "models": (Usage("a", 1, 10, 1, 5, 0.5),),
    "cost": 0.5,
    "cached_tokens": 5,
    "cache_read_tokens": 5,
    "cache_creation_tokens": 2,
    "agent_active_time": 9,
    "api_time": 6,
    "tool_time": 3,
    "approvals_asked": 4,
    "lines_added": 8,
    "lines_removed": 1,
    "files_changed": 2,
}
NOTHING = {
    **dict.fromkeys([*CHILD, "tool_calls", "successful_tool_calls", "failed_tool_calls"], 0),
    "models": (),
    "engines": (),
    "files_changed": None,
}


def test_what_a_tracked_session_left_empty_is_filled_by_those_within_it(session, spending):
    tracked = session(**NOTHING)
    note = Problem("incomplete", "Counted in part", "information")
    children = [
        session(**CHILD, spending=(spending(quarter=60, cost=0.5),), problems=(note,)),
        session(**CHILD, spending=(spending(quarter=50, cost=0.5, cache_read_tokens=5),)),
        session(**NOTHING),
    ]
    found = transcript.merged(tracked, children)
    assert [row.quarter for row in found.spending] == [50, 60]
    assert [(usage.name, usage.requests, usage.cost) for usage in found.models] == [("a", 2, 1.0)]
    assert [usage.name for usage in found.engines] == ["e"]
    assert (found.cost, found.cached_tokens, found.cache_creation_tokens) == (1.0, 10, 4)
    assert (found.tool_calls, found.successful_tool_calls, found.failed_tool_calls) == (20, 16, 4)
    assert (found.agent_active_time, found.api_time, found.tool_time) == (18, 12, 6)
    assert (found.approvals_asked, found.lines_added, found.lines_removed) == (8, 16, 2)
    assert found.problems == (note,)
    assert (found.id, found.wall_time) == (tracked.id, tracked.wall_time)


def test_what_a_tracked_session_tells_itself_counts(session):
    tracked = session(files_changed=1, approvals_allowed=1)
    assert transcript.merged(tracked, [session(**CHILD)]) == tracked
    assert transcript.merged(tracked, []) is tracked
    assert transcript.merged(tracked, [session(**NOTHING)]) is tracked
