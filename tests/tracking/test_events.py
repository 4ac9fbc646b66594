from __future__ import annotations

import json
import math
import tracemalloc
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.tracking import SessionRecorder
from rad_lsp.tracking.clock import Clock
from rad_lsp.tracking.events import LONGEST_LINE, Reader, Tail, schema

REQUEST = {
    "type": "request",
    "duration": 2,
    "gen_ai.request.model": "asked-for",
    "gen_ai.response.model": "answering",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 10,
    "gen_ai.usage.cache_read.input_tokens": 500,
    "gen_ai.usage.cache_creation.input_tokens": 300,
    "rad.usage.cache_creation_1h.input_tokens": 100,
}


def line(event_type, **attributes):
    """An event; a dot in a name is written as two underscores."""
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    return json.dumps({"type": event_type, **named}).encode() + b"\n"


@pytest.fixture
def tracked(recorder, metrics):
    """The metrics of a session that these pieces of bytes have been read into."""

    def track(*pieces):
        with recorder() as session:
            reader = Reader(lambda: session)
            for piece in pieces:
                reader.feed(piece)
            reader.finish()
        return metrics(session)

    return track


def test_a_request_has_all_that_it_tells(tracked):
    found = tracked(json.dumps(REQUEST).encode())
    assert found["model_usage"]["answering"] == {
        "requests": 1,
        "input_tokens": 1000,
        "output_tokens": 10,
        "cached_tokens": 500,
        "estimated_cost": pytest.approx((200 + 50 + 250 + 200 + 20) / 1e6),
    }
    assert found["engine_usage"].keys() == {"anthropic"}
    (row,) = found["spending"]
    written = ("cache_write_5m_tokens", "cache_write_1h_tokens")
    assert [row[name] for name in written] == [200, 100]
    assert found["api_time"] == {"secs": 2, "nanos": 0}


def test_a_providers_own_cost_and_tier_count(tracked):
    found = tracked(line("request", rad__cost=0.25, rad__tier="batch"))
    assert (found["total_cost"], found["spending"][0]["tier"]) == (0.25, "batch")
    assert (found["spending"][0]["model"], found["spending"][0]["engine"]) == ("unknown", "unknown")


def test_an_error_is_a_failure(tracked):
    found = tracked(
        line("tool", gen_ai__tool__name="grep", duration=1),
        line("tool", error__type="timeout"),
        line("tool", error__type=None),
        line("request", error__type="rate_limit"),
    )
    assert (found["successful_tool_calls"], found["failed_tool_calls"]) == (2, 1)
    assert found["warnings"] == ["1 request failed, and may have used more than is counted"]


def test_pairs_that_overlap_count_their_time_once(recorder, metrics):
    with recorder() as session:
        reader = Reader(lambda: session)
        start = session.ledger.clock.start

        def at(seconds):
            return (start + timedelta(seconds=seconds)).isoformat()

        def call(event_type, call_id, seconds, **more):
            reader.feed(line(event_type, gen_ai__tool__call__id=call_id, time=at(seconds), **more))

        call("tool.start", "a", 10)
        call("tool.start", "b", 12)
        call("tool.end", "a", 15, error__type="x")
        call("tool.end", "b", 20)
        reader.feed(line("request", time=at(22), duration=4))
    found = metrics(session)
    times = ("tool_time", "api_time", "agent_active_time")
    assert [found[name]["secs"] for name in times] == [10, 4, 12]
    assert (found["successful_tool_calls"], found["failed_tool_calls"]) == (1, 1)


def test_money_belongs_to_the_time_that_an_event_tells(tracked):
    found = tracked(line("request", time="2026-01-02T03:04:05+01:00"))
    assert found["spending"][0]["start"] == "2026-01-02T02:00:00Z"


