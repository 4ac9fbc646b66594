"""What was spent and done over time, from transcripts and reports to sums."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rad_lsp import service
from rad_lsp.core.errors import RadError
from rad_lsp.core.period import ALWAYS, Period
from rad_lsp.core.price import Override
from rad_lsp.core.trend import SPLITS, Calls, Lines
from rad_lsp.service import sessions, trend
from rad_lsp.store.machine import Machine
from tests.conftest import ClaudeCode

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
LONG_AGO = Period(datetime(2000, 1, 1, tzinfo=UTC))
BERLIN, KOLKATA, NEW_YORK = map(ZoneInfo, ("Europe/Berlin", "Asia/Kolkata", "America/New_York"))
PRICE = 0.0045
"""USD of an answer: 1,000 tokens in, 100 out, of Sonnet 4.5."""


@pytest.fixture
def asked(workspace):
    """Asks what the spans since long ago come to, or those of another period."""
    machine = sessions.open_machine()

    def ask(unit="day", zone=UTC, split=None, within=LONG_AGO, now=NOW, prices=None, **more):
        store = sessions.open_store(machine, workspace.root, None, prices, everywhere=True)
        question = trend.Question(unit, now, zone, within, split=split, **more)
        known = machine.prices(prices or {})
        return store.ask(lambda sums: trend.ask(sums, question, known))

    yield ask
    machine.close()


def at(transcript, moment):
    """The next record of a transcript is made at a moment."""
    transcript.time = datetime.fromisoformat(f"{moment}+00:00") - timedelta(seconds=1)
    return transcript


def spent(found):
    """Requests and USD of the spans in which there were some."""
    return {
        row.span.label: (row.figures.spent.requests, pytest.approx(row.figures.spent.money.usd))
        for row in found.rows
        if row.figures.spent.requests
    }


def parts(found):
    (row,) = [row for row in found.rows if row.parts]
    return {part.name: part.figures for part in row.parts}


DST = ("2026-03-28T22:59", "2026-03-28T23:00", "2026-03-29T21:59", "2026-03-29T22:00")
YEAR = ("2025-12-31T18:29", "2025-12-31T18:30", "2025-12-31T23:00", "2026-01-01T05:00")


@pytest.mark.parametrize(
    ("moments", "unit", "zone", "requests"),
    [
        (DST, "day", BERLIN, {"2026-03-28": 1, "2026-03-29": 2, "2026-03-30": 1}),
        (DST, "day", KOLKATA, {"2026-03-29": 2, "2026-03-30": 2}),
        (DST, "day", NEW_YORK, {"2026-03-28": 2, "2026-03-29": 2}),
        (DST, "week", BERLIN, {"2026-03-23": 3, "2026-03-30": 1}),
        (YEAR, "day", KOLKATA, {"2025-12-31": 1, "2026-01-01": 3}),
        (YEAR, "day", BERLIN, {"2025-12-31": 2, "2026-01-01": 2}),
        (YEAR, "day", NEW_YORK, {"2025-12-31": 3, "2026-01-01": 1}),
        (YEAR, "month", KOLKATA, {"2025-12": 1, "2026-01": 3}),
        (YEAR, "month", BERLIN, {"2025-12": 2, "2026-01": 2}),
        (YEAR, "month", NEW_YORK, {"2025-12": 3, "2026-01": 1}),
        (YEAR, "week", NEW_YORK, {"2025-12-29": 4}),
    ],
)
def test_requests_count_in_the_users_days(claude_code, asked, moments, unit, zone, requests):
    transcript = claude_code("a")
    for moment in moments:
        at(transcript, moment).answer()
    expected = {label: (count, pytest.approx(count * PRICE)) for label, count in requests.items()}
    assert spent(asked(unit, zone)) == expected


def test_hours_of_a_day_of_25_hours_are_all_there(claude_code, asked):
    transcript = claude_code("a")
    for minutes in range(0, 25 * 60, 30):
        at(transcript, (datetime(2026, 10, 24, 22) + timedelta(minutes=minutes)).isoformat())  # noqa: DTZ001
        transcript.answer()
    day = Period(datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC))
    found = asked("hour", BERLIN, within=day)
    assert len(found.rows) == 25
    assert {row.figures.spent.requests for row in found.rows} == {2}


def test_empty_spans_are_shown_and_cost_nothing(claude_code, asked):
    at(claude_code("a"), "2026-11-30T12:00:00").answer()
    found = asked(within=ALWAYS)
    assert [row.figures.spent.requests for row in found.rows] == [0] * 12 + [1, 0]
    empty = found.rows[0].figures
    assert (empty.sessions, empty.spent.money.usd, empty.spent.savings.usd) == (0, 0, 0)
    assert (empty.spent.cache_hit_rate, empty.calls.success_rate) == (None, None)
    assert found.older is None


def test_what_is_older_than_the_default_is_told(claude_code, asked):
    at(claude_code("a"), "2026-01-02T12:00:00").answer()
    found = asked(within=ALWAYS)
    assert len(found.rows) == 14
    assert found.older == datetime(2026, 1, 2, 12, tzinfo=UTC)
    assert len(asked(within=ALWAYS, count=5).rows) == 5
    assert asked().older is None


def test_a_session_counts_once_in_each_span_and_once_in_all(claude_code, asked):
    transcript = claude_code("a")
    for moment in ("2026-11-01T12:00:00", "2026-11-01T13:00:00", "2026-11-02T12:00:00"):
        at(transcript, moment).answer()
    found = asked()
    assert [row.figures.sessions for row in found.rows[:2]] == [1, 1]
    assert found.total.figures.sessions == 1


def test_tool_calls_count_when_they_begin(claude_code, asked):
    transcript = claude_code("a")
    at(transcript, "2026-11-01T23:59:50").answer(tools=["x"])
    at(transcript, "2026-11-02T00:00:10").result("x", failed=True).answer(tools=["y"]).result("y")
    first, second, *_ = asked().rows
    assert (first.figures.calls, second.figures.calls) == (Calls(failed=1), Calls(ok=1))
    assert second.figures.calls.success_rate == 100


def test_a_report_counts_at_its_last_activity_with_its_lines(workspace, asked):
    workspace.add("a", end_time="2026-10-31T23:30:00Z")
    found = asked("month", BERLIN)
    (row,) = [row for row in found.rows if row.figures.sessions]
    assert (row.span.label, row.figures.lines) == ("2026-11", Lines(505, 208))
    assert row.figures.calls == Calls(ok=214, failed=17, denied=2)
    assert row.figures.spent.money.usd == pytest.approx(0.1275)


def test_reports_and_transcripts_of_one_day_are_added_up(workspace, claude_code, asked):
    workspace.add("a", end_time="2026-11-01T12:00:00Z")
    at(claude_code("b"), "2026-11-01T12:00:00").answer(tools=["x"]).result("x")
    (figures,) = [row.figures for row in asked().rows if row.figures.sessions]
    assert (figures.sessions, figures.spent.requests, figures.calls.total) == (2, 197, 232)
    assert figures.spent.money.usd == pytest.approx(0.1275 + PRICE)


def test_savings_are_those_of_the_session(claude_code, asked, workspace):
    transcript = at(claude_code("a"), "2026-11-01T12:00:00")
    transcript.answer(read=100_000, written=1000).answer(read=300_000)
    saved = asked("week").total.figures.spent.savings
    machine = sessions.open_machine()
    prices = machine.prices({})
    session = sessions.open_store(machine, workspace.root).refresh().latest()
    assert saved.usd == pytest.approx(service.savings(session, prices).usd)
    machine.close()


def test_a_price_of_the_users_own_counts(claude_code, asked):
    at(claude_code("a"), "2026-11-01T12:00:00").answer(read=1_000_000, model="m")
    figures = asked(prices={"m": Override(2.0, 0.0, cache_read=0.5)}).total.figures
    assert figures.spent.money.usd == pytest.approx(0.5 + 0.002)
    assert figures.spent.savings.usd == pytest.approx(1.5)


def test_what_the_cache_saved_without_a_price_is_left_out_and_named(claude_code, asked):
    at(claude_code("a"), "2026-11-01T12:00:00").answer(read=1000, model="unheard-of")
    figures = asked().total.figures
    assert (figures.spent.savings.usd, figures.spent.savings.left_out) == (None, ("unheard-of",))
    assert (figures.spent.money.usd, figures.spent.money.unpriced) == (None, 1)


def test_tool_calls_have_no_model_and_requests_no_tool(claude_code, asked):
    at(claude_code("a"), "2026-11-01T12:00:00").answer(tools=["x"]).result("x")
    (model,) = parts(asked(split="model")).values()
    assert (model.calls, model.lines, model.spent.requests) == (None, None, 1)
    (tool,) = parts(asked(split="tool")).items()
    assert tool[0] == "Bash"
    assert (tool[1].spent, tool[1].lines, tool[1].calls) == (None, None, Calls(ok=1))


def test_spellings_of_one_model_are_one_part(claude_code, asked):
    transcript = at(claude_code("a"), "2026-11-01T12:00:00")
    transcript.answer().answer(model="anthropic/claude-sonnet-4.5")
    (name,) = parts(asked(split="model"))
    assert name == "claude-sonnet-4-5"
    assert parts(asked(split="model"))[name].sessions == 1


def test_the_first_day_of_a_week_is_the_users(claude_code, asked):
    at(claude_code("a"), "2026-11-01T12:00:00").answer()
    assert asked("week").rows[0].span.label == "2026-10-26"
    assert asked("week", week_start="sunday").rows[0].span.label == "2026-11-01"


def test_only_what_was_done_within_the_period_counts(claude_code, asked):
    transcript = claude_code("a")
    for moment in ("2026-11-01T11:00:00", "2026-11-01T12:00:00", "2026-11-02T12:00:00"):
        at(transcript, moment).answer()
    begin = datetime(2026, 11, 1, 12, tzinfo=UTC)
    found = asked(within=Period(begin, begin + timedelta(days=1)))
    assert [row.figures.spent.requests for row in found.rows] == [1, 0]
    assert (found.rows[0].span.label, found.rows[0].span.begin) == ("2026-11-01", begin)


def test_without_sessions_there_are_no_spans(asked):
    found = asked()
    assert (found.rows, found.total.figures.sessions) == ((), 0)


def test_too_many_spans_are_an_error(claude_code, asked):
    at(claude_code("a"), "2020-11-01T12:00:00").answer()
    with pytest.raises(RadError, match="more than 10,000 hours"):
        asked("hour")


MODELS = ("claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4.5", "gpt-5", "unheard-of")
ANSWERS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.datetimes(datetime(2026, 10, 1), datetime(2026, 11, 30)),  # noqa: DTZ001
        st.sampled_from(MODELS),
        st.integers(0, 300_000),
        st.integers(0, 3),
    ),
    max_size=12,
)


@settings(max_examples=25)
@given(ANSWERS, st.sampled_from(["day", "week", "month"]), st.sampled_from([BERLIN, KOLKATA]))
def test_parts_add_up_to_their_span_and_spans_to_the_total(answers, unit, zone):
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        for session, moment, model, read, tools in sorted(answers):
            path = home / ".claude" / "projects" / session / f"{session}.jsonl"
            transcript = ClaudeCode(path, session, f"/work/{session}", f"{moment}+00:00")
            used = [f"{moment}-{number}" for number in range(tools)]
            transcript.answer(read=read, tools=used, model=model)
            for number, one in enumerate(used):
                transcript.result(one, failed=number == 1)
        machine = Machine({}, home, None)
        store = sessions.open_store(machine, home, None, {}, everywhere=True)
        prices = machine.prices({})
        model_total = service.usage(store.refresh(), "model").total

        def asked(split):
            question = trend.Question(unit, NOW, zone, LONG_AGO, split=split)
            return store.ask(lambda sums: trend.ask(sums, question, prices))

        whole = asked(None).total.figures
        assert whole.spent.requests == model_total.requests
        assert whole.spent.tokens.input == model_total.input_tokens
        assert whole.spent.money.usd == pytest.approx(model_total.cost)
        assert whole.sessions == len({session for session, *_ in answers})
        for split in SPLITS:
            found = asked(split)
            rows = found.rows
            assert adds_up(found.total.figures, [row.figures for row in rows])
            assert same(found.total.figures, whole)
            for row in (*rows, found.total):
                assert adds_up(row.figures, [part.figures for part in row.parts])
        machine.close()


def adds_up(whole, parts):
    """Whether parts that tell something come to the whole."""
    told = [part.spent for part in parts if part.spent]
    if told:
        assert sum(one.requests for one in told) == whole.spent.requests
        assert sum(one.tokens.input for one in told) == whole.spent.tokens.input
        assert sum(one.money.usd or 0 for one in told) == pytest.approx(whole.spent.money.usd or 0)
        saved = sum(one.savings.usd or 0 for one in told)
        assert saved == pytest.approx(whole.spent.savings.usd or 0)
        assert sum(one.money.unpriced for one in told) == whole.spent.money.unpriced
    if calls := [part.calls for part in parts if part.calls]:
        assert sum(calls, Calls()) == whole.calls
    return True


def same(one, other):
    return (one.sessions, one.calls, one.lines) == (other.sessions, other.calls, other.lines)


def test_lines_of_a_tracked_session_are_not_those_of_its_agents_session_again(
    workspace, claude_code, asked
):
    transcript = at(claude_code("b"), "2026-11-01T11:00:00").answer(tools=["x"])
    changed = {"filePath": "a", "structuredPatch": [{"lines": ["+x", "-y", "+z"]}]}
    block = {"tool_use_id": "x", "type": "tool_result", "content": "done"}
    message = {"role": "user", "content": [block]}
    transcript.record("user", message=message, toolUseResult=changed, timestamp=transcript.tick())
    assert asked().total.figures.lines == Lines(2, 1)
    child = {"source": "claude-code", "session_id": "b"}
    times = {"start_time": "2026-11-01T10:00:00Z", "end_time": "2026-11-01T12:00:00Z"}
    workspace.add("a", child_sessions=[child], **times)
    assert asked().total.figures.lines == Lines(505, 208)
