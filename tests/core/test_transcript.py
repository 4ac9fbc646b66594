"""The session that an agent's files add up to."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from rad_lsp.core import transcript
from rad_lsp.core.money import Money
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Child, Usage
from rad_lsp.core.spending import Request
from rad_lsp.core.tokens import Tokens
from rad_lsp.core.transcript import Facts, RequestRecord, ToolRecord, last_record

NOON = 1_765_108_800_000
"""2025-12-07 12:00 UTC, in milliseconds."""


def minutes(*intervals):
    return [(NOON + 60_000 * begin, NOON + 60_000 * end) for begin, end in intervals]


@pytest.fixture
def told():
    """The session that some facts tell of."""

    def made(*facts, rows=(), tools=(), **options):
        calls = [
            ToolRecord("s", "", start, duration, outcome, calls)
            for outcome, calls, start, duration in tools
        ]
        rows_of_tools = map(transcript.tool_row, calls)
        return transcript.session(
            "agent", "/t/s.jsonl", facts, tuple(rows), rows_of_tools, **options
        )

    return made


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
    tools = [("ok", 3, 0, None), ("failed", 1, NOON, 5), ("denied", 2, 0, None), ("ok", 1, NOON, 0)]
    found = told(Facts("s"), Facts("s"), tools=tools)
    assert (found.tool_calls, found.successful_tool_calls, found.failed_tool_calls) == (5, 4, 1)
    assert (found.approvals_denied, found.approvals_allowed, found.approvals_asked) == (2, 0, 0)


def test_what_runs_in_parallel_counts_once(told):
    main = Facts("s", active=minutes((0, 20)))
    tools = [("ok", 1, begin, end - begin) for begin, end in minutes((0, 10), (5, 15), (30, 31))]
    found = told(main, Facts("s"), tools=tools)
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
        spending(model="b", engine="e", requests=2, tokens=Tokens(15, 60, 20, 5, 10), cost=0.5),
        spending(model="a", engine="e", requests=1, tokens=Tokens(7), cost=0.25),
        spending(model="b", engine="f", requests=4, tokens=Tokens(1), cost=None),
    ]
    found = told(Facts("s"), rows=rows)
    assert found.models == (
        Usage("a", 1, 7, 0, 0, Money(0.25)),
        Usage("b", 6, 101, 10, 60, Money(0.5, 0, 4)),
    )
    assert found.engines == (
        Usage("e", 3, 107, 10, 60, Money(0.75)),
        Usage("f", 4, 1, 0, 0, Money(None, 0, 4)),
    )
    assert (found.cached_tokens, found.cache_read_tokens) == (60, 60)
    assert found.cache_creation_tokens == 25
    assert (found.money, found.spending) == (Money(0.75, 0, 4), tuple(rows))


def test_a_cost_that_is_not_known_is_none(told, spending):
    assert told(Facts("s"), rows=[spending(cost=None)]).cost is None
    assert told(Facts("s")).cost == 0


def test_what_could_not_be_counted_is_said_once_and_is_no_warning(told, spending):
    rows = [spending(model="new", requests=2, cost=None), spending(model="newer", cost=None)]
    found = told(
        Facts("s", notes=["Half a line"]),
        Facts("s", notes=["Half a line"]),
        rows=[*rows, spending(money=Money(0.5, 1))],
        tools=[("unknown", 1, NOON, 5)] * 2,
    )
    assert (found.tool_calls, found.successful_tool_calls, found.unknown_tool_calls) == (2, 2, 2)
    assert [problem.message for problem in found.problems] == [
        "No price is known for 3 requests to new, newer: not in the cost",
        "1 request has no final usage recorded: output tokens and cost are lower bounds",
        "The outcome of 2 tool calls is not recorded: left out of the success rate",
        "Half a line",
    ]
    assert {problem.severity for problem in found.problems} == {"information"}
    (problem,) = told(Facts("s"), rows=[spending(money=Money(0.5, 1_200))]).problems
    assert problem.message.startswith("1,200 requests have no final usage")
    assert told(Facts("s")).problems == ()


def test_a_session_whose_files_are_gone_says_so(told):
    found = told(Facts("s", notes=["Half a line"]), deleted=True)
    assert found.deleted
    assert [(problem.code, problem.message) for problem in found.problems] == [
        ("deleted", "The transcript has been deleted; these are its last figures"),
        ("incomplete", "Half a line"),
    ]
    assert not told(Facts("s")).deleted


def test_a_folder_may_be_known_by_its_hash_only():
    assert transcript.hashed("/w") == ("sha256:" + hashlib.sha256(b"/w").hexdigest())
    assert transcript.hashed("/\udcff").startswith("sha256:")


def test_other_prices_count_for_the_models_that_they_have(told, spending, price_list):
    rows = [
        spending(model="a", tokens=Tokens(1_000_000), threshold=1000, cost=None),
        spending(model="b", slot=100, requests=2, cost=None),
        spending(model="b", slot=101, cost=7.0, reported=True),
        spending(model="unknown", cost=None),
        spending(model="other", cost=0.25),
    ]
    found = transcript.repriced(told(Facts("s", notes=["Kept"]), rows=rows), price_list)
    assert [row.cost for row in found.spending] == [20.0, 1.0, 7.0, None, 0.25]
    assert found.cost == 28.25
    assert [(usage.name, usage.cost, usage.money.unpriced) for usage in found.models] == [
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
    "models": (Usage("a", 1, 10, 1, 5, Money(0.5)),),
    "money": Money(0.5),
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
    "money": Money(),
    "files_changed": None,
}


def test_what_a_tracked_session_left_empty_is_filled_by_those_within_it(session, spending):
    tracked = session(**NOTHING)
    note = Problem("incomplete", "Counted in part", "information")
    children = [
        session(**CHILD, spending=(spending(slot=60, cost=0.5),), problems=(note,)),
        session(**CHILD, spending=(spending(slot=50, cost=0.5, tokens=Tokens(0, 5)),)),
        session(**NOTHING),
    ]
    found = transcript.merged(tracked, children)
    assert [row.slot for row in found.spending] == [50, 60]
    assert [(usage.name, usage.requests, usage.cost) for usage in found.models] == [("a", 2, 1.0)]
    assert [usage.name for usage in found.engines] == ["e"]
    assert (found.money, found.cached_tokens, found.cache_creation_tokens) == (Money(1.0), 10, 4)
    assert (found.tool_calls, found.successful_tool_calls, found.failed_tool_calls) == (20, 16, 4)
    assert (found.agent_active_time, found.api_time, found.tool_time) == (18, 12, 6)
    assert (found.approvals_asked, found.lines_added, found.lines_removed) == (8, 16, 2)
    assert found.problems == (note,)
    assert (found.id, found.wall_time) == (tracked.id, tracked.wall_time)


def test_what_is_not_sure_of_those_within_it_is_not_sure_of_a_tracked_session(session):
    child = session(**CHILD, unknown_tool_calls=3, api_time_measured=False)
    found = transcript.merged(session(**NOTHING), [child, session(**CHILD, unknown_tool_calls=1)])
    assert (found.unknown_tool_calls, found.api_time_measured) == (4, False)


def test_what_a_tracked_session_tells_itself_counts(session):
    tracked = session(files_changed=1, approvals_allowed=1)
    assert transcript.merged(tracked, [session(**CHILD)]) == tracked
    assert transcript.merged(tracked, []) is tracked
    assert transcript.merged(tracked, [session(**NOTHING)]) is tracked


def test_what_is_missing_makes_the_cost_of_a_tracked_session_unknown_or_a_minimum(session):
    missing = [Child("codex", "x")]
    found = transcript.merged(session(**NOTHING), [], missing)
    assert found.cost is None
    assert [note.message for note in found.problems] == [
        "The transcript of codex session x can't be found: its cost is unknown"
    ]
    found = transcript.merged(session(**NOTHING), [session(**CHILD)], missing)
    assert (found.cost is not None, found.money.is_lower_bound) == (True, True)
    told = session(files_changed=1, approvals_allowed=1)
    assert transcript.merged(told, [], missing) is told


def test_of_two_records_of_a_request_that_with_more_output_counts_from_the_first_time_on():
    def record(time, output, **more):
        request = Request(time=time, model=f"m{time}", tokens=Tokens(output=output))
        return RequestRecord("key", "s", request, **more)

    def counted(before, now):
        found = last_record(before, now)
        return found.request.time, found.request.model, found.request.tokens.output, found.final

    assert counted(record(1, 5), record(2, 9)) == (1, "m2", 9, True)
    assert counted(record(1, 5), record(2, 5)) == (1, "m2", 5, True)
    assert counted(record(1, 9), record(2, 5)) == (1, "m1", 9, True)
    assert counted(record(1, 9, final=False), record(2, 5)) == (1, "m1", 9, True)
    assert counted(record(1, 5, final=False), record(2, 9, final=False))[-1] is False


def test_requests_become_rows_that_tell_how_sure_their_cost_is(price_list, spending):
    def record(cost=None, **more):
        made = Request(time=45_000_000, model="a", engine="e", tokens=Tokens(5000), cost=cost)
        return RequestRecord("key", "s", made, **more)

    known = spending(threshold=1000, tokens=Tokens(5000), cost=0.1)
    unbilled = spending(reported=True, tokens=Tokens(5000), cost=None)
    unfinished = spending(threshold=1000, tokens=Tokens(10_000), requests=2, money=Money(0.2, 1))
    assert transcript.rows([record()], price_list) == (known,)
    assert transcript.rows([record(), record(final=False)], price_list) == (unfinished,)
    assert transcript.rows([record(billed=False)], price_list) == (unbilled,)
    both = transcript.rows([record(billed=False, final=False), record()], price_list)
    assert [(row.threshold, row.money) for row in both] == [
        (0, Money(None, 1, 1)),
        (1000, Money(0.1)),
    ]
    assert transcript.rows([], price_list) == ()


def test_refused_calls_and_those_of_unknown_duration_take_no_time(told):
    tools = [("denied", 1, NOON, None), ("ok", 20, NOON, None), ("ok", 1, NOON, 1_000)]
    assert told(Facts("s"), tools=tools).tool_time == 1_000_000_000