def test_tool_calls_keep_their_names(tracked):
    found = tracked(
        line("tool", gen_ai__tool__name="grep", duration=0.5),
        line("tool", gen_ai__tool__name="grep", duration=0.25, error__type="no_match"),
        line("tool.start", gen_ai__tool__call__id="a", gen_ai__tool__name="edit"),
        line("tool.start", gen_ai__tool__call__id="b", gen_ai__tool__name="rm"),
        line("tool.end", gen_ai__tool__call__id="a", error__type="refused"),
        line("approval", decision="denied", gen_ai__tool__call__id="b"),
        line("approval", decision="denied"),
        line("tool"),
    )
    rows = {row.pop("name", ""): row for row in found["calls_by_tool"]}
    assert {name: row.get("ok", 0) for name, row in rows.items()} == {
        "": 1, "edit": 0, "grep": 1, "rm": 0
    }  # fmt: skip
    assert {name: row.get("failed", 0) for name, row in rows.items() if name} == {
        "edit": 1, "grep": 1, "rm": 0
    }  # fmt: skip
    assert (rows["rm"]["denied"], rows[""]["denied"]) == (1, 1)
    assert rows["grep"]["duration"] == {"secs": 0, "nanos": 750_000_000}


def test_tool_calls_count_at_the_time_that_an_event_tells_within_the_session(recorder, metrics):
    start = datetime(2026, 3, 1, 12, 20, tzinfo=UTC)
    now = int(start.timestamp()) * 10**9
    with recorder(clock=lambda: Clock(lambda: now, lambda: 0)) as session:
        reader = Reader(lambda: session)
        now += 2 * 3600 * 10**9
        for time in ("1990-01-01T00:00:00Z", "2026-03-01T14:01:00+01:00", "2990-01-01T00:00:00Z"):
            reader.feed(line("tool", gen_ai__tool__name="grep", duration=120, time=time))
    rows = metrics(session)["calls_by_tool"]
    starts = [f"2026-03-01T{time}:00Z" for time in ("12:15", "12:45", "14:15")]
    assert [row["start"] for row in rows] == starts


def test_a_denied_call_is_no_call(tracked):
    found = tracked(
        line("tool.start", gen_ai__tool__call__id="a"),
        line("approval", decision="asked"),
        line("approval", decision="denied", gen_ai__tool__call__id="a"),
        line("approval", decision="allowed", gen_ai__tool__call__id="never begun"),
        line("approval", decision="denied"),
    )
    assert found["tool_calls"] == 0
    names = ("asked", "allowed", "denied")
    assert [found[f"tool_approvals_{name}"] for name in names] == [1, 1, 2]
    assert found["warnings"] == []


def test_a_call_without_an_end_is_none_and_is_told(tracked):
    found = tracked(line("tool.start", gen_ai__tool__call__id="a"))
    assert found["tool_calls"] == 0
    assert found["warnings"] == ["1 call had no end when the session ended"]


def test_unknown_keys_and_empty_lines_do_no_harm(tracked):
    found = tracked(b"\n\r\n  \n", line("tool", vendor__anything={"deep": [1]}))
    assert (found["tool_calls"], found["warnings"]) == (1, [])


def test_lines_may_come_in_any_pieces(tracked):
    data = (json.dumps(REQUEST).encode() + b"\n") * 3
    found = tracked(*(data[at : at + 7] for at in range(0, len(data), 7)))
    assert found["model_usage"]["answering"]["requests"] == 3


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"not json", "JSON is malformed"),
        (b'{"type": "requ', "truncated"),
        (b"[1]", "Expected `object`, got `array`"),
        (b"{}", "missing required field `type`"),
        (line("fly"), "Invalid value 'fly'"),
        (b"\xff\xfe", "not valid UTF-8"),
        (b'{"type": "tool", "deep": ' + b"[" * 100_000, "recursion"),
        (line("request", gen_ai__usage__input_tokens=-5), "Expected `int` >= 0"),
        (line("request", gen_ai__usage__input_tokens=math.nan), "malformed"),
        (line("request", gen_ai__usage__output_tokens=10**30), "Expected `int` <= 1000000000000"),
        (line("request", rad__cost=-1), "Expected `float` >= 0"),
        (line("request", rad__cost=math.nan), "malformed"),
        (line("request", gen_ai__usage__cache_read__input_tokens=5), "input tokens include"),
        (line("request", gen_ai__request__model="m" * 300), "length <= 256"),
        (line("request", time="2026-01-02T03:04:05"), "timezone"),
        (line("tool", duration=-1), "Expected `float` >= 0"),
        (line("tool", duration=1e300), "Expected `float` <="),
        (line("tool.end", gen_ai__tool__call__id="x"), "no tool call 'x' has begun"),
        (line("tool.start"), "missing required field `gen_ai.tool.call.id`"),
        (line("approval", decision="maybe"), "Invalid enum value 'maybe'"),
        (b"x" * 10_000_000, "longer than 1,048,576 bytes"),
    ],
    ids=lambda value: value[:40] if isinstance(value, bytes) else None,
)
def test_a_bad_line_is_named_and_the_others_count(tracked, bad, reason):
    found = tracked(line("tool"), bad.rstrip(b"\n") + b"\n", line("tool"))
    assert found["tool_calls"] == 2
    (warning,) = found["warnings"]
    assert warning.startswith("Line 2 of the events is left out: ")
    assert reason in warning
    assert warning.isprintable()
    assert found["model_usage"] == {}


def test_a_call_that_begins_twice_is_a_bad_line(tracked):
    start = line("tool.start", gen_ai__tool__call__id="x")
    found = tracked(start, start, line("tool.end", gen_ai__tool__call__id="x"))
    assert found["tool_calls"] == 1
    assert found["warnings"] == [
        "Line 2 of the events is left out: the tool call 'x' has begun already"
    ]


def test_many_bad_lines_are_counted(tracked):
    warnings = tracked(b"bad\n" * 1_010, line("tool"))["warnings"]
    assert len(warnings) == 11
    assert warnings[-1] == "1,000 more lines of the events can't be read"


def test_an_event_of_10_mb_takes_no_more_memory_than_the_longest_line(recorder, metrics):
    chunk = b'"' + b"x" * 65_535
    with recorder() as session:
        reader = Reader(lambda: session)
        tracemalloc.start()
        for _ in range(160):
            reader.feed(chunk)
        reader.feed(b"\n" + line("tool"))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 3 * LONGEST_LINE
    assert metrics(session)["tool_calls"] == 1
    assert "longer than" in metrics(session)["warnings"][0]


def test_terminal_codes_in_a_bad_line_do_not_reach_a_terminal(tracked):
    (warning,) = tracked(line("\x1b[2J"))["warnings"]
    assert warning.isprintable()


@given(st.binary())
def test_no_bytes_break_a_session(tmp_path_factory, data):
    with SessionRecorder(tmp_path_factory.mktemp("any"), changes=False) as session:
        reader = Reader(lambda: session)
        reader.feed(data)
        reader.finish()


def test_a_file_is_read_while_it_grows(recorder, metrics, tmp_path, appears):
    path = tmp_path / "events.jsonl"
    path.touch()
    with recorder() as session:
        with Tail(path, session), path.open("ab") as file:
            file.write(line("tool")[:10])
            file.flush()
            file.write(line("tool")[10:])
            file.flush()
            appears(lambda: metrics(session)["tool_calls"] == 1)
            file.write(line("tool") + line("tool").rstrip(b"\n"))
        assert metrics(session)["end_time"] is None
    assert metrics(session)["tool_calls"] == 3


def test_an_agent_may_write_its_file_anew(recorder, metrics, tmp_path, appears):
    path = tmp_path / "events.jsonl"
    path.write_bytes(line("tool", gen_ai__tool__name="a long name"))
    with recorder() as session, Tail(path, session):
        appears(lambda: metrics(session)["tool_calls"] == 1)
        path.write_bytes(line("tool"))
    assert metrics(session)["tool_calls"] == 2


def test_the_schema_describes_every_event():
    made = schema()
    json.dumps(made)
    kinds = {definition["properties"]["type"]["enum"][0] for definition in made["$defs"].values()}
    assert kinds == {"request", "tool", "tool.start", "tool.end", "approval"}
    assert set(REQUEST) <= made["$defs"]["Request"]["properties"].keys()


def test_events_are_what_the_readme_shows(tracked, told_events):
    found = tracked(told_events)
    assert found["warnings"] == []
    assert found["tool_calls"] >= 1
    assert found["model_usage"]


@pytest.fixture
def told_events(request):
    text = (request.config.rootpath / "docs" / "events.md").read_text(encoding="utf-8")
    block = text.partition("```jsonl\n")[2].partition("```")[0]
    assert msgspec.json.decode(block.splitlines()[0])
    return block.encode()
