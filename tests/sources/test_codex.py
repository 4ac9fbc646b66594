"""Codex's transcripts: which files count, and what is read from them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.core.intervals import covered
from rad_lsp.core.tokens import Tokens
from rad_lsp.core.transcript import ToolRecord
from rad_lsp.sources._lines import NO_MODEL, UNKNOWN
from rad_lsp.sources.codex import NO_PARENT, Codex
from tests.sources import parsed
from tests.sources.parsed import calls, cost, encoded, only, ran, requests, tools

PARENT = "019a0000-0000-7000-8000-00000000000a"
CHILD = "019a0000-0000-7000-8000-00000000000b"
GRANDCHILD = "019a0000-0000-7000-8000-00000000000c"
NOWHERE = Path("nowhere")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def moment(seconds):
    """Seconds after noon as the agent writes them."""
    return (NOON + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def ms(seconds):
    return round((NOON.timestamp() + seconds) * 1000)


def line(seconds, kind, **payload):
    return {"timestamp": moment(seconds), "type": kind, "payload": payload}


def meta(seconds=0, thread=PARENT, **more):
    known = {"cwd": "/work/app", "cli_version": "0.104.0", "git": {"branch": "main"}}
    return line(seconds, "session_meta", id=thread, timestamp=moment(seconds), **known | more)


def turn(seconds, model="gpt-5"):
    return line(seconds, "turn_context", model=model, cwd="/work/app")


def event(seconds, kind, **more):
    return line(seconds, "event_msg", type=kind, **more)


def item(seconds, kind, **more):
    return line(seconds, "response_item", type=kind, **more)


def usage(tokens, cached=0, output=0, reasoning=0, **more):
    return {
        "input_tokens": tokens,
        "cached_input_tokens": cached,
        "output_tokens": output,
        "reasoning_output_tokens": reasoning,
        "total_tokens": tokens + output,
        **more,
    }


def tokens(seconds, total, last=None):
    info = {"total_token_usage": total, "last_token_usage": last or total}
    return event(seconds, "token_count", info=info, rate_limits=None)


def record(seconds, answer, used, thread=PARENT, **more):
    """The record of an answer's usage."""
    return line(
        seconds, "token_usage_record", response_id=answer, thread_id=thread, usage=used, **more
    )


def compacted(seconds, **more):
    return line(seconds, "compacted", message="", replacement_history=[], **more)


def call(seconds, call_id, result_at=None, output="done", name="shell", arguments="{}"):
    """A call and its result."""
    made = item(seconds, "function_call", name=name, call_id=call_id, arguments=arguments)
    if result_at is None:
        return [made]
    return [made, item(result_at, "function_call_output", call_id=call_id, output=output)]


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def source(home):
    return Codex({}, home)


@pytest.fixture
def write(home):
    """Writes a transcript; returns its path."""

    def written(*lines, thread=PARENT, folder="sessions/2026/03/02"):
        place = home / ".codex" / folder
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"rollout-2026-03-02T12-00-00-{thread}.jsonl"
        path.write_bytes(encoded(*lines))
        return str(path)

    return written


@pytest.fixture
def read(source, write):
    """Reads lines as a transcript."""

    def fed(*lines, thread=PARENT):
        path = write(*lines, thread=thread)
        parser = source.parser(path)
        with open(path, "rb") as file:  # noqa: PTH123  (a str, as every source gives it)
            parser.feed(file.read())
        return parser

    return fed


# Files


def test_transcripts_lie_below_the_home_folder_or_where_the_variable_says(home, write, tmp_path):
    path = write(meta())
    assert list(Codex({}, home).paths()) == [path]
    assert list(Codex({"CODEX_HOME": ""}, home).paths()) == [path]
    assert list(Codex({"CODEX_HOME": str(home / ".codex")}, tmp_path).paths()) == [path]
    assert list(Codex({}, tmp_path / "elsewhere").paths()) == []


def test_other_files_are_no_transcripts(home, source, write):
    path = write(meta())
    for name in ("notes.jsonl", "rollout-2026.json"):
        (home / ".codex" / "sessions" / name).write_bytes(b"{}")
    assert list(source.paths()) == [path]
    assert source.by_line(path)


def test_the_active_copy_of_an_archived_session_counts(source, write):
    active = write(meta())
    write(meta(), folder="archived_sessions")
    archived = write(meta(thread=CHILD), thread=CHILD, folder="archived_sessions")
    assert sorted(source.paths()) == sorted([active, archived])


def test_a_loop_of_links_ends_and_a_file_comes_once(home, source, write):
    path = write(meta())
    try:
        (home / ".codex" / "sessions" / "again").symlink_to(home / ".codex" / "sessions")
    except OSError:
        pytest.skip("no links here")
    assert list(source.paths()) == [path]


# What a session is


def test_a_session_says_where_it_ran(read):
    parser = read(meta(model_provider="openai"), turn(3))
    facts = only(parser)
    assert list(parser.facts) == [PARENT]
    assert (facts.session_id, facts.cwd, facts.branch) == (PARENT, "/work/app", "main")
    assert (facts.start, facts.end) == (ms(0), ms(3))
    assert not facts.ended


def test_without_a_description_the_file_name_says_which_session_it_is(read):
    parser = read(turn(1), tokens(2, usage(100, output=10)))
    assert only(parser).session_id == PARENT
    assert [recorded.session_id for recorded in parser.requests.values()] == [PARENT]


def test_an_empty_transcript_has_no_session(read):
    assert read().facts == {}


@pytest.mark.parametrize(
    ("provider", "engine"),
    [("openai", "codex"), (None, "codex"), ("ollama", "ollama"), ("oss", "local")],
)
def test_the_engine_is_the_provider_unless_it_is_the_usual_one(read, provider, engine):
    more = {"model_provider": provider} if provider else {}
    parser = read(meta(**more), turn(1, "gpt-oss:20b"), tokens(2, usage(100, output=10)))
    assert [recorded.request.engine for recorded in parser.requests.values()] == [engine]


def test_a_model_on_the_users_own_machine_costs_nothing(read):
    parser = read(
        meta(model_provider="ollama"), turn(1, "gpt-oss:20b"), tokens(2, usage(100, output=10))
    )
    assert cost(parser) == 0


# Tokens and money


def test_input_includes_cached_and_output_includes_reasoning(read):
    parser = read(
        meta(),
        turn(1),
        tokens(9, usage(1_000_000, cached=400_000, output=100_000, reasoning=60_000)),
    )
    (recorded,) = parser.requests.values()
    assert requests(parser) == [(1_000_000, 400_000, 100_000)]
    assert (recorded.request.time, recorded.request.model) == (ms(9), "gpt-5")
    # 0.6 M at $1.25, 0.4 M read from the cache at $0.125, 0.1 M of output at $10 a million.
    assert cost(parser) == pytest.approx(0.75 + 0.05 + 1.00)


def test_what_is_written_to_the_cache_is_part_of_the_input(read):
    total = usage(1_000, cached=300, output=10, cache_write_input_tokens=500)
    parser = read(meta(), turn(1), tokens(2, total))
    (recorded,) = parser.requests.values()
    assert recorded.request.tokens == Tokens(200, 300, 500, output=10)
    # gpt-5 has no rate of its own for that: 700 at $1.25, 300 at $0.125, 10 at $10 a million.
    assert cost(parser) == pytest.approx((700 * 1.25 + 300 * 0.125 + 10 * 10) / 1e6)


def test_more_cached_than_there_was_counts_as_all_of_it(read):
    parser = read(meta(), turn(1), tokens(2, usage(100, cached=150, output=1)))
    assert requests(parser) == [(100, 100, 1)]


def test_a_total_written_twice_is_one_request(read):
    first, second = usage(1_000, output=100), usage(2_500, cached=900, output=300)
    rest = usage(1_500, cached=900, output=200)
    parser = read(
        meta(),
        turn(1),
        tokens(2, first),
        tokens(2, first),
        tokens(8, second, rest),
        tokens(8, second, rest),
    )
    assert requests(parser) == [(1_000, 0, 100), (1_500, 900, 200)]
    # 1,600 at $1.25, 900 at $0.125, 300 at $10 a million.
    assert cost(parser) == pytest.approx((1_600 * 1.25 + 900 * 0.125 + 300 * 10) / 1e6)


def test_a_report_of_limits_alone_is_no_request(read):
    limits = event(2, "token_count", info=None, rate_limits={"primary": {"used_percent": 3}})
    assert read(meta(), turn(1), limits).requests == {}


def test_when_the_counter_begins_anew_the_last_request_counts(read):
    parser = read(
        meta(),
        turn(1),
        tokens(2, usage(5_000, output=500)),
        tokens(9, usage(800, output=80), usage(700, output=70)),
        tokens(12, usage(1_000, output=100), usage(200, output=20)),
    )
    assert requests(parser) == [(5_000, 0, 500), (700, 0, 70), (200, 0, 20)]


def test_a_compaction_counts_nothing_by_itself(read):
    total = usage(5_000, output=500)
    parser = read(
        meta(),
        turn(1),
        tokens(2, total),
        line(3, "compacted", message="", replacement_history=[]),
        event(3, "context_compacted"),
        tokens(3, total, usage(0, output=0, total_tokens=900)),
        tokens(8, usage(6_000, output=600), usage(1_000, output=100)),
    )
    assert requests(parser) == [(5_000, 0, 500), (1_000, 0, 100)]


def test_each_request_is_to_the_model_in_force(read):
    parser = read(
        meta(),
        turn(1, "gpt-5"),
        tokens(2, usage(100, output=10)),
        turn(3, "gpt-5.1-codex"),
        tokens(4, usage(300, output=30)),
    )
    models = [recorded.request.model for recorded in parser.requests.values()]
    assert models == ["gpt-5", "gpt-5.1-codex"]


def test_without_a_model_there_is_no_price(read):
    parser = read(meta(), tokens(2, usage(100, output=10)))
    (row,) = parsed.spending(parser)
    assert (row.model, row.cost) == (UNKNOWN, None)
    assert only(parser).notes == [NO_MODEL]


def test_each_request_is_priced_by_its_own_size(read):
    # Above 272,000 tokens of input the whole request costs more, below it nothing does.
    parser = read(
        meta(),
        turn(1, "gpt-5.5"),
        tokens(2, usage(200_000)),
        tokens(9, usage(500_000), usage(300_000)),
    )
    assert cost(parser) == pytest.approx(0.2 * 5 + 0.3 * 10)


def test_copies_of_a_session_have_the_same_keys(source, write):
    lines = (meta(), turn(1), tokens(2, usage(100, output=1)), tokens(3, usage(300, output=2)))
    keys = []
    for folder in ("sessions/2026/03/02", "archived_sessions"):
        path = write(*lines, folder=folder)
        parser = source.parser(path)
        parser.feed(encoded(*lines))
        keys.append(set(parser.requests))
    assert keys[0] == keys[1]
    assert len(keys[0]) == 2


# Records of usage

A = usage(1_000, output=100)
B = usage(2_000, cached=500, output=200)
C = usage(4_000, output=400)
AB = usage(3_000, cached=500, output=300)
ABC = usage(7_000, cached=500, output=700)
COMPACTION = usage(1_100, cached=1_000, output=50)
ESTIMATE = usage(300)
COUNTED_A, COUNTED_B, COUNTED_C = (1_000, 0, 100), (2_000, 500, 200), (4_000, 0, 400)
COUNTED_COMPACTION = (1_100, 1_000, 50)


@pytest.mark.parametrize(
    "lines",
    [
        (record(2, "a", A), tokens(2, A), record(8, "b", B), tokens(8, AB, B)),
        (tokens(2, A), record(2, "a", A), tokens(8, AB, B), record(8, "b", B)),
        (tokens(2, A), tokens(8, AB, B), record(8, "a", A), record(8, "b", B)),
        (record(2, "a", A), record(8, "b", B), tokens(9, A), tokens(9, AB, B)),
        (record(2, "a", A), record(8, "b", B), tokens(9, AB, B)),
        (record(2, "a", A), record(8, "b", B)),
        (record(2, "a", A), tokens(2, A), tokens(8, AB, B)),
        (tokens(2, A), turn(5), record(8, "b", B), tokens(8, AB, B)),
        (record(2, "a", A), tokens(8, AB, B)),
        (record(8, "b", B), tokens(8, AB, B)),
        (record(2, "a", A), record(2, "a", A), tokens(2, A), record(8, "b", B), tokens(8, AB, B)),
        (record(2, "a", A), tokens(2, A), record(8, "b", B), tokens(8, AB, B), record(9, "a", A)),
    ],
    ids=[
        "records first",
        "counts first",
        "counts first, all together",
        "records first, all together",
        "one count for two records",
        "records alone",
        "the second without a record",
        "the first without a record, before an update of the agent",
        "one count for two, the second without a record",
        "one count for two, the first without a record",
        "a record twice",
        "a record twice, and later",
    ],
)
def test_a_request_counts_once_by_its_record_and_its_count(read, lines):
    counted = requests(read(meta(), turn(1), *lines))
    assert sorted(counted) == [COUNTED_A, COUNTED_B]


def test_requests_alike_count_each_when_the_agent_is_updated_in_between(read):
    totals = [usage(1_000 * number, output=100 * number) for number in range(1, 5)]
    parser = read(
        meta(),
        turn(1),
        tokens(2, totals[0], A),
        tokens(8, totals[1], A),
        turn(100),
        record(105, "c", A),
        tokens(105, totals[2], A),
        record(109, "d", A),
        tokens(109, totals[3], A),
    )
    assert requests(parser) == [COUNTED_A] * 4
    assert [key for key, _ in parser.requests][2:] == ["c", "d"]


@pytest.mark.parametrize(
    "after",
    [
        (),
        (tokens(5, A, ESTIMATE),),
        (tokens(5, usage(300), ESTIMATE),),
        (tokens(5, usage(900, output=90), usage(300, output=7)),),
        (tokens(5, usage(2_100, cached=1_000, output=150), COMPACTION),),
    ],
    ids=["no count", "the same total", "an estimate", "a smaller total", "a total with it"],
)
@pytest.mark.parametrize("names", [{"compaction_response_id": "c"}, {}])
def test_a_compaction_counts_by_its_record(read, after, names):
    parser = read(
        meta(),
        turn(1),
        record(2, "a", A),
        tokens(2, A),
        record(4, "c", COMPACTION),
        compacted(4, **names),
        event(4, "context_compacted"),
        *after,
        record(8, "b", B),
        tokens(8, usage(9_000, cached=4_000, output=900), B),
    )
    grown = requests(parser)
    assert grown[:3] == [COUNTED_A, COUNTED_COMPACTION, COUNTED_B]


def test_a_compactions_record_is_no_part_of_the_next_count(read):
    parser = read(
        meta(),
        turn(1),
        record(4, "c", COMPACTION),
        compacted(4, compaction_response_id="c"),
        tokens(9, ABC, C),
    )
    assert requests(parser) == [COUNTED_COMPACTION, (7_000, 500, 700)]


@pytest.mark.parametrize("has_record", [True, False])
@pytest.mark.parametrize("has_count", [True, False])
def test_the_record_in_a_compaction_counts_where_its_own_is_missing(read, has_record, has_count):
    made = record(4, "c", A)
    lines = [made] if has_record else []
    if has_count:
        lines.append(tokens(4, A))
    parser = read(
        meta(),
        turn(1),
        *lines,
        turn(5),
        compacted(5, compaction_response_id="c", latest_token_usage_record=made["payload"]),
        record(8, "b", B),
        tokens(8, AB if has_count else B, B),
    )
    assert requests(parser) == [COUNTED_A, COUNTED_B]


def test_an_estimate_after_a_compaction_is_no_request_without_records_either(read):
    parser = read(meta(), turn(1), tokens(2, C), compacted(3), tokens(3, A, ESTIMATE))
    assert requests(parser) == [COUNTED_C]


def test_a_request_without_an_id_counts_once(read):
    lines = [
        record(2, None, A, thread_token_usage=A),
        record(2, None, A, thread_token_usage=A),
        tokens(2, A),
        record(8, "", A, thread_token_usage=usage(2_000, output=200)),
    ]
    assert requests(read(meta(), turn(1), *lines)) == [COUNTED_A] * 2
    alone = (record(2, "", A), record(8, "", B))
    assert requests(read(meta(), turn(1), *alone)) == [COUNTED_A, COUNTED_B]


def test_a_provider_that_gives_all_answers_one_id_hides_none(read):
    lines = (record(2, "id", A), tokens(2, A), record(8, "id", B), tokens(8, AB, B))
    assert requests(read(meta(), turn(1), *lines)) == [COUNTED_A, COUNTED_B]


@pytest.mark.parametrize(
    "bad", [{"usage": 5}, {"usage": {"input_tokens": -1}}, {"response_id": 5, "usage": A}]
)
def test_a_record_that_can_not_be_read_is_a_bad_line(read, bad):
    parser = read(meta(), turn(1), line(2, "token_usage_record", **bad), GOOD)
    assert (parser.progress.skipped, requests(parser)) == (1, [(100, 0, 10)])
    assert read(meta(), line(2, "token_usage_record")).progress.skipped == 0


# Service tiers


def settings(seconds, **more):
    return event(seconds, "thread_settings_applied", thread_settings=more)


def tiers(parser):
    return [recorded.request.tier for recorded in parser.requests.values()]


@pytest.mark.parametrize(
    ("told", "tier"),
    [
        ("priority", "priority"),
        ("Priority", "priority"),
        ("fast", "priority"),
        ("flex", "flex"),
        ("default", ""),
        ("auto", ""),
        ("standard", ""),
        ("", ""),
        (None, ""),
        (5, ""),
    ],
)
def test_the_service_tier_is_that_in_force(read, told, tier):
    a, b = tokens(2, A), tokens(8, AB, B)
    by_settings = read(meta(), turn(1), a, settings(5, service_tier=told), turn(6), b)
    assert tiers(by_settings) == ["", tier]
    by_turn = read(meta(), turn(1) | {"payload": {"model": "m", "service_tier": told}}, a)
    assert tiers(by_turn) == [tier]
    by_count = read(meta(), turn(1), event(2, "token_count", service_tier=told, info=INFO))
    assert tiers(by_count) == [tier]


INFO = {"total_token_usage": A, "last_token_usage": A}


def test_the_service_tier_that_is_told_last_counts(read):
    parser = read(
        meta(),
        settings(1, service_tier="priority"),
        turn(1),
        event(2, "token_count", service_tier="default", info=INFO),
        tokens(8, AB, B),
        settings(9, service_tier=None),
        turn(9),
        tokens(12, ABC, C),
    )
    assert tiers(parser) == ["", "priority", ""]


def test_a_count_tells_the_service_tier_of_a_request_with_a_record(read):
    parser = read(
        meta(),
        turn(1),
        record(2, "a", A),
        event(2, "token_count", service_tier="priority", info=INFO),
        record(8, "b", B),
        tokens(8, AB, B),
    )
    assert (tiers(parser), requests(parser)) == (["priority", ""], [COUNTED_A, COUNTED_B])


def test_settings_name_the_model_where_no_turn_does(read):
    lines = (settings(1, model="gpt-5"), tokens(2, A), turn(3, "gpt-5.5"), tokens(4, AB, B))
    models = [recorded.request.model for recorded in read(meta(), *lines).requests.values()]
    assert models == ["gpt-5", "gpt-5.5"]


# Sessions that begin with another's history

GOOD = tokens(2, usage(100, output=10))

HISTORY = (
    turn(1),
    *call(2, "a", 3, "Exit code: 0\nOutput:\n"),
    tokens(4, usage(1_000, output=100)),
    *call(5, "b", 6, "Exit code: 1\nOutput:\n"),
    tokens(7, usage(3_000, output=300), usage(2_000, output=200)),
)


def restamped(lines, seconds):
    """Copies as Codex writes them, all of one moment."""
    return [
        entry | {"timestamp": moment(seconds + 0.001 * number)}
        for number, entry in enumerate(lines)
    ]


def continued(**origin):
    """A session that begins with the history, and has a request and a call of its own."""
    return (
        meta(600, CHILD, **origin),
        meta(600),
        *restamped(HISTORY, 600),
        event(600.5, "user_message", message="…"),
        *call(604, "c", 606, "Exit code: 0\nOutput:\n"),
        tokens(607, usage(3_500, output=350), usage(500, output=50)),
    )


RECORDED = (
    turn(1),
    *call(2, "a", 3, "Exit code: 0\nOutput:\n"),
    record(4, "one", usage(1_000, output=100)),
    tokens(4, usage(1_000, output=100)),
    record(7, "two", usage(2_000, output=200)),
    tokens(7, usage(3_000, output=300), usage(2_000, output=200)),
)
"""The history with records."""

FORKED = {"forked_from_id": PARENT}
SPAWNED = {"source": {"subagent": {"thread_spawn": {"parent_thread_id": PARENT, "depth": 1}}}}


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("times", ["old", "new"])
def test_a_fork_is_a_session_of_its_own_without_what_it_copied(read, write, gone, times):
    if not gone:
        write(meta(), *HISTORY, tokens(9, usage(9_000, output=900)))
    lines = list(continued(**FORKED))
    if times == "old":
        lines[1 : 2 + len(HISTORY)] = [meta(), *HISTORY]
    parser = read(*lines, thread=CHILD)
    facts = only(parser)
    assert facts.session_id == CHILD
    assert requests(parser) == [(500, 0, 50)]
    assert calls(parser) == [("shell", "ok")]
    assert ran(parser) == [(ms(604), ms(606))]
    assert [record.session_id for record in tools(parser)] == [CHILD]
    assert (facts.start, facts.end) == (ms(600), ms(607))
    assert facts.notes == ([NO_PARENT] if gone else [])
    # 500 at $1.25 and 50 at $10 a million.
    assert cost(parser) == pytest.approx((500 * 1.25 + 50 * 10) / 1e6)


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("pace", [0.05, 0.9, 30])
def test_records_tell_what_was_copied_however_it_is_stamped(read, write, gone, pace):
    if not gone:
        write(meta(), *RECORDED)
    copied = [
        entry | {"timestamp": moment(600 + pace * number)} for number, entry in enumerate(RECORDED)
    ]
    parser = read(
        meta(600, CHILD, **FORKED),
        meta(600),
        *copied,
        *call(1_000, "c", 1_002),
        record(1_003, "three", usage(500, output=50), CHILD),
        tokens(1_003, usage(3_500, output=350), usage(500, output=50)),
        thread=CHILD,
    )
    assert requests(parser) == [(500, 0, 50)]
    assert ran(parser) == [(ms(1_000), ms(1_002))]
    assert only(parser).notes == []


@pytest.mark.parametrize("thread", [CHILD, None])
def test_a_copied_record_is_known_by_its_id_whatever_thread_it_names(read, write, thread):
    write(meta(), *RECORDED)
    copied = [
        entry | {"payload": entry["payload"] | {"thread_id": thread}}
        if entry["type"] == "token_usage_record"
        else entry
        for entry in restamped(RECORDED, 600)
    ]
    own = record(607, "three", usage(500, output=50), CHILD)
    parser = read(meta(600, CHILD, **FORKED), *copied, own, thread=CHILD)
    assert requests(parser) == [(500, 0, 50)]


def test_the_usage_of_another_thread_is_not_the_sessions_own(read):
    checkpoint = record(1, "one", A, CHILD)["payload"]
    parser = read(
        meta(),
        compacted(1, latest_token_usage_record=checkpoint),
        tokens(1, A),
        turn(2),
        record(9, "two", B),
        tokens(9, AB, B),
    )
    assert requests(parser) == [COUNTED_B]


def test_a_sub_agents_first_record_is_its_own(read, write):
    write(meta(), *RECORDED)
    lines = (turn(600.2), record(600.4, "three", B, CHILD), tokens(600.4, AB, B))
    parser = read(meta(600, CHILD, **SPAWNED), *lines, thread=CHILD)
    assert (only(parser).session_id, requests(parser)) == (PARENT, [COUNTED_B])


def test_what_follows_closely_is_copied_too_when_the_parent_is_gone(read):
    copies = [tokens(600 + 0.05 * n, usage(10 * n, output=n), A) for n in range(1, 61)]
    own = tokens(630, usage(700, output=160), usage(100, output=100))
    parser = read(meta(600, CHILD, **FORKED), turn(600), *copies, own, thread=CHILD)
    assert (requests(parser), only(parser).notes) == ([(100, 0, 100)], [NO_PARENT])


@pytest.mark.parametrize("origin", [SPAWNED, {"parent_thread_id": PARENT}])
def test_a_sub_agent_counts_with_its_parent(read, write, origin):
    write(meta(), *HISTORY)
    parser = read(*continued(**origin), thread=CHILD)
    assert only(parser).session_id == PARENT
    assert [recorded.session_id for recorded in parser.requests.values()] == [PARENT]
    assert requests(parser) == [(500, 0, 50)]


def test_a_sub_agents_requests_are_not_its_parents(source, read, write):
    path = write(meta(), *HISTORY)
    parser = source.parser(path)
    parser.feed(encoded(meta(), *HISTORY))
    child = read(*continued(**SPAWNED), thread=CHILD)
    assert not set(parser.requests) & set(child.requests)


def test_a_sub_agents_sub_agent_counts_with_the_session(read, write):
    write(meta(), *HISTORY)
    write(*continued(**SPAWNED), thread=CHILD)
    origin = {"source": {"subagent": {"thread_spawn": {"parent_thread_id": CHILD}}}}
    parser = read(meta(700, GRANDCHILD, **origin), turn(701), thread=GRANDCHILD)
    assert only(parser).session_id == PARENT


def test_a_sub_agent_may_say_itself_which_session_it_belongs_to(read):
    origin = {"source": {"subagent": {"thread_spawn": {"parent_thread_id": CHILD}}}}
    parser = read(meta(700, GRANDCHILD, session_id=PARENT, **origin), thread=GRANDCHILD)
    assert only(parser).session_id == PARENT


@pytest.mark.parametrize("origin", ["cli", 5, [], {"other": 5}, {"subagent": "review"}, None])
def test_a_session_of_another_origin_is_one_of_its_own(read, origin):
    parser = read(meta(source=origin), turn(1), GOOD)
    assert (list(parser.facts), parser.progress.skipped, requests(parser)) == (
        [PARENT],
        0,
        [(100, 0, 10)],
    )


def test_a_parents_bad_lines_hide_none_of_its_totals(read, write):
    quoted = '"token_count"'
    write(
        meta(),
        event(1, "user_message", message=quoted),
        b'{"token_count"\n',
        line(1, "other", token_count=quoted) | {"payload": quoted},
        item(1, "message", content=[quoted * 9_000]),
        event(1, "token_count", info=None),
        *HISTORY,
    )
    assert requests(read(*continued(**FORKED), thread=CHILD)) == [(500, 0, 50)]


def test_many_parents_are_read_each_for_its_own_children(read, write):
    for number in range(6):
        parent = f"{PARENT[:-1]}{number}"
        write(meta(thread=parent), *HISTORY[: 4 if number % 2 else None], thread=parent)
    for number in range(6):
        parser = read(*continued(forked_from_id=f"{PARENT[:-1]}{number}"), thread=CHILD)
        expected = [(2_000, 0, 200), (500, 0, 50)] if number % 2 else [(500, 0, 50)]
        assert requests(parser) == expected


def test_sub_agents_that_name_each_other_do_not_go_round_for_ever(read, write):
    origin = {"source": {"subagent": {"thread_spawn": {"parent_thread_id": GRANDCHILD}}}}
    write(meta(thread=CHILD, **origin), thread=CHILD)
    origin = {"source": {"subagent": {"thread_spawn": {"parent_thread_id": CHILD}}}}
    parser = read(meta(thread=GRANDCHILD, **origin), turn(1), thread=GRANDCHILD)
    assert only(parser).session_id in {CHILD, GRANDCHILD}


@pytest.mark.parametrize("gone", [False, True])
def test_a_sub_agent_without_its_parents_history_counts_from_its_first_request(read, write, gone):
    if not gone:
        write(meta(), *HISTORY)
    parser = read(
        meta(600, CHILD, **SPAWNED),
        turn(600.2),
        tokens(605, usage(700, output=70)),
        tokens(609, usage(1_500, output=90), usage(800, output=20)),
        thread=CHILD,
    )
    assert requests(parser) == [(700, 0, 70), (800, 0, 20)]


def test_a_total_that_was_inherited_unseen_is_not_counted(read):
    parser = read(
        meta(600, CHILD, **SPAWNED),
        turn(600.2),
        tokens(605, usage(90_000, output=9_000), usage(700, output=70)),
        thread=CHILD,
    )
    assert requests(parser) == [(700, 0, 70)]


def test_a_fork_within_a_history_inherits_what_lies_before_it(read, write):
    write(meta(), *HISTORY)
    parser = read(
        meta(600, CHILD, **FORKED),
        *restamped(HISTORY[:4], 600),
        tokens(607, usage(1_400, output=140), usage(400, output=40)),
        thread=CHILD,
    )
    assert requests(parser) == [(400, 0, 40)]


def test_a_parser_goes_on_within_the_copied_history(source, write):
    write(meta(), *HISTORY)
    lines = continued(**SPAWNED)
    path = write(*lines, thread=CHILD)
    for cut in range(len(lines) + 1):
        first = source.parser(path)
        first.feed(encoded(*lines[:cut]))
        second = Codex({}, source.folders[0].parent.parent).parser(path, first.state())
        second.feed(encoded(*lines[cut:]))
        assert requests(first) + requests(second) == [(500, 0, 50)]
        ended = first.tools | second.tools
        assert [(one.name, one.outcome) for one in ended.values() if one] == [("shell", "ok")]


# Tools


@pytest.mark.parametrize(
    ("output", "outcome"),
    [
        (json.dumps({"output": "…", "metadata": {"exit_code": 0, "duration_seconds": 0.2}}), "ok"),
        (
            json.dumps({"output": "…", "metadata": {"exit_code": 2, "duration_seconds": 0.2}}),
            "failed",
        ),
        ("Exit code: 0\nWall time: 1 seconds\nOutput:\nExit code: 1", "ok"),
        ("Exit code: 127\nWall time: 1 seconds\nOutput:\n", "failed"),
        ("Chunk ID: 1\nWall time: 1 seconds\nProcess exited with code 0\nOutput:\n", "ok"),
        ("Chunk ID: 1\nWall time: 1 seconds\nProcess exited with code -9\nOutput:\n", "failed"),
        ([{"type": "input_text", "text": "Exit code: 1\nOutput:\n"}], "failed"),
        ("Plan updated", "unknown"),
        ("{no json", "unknown"),
        ('{"metadata": {"exit_code": "0"}}', "unknown"),
        (17, "unknown"),
        (None, "unknown"),
    ],
)
def test_whether_a_call_failed_is_in_its_output(read, output, outcome):
    assert calls(read(meta(), *call(2, "a", 5, output))) == [("shell", outcome)]


def test_a_call_without_a_result_is_not_counted_yet(read):
    assert read(meta(), *call(2, "a")).tools == {}


def test_a_tool_takes_from_its_call_to_its_result(read):
    parser = read(meta(), *call(2, "a", 5), *call(7, "b", 8.5))
    assert ran(parser) == [(ms(2), ms(5)), (ms(7), ms(8.5))]
    assert parser.tools[1] == ToolRecord(PARENT, "shell", ms(2), 3_000, "unknown")


def test_a_call_written_with_its_result_took_as_long_as_that_says(read):
    output = json.dumps({"output": "", "metadata": {"exit_code": 0, "duration_seconds": 1.5}})
    assert ran(read(meta(), *call(9, "a", 9, output))) == [(ms(7.5), ms(9))]


@pytest.mark.parametrize(
    ("name", "waited"),
    [
        ("shell", False),
        ("update_plan", False),
        ("wait_agent", False),
        ("request_user_input", True),
        ("request_permissions", True),
        ("request_plugin_install", True),
    ],
)
def test_a_question_to_the_user_is_no_time_of_tools(read, name, waited):
    lines = (event(1, "task_started"), *call(2, "a", 62, name=name), event(70, "task_complete"))
    parser = read(meta(), *lines)
    assert [tool.waited for tool in tools(parser)] == [waited]
    found = parsed.session("codex", parser)
    seconds = 10**9
    assert found.tool_time == (0 if waited else 60 * seconds)
    assert found.agent_active_time == (9 if waited else 69) * seconds


def test_every_kind_of_tool_counts_once(read):
    parser = read(
        meta(),
        item(1, "custom_tool_call", call_id="a", name="apply_patch", input="", status="completed"),
        item(2, "custom_tool_call_output", call_id="a", output="Exit code: 0\nOutput:\n"),
        item(3, "local_shell_call", call_id="b", status="completed", action={"type": "exec"}),
        item(4, "function_call_output", call_id="b", output="Exit code: 1\nOutput:\n"),
        item(5, "web_search_call", status="completed", action={"type": "search"}),
        item(6, "web_search_call", status="failed"),
        event(6, "web_search_end", call_id="ws", query="…"),
        item(7, "tool_search_call", call_id="c", arguments={"query": "…"}),
        item(8, "tool_search_output", call_id="c", tools=[]),
    )
    assert calls(parser) == [
        ("apply_patch", "ok"),
        ("local_shell", "failed"),
        ("web_search", "ok"),
        ("web_search", "failed"),
        ("tool_search", "unknown"),
    ]
    found = parsed.session("codex", parser)
    assert (found.successful_tool_calls, found.failed_tool_calls) == (3, 2)
    assert (found.approvals_allowed, found.approvals_denied, found.approvals_asked) == (0, 0, 0)


MCP_FAILURES = [{"Err": "no such tool"}, {"Ok": {"content": [], "isError": True}}]


@pytest.mark.parametrize("result", MCP_FAILURES)
@pytest.mark.parametrize("event_first", [True, False])
def test_a_tool_of_a_server_fails_as_its_event_says(read, result, event_first):
    made, output = call(2, "a", 4, "some text")
    end = event(3.9, "mcp_tool_call_end", call_id="a", result=result)
    ends = [end, output] if event_first else [output, end]
    assert calls(read(meta(), made, *ends)) == [("shell", "failed")]


def test_a_tool_of_a_server_that_succeeds_is_known_to(read):
    made, output = call(2, "a", 4, "some text")
    end = event(3.9, "mcp_tool_call_end", call_id="a", result={"Ok": {"content": []}})
    assert calls(read(meta(), made, end, output)) == [("shell", "ok")]


# Lines

PATCH = """*** Begin Patch
*** Add File: new.py
+one
+two
*** Update File: src/old.py
*** Move to: src/moved.py
@@
-before
+after
 same
*** Delete File: gone.py
*** End Patch
"""


def test_changed_lines_are_those_of_the_patch_that_was_applied(read):
    changes = {
        "/work/app/new.py": {"type": "add", "content": "one\ntwo\n"},
        "/work/app/gone.py": {"type": "delete", "content": "a\nb\nc"},
        "/work/app/old.py": {
            "type": "update",
            "unified_diff": "--- a/old.py\n+++ b/old.py\n@@ -1,2 +1,2 @@\n-x\n+y\n z\n",
            "move_path": "/work/app/moved.py",
        },
    }
    parser = read(
        meta(),
        item(2, "custom_tool_call", call_id="a", name="apply_patch", input=PATCH),
        event(3, "patch_apply_end", call_id="a", success=True, changes=changes),
        item(3, "custom_tool_call_output", call_id="a", output="Exit code: 0\nOutput:\n"),
    )
    facts = only(parser)
    assert (facts.lines_added, facts.lines_removed) == (3, 4)
    assert len(facts.files) == 4
    assert calls(parser) == [("apply_patch", "ok")]


SHELL = json.dumps({"command": ["bash", "-lc", f"apply_patch << 'PATCH'\n{PATCH}PATCH"]})


@pytest.mark.parametrize(
    "made",
    [
        item(2, "custom_tool_call", call_id="a", name="apply_patch", input=PATCH),
        *call(2, "a", name="apply_patch", arguments=json.dumps({"input": PATCH})),
        *call(2, "a", name="shell", arguments=SHELL),
        *call(
            2, "a", name="exec_command", arguments=json.dumps({"cmd": f"apply_patch <<E\n{PATCH}E"})
        ),
    ],
)
def test_otherwise_they_are_those_of_the_patch_in_the_call(read, made):
    done = item(3, "function_call_output", call_id="a", output="Exit code: 0\nOutput:\n")
    facts = only(read(meta(), made, done))
    assert (facts.lines_added, facts.lines_removed, len(facts.files)) == (3, 1, 4)


def test_a_patch_that_failed_changes_nothing(read):
    made = item(2, "custom_tool_call", call_id="a", name="apply_patch", input=PATCH)
    end = event(3, "patch_apply_end", call_id="a", success=False, changes={})
    output = item(3, "custom_tool_call_output", call_id="a", output="no such file")
    for ends in ([end, output], [output, end]):
        parser = read(meta(), made, *ends)
        facts = only(parser)
        assert calls(parser) == [("apply_patch", "failed")]
        assert (facts.lines_added, facts.lines_removed) == (0, 0)


def test_a_patch_that_is_only_shown_changes_nothing(read):
    shown = json.dumps({"command": ["echo", PATCH]})
    facts = only(read(meta(), *call(2, "a", 3, "Exit code: 0\nOutput:\n", arguments=shown)))
    assert (facts.lines_added, facts.files) == (0, set())


def test_a_patch_applied_within_another_tool_counts_its_lines(read):
    changes = {"/work/app/new.py": {"type": "add", "content": "one\n"}}
    end = event(3, "patch_apply_end", call_id="inner", success=True, changes=changes)
    parser = read(meta(), end)
    facts = only(parser)
    assert (facts.lines_added, len(facts.files), parser.tools) == (1, 1, {})


def test_a_file_is_one_however_it_is_named(read):
    edit = "*** Begin Patch\n*** Update File: {}\n+x\n*** End Patch"
    lines = []
    for number, path in enumerate(("src/a.py", "./src/a.py", "/work/app/src/a.py")):
        made = item(2, "custom_tool_call", call_id=str(number), name="apply_patch")
        made["payload"]["input"] = edit.format(path)
        lines += [made, item(3, "custom_tool_call_output", call_id=str(number), output="")]
    facts = only(read(meta(), *lines))
    assert (facts.lines_added, len(facts.files)) == (3, 1)
    assert all(0 <= file < 2**63 for file in facts.files)


# Time


def test_the_agent_is_active_while_it_has_a_task(read):
    facts = only(
        read(
            meta(),
            event(1, "task_started"),
            event(1, "user_message", message="…"),
            event(5, "task_complete"),
            event(100, "task_started"),
            event(130, "turn_aborted", reason="interrupted"),
        )
    )
    assert covered(facts.active) == 34_000


def test_a_task_that_has_not_ended_counts_as_far_as_it_is_recorded(read, source):
    lines = [meta(), event(1, "task_started"), *call(2, "a", 4)]
    parser = read(*lines)
    assert only(parser).active == [(ms(1), ms(4))]
    parser.feed(encoded(event(9, "agent_message", message="…")))
    assert only(parser).active == [(ms(1), ms(9))]
    later = source.parser("", parser.state())
    later.feed(encoded(event(20, "task_complete")))
    assert only(later).active == [(ms(1), ms(20))]


def test_a_task_that_never_ended_ends_with_its_last_record(read):
    facts = only(
        read(
            meta(),
            event(1, "task_started"),
            event(6, "agent_message", message="…"),
            event(9_000, "task_started"),
            event(9_002, "task_complete"),
        )
    )
    assert facts.active == [(ms(1), ms(6)), (ms(9_000), ms(9_002))]


def test_the_end_of_a_task_may_say_how_long_it_took(read):
    facts = only(read(meta(), event(50, "task_complete", duration_ms=20_000)))
    assert facts.active == [(ms(30), ms(50))]


def test_older_sessions_work_from_a_prompt_to_the_last_record_before_the_next(read):
    facts = only(
        read(
            meta(),
            event(1, "user_message", message="…"),
            tokens(8, usage(100, output=10)),
            event(500, "user_message", message="…"),
            tokens(503, usage(200, output=20)),
        )
    )
    assert facts.active == [(ms(1), ms(8)), (ms(500), ms(503))]


# Bad lines


@pytest.mark.parametrize(
    "bad",
    [
        b"\0" * 400 + b"\n",
        b'{"timestamp":"2026-03-02T12:00:00Z","type":"event_msg","payload":{"type"\n',
        b"[1,2,3]\n",
        b"null\n",
        b'"event_msg"\n',
        encoded(line(1, "event_msg", type=7)),
        encoded(line(1, "event_msg") | {"timestamp": 5}),
        encoded(line(1, "event_msg") | {"timestamp": "yesterday"}),
        encoded(line(1, "event_msg") | {"payload": "text"}),
        encoded(event(1, "token_count", info=[])),
        encoded(event(1, "token_count", info={"total_token_usage": 5})),
        encoded(
            event(1, "token_count", info={"total_token_usage": usage(1) | {"input_tokens": "many"}})
        ),
        encoded(tokens(1, usage(-5))),
        encoded(tokens(1, usage(10**30))),
        encoded(turn(1, model=5)),
        encoded(item(1, "function_call", call_id=[])),
        encoded(event(1, "patch_apply_end", call_id="a", success="yes")),
        encoded(event(1, "mcp_tool_call_end", call_id="a", result={"Ok": 5})),
        '{"type":"event_msg"}'.encode("utf-16") + b"\n",
        b'{"type":"event_msg","payload":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    ],
)
def test_a_bad_line_is_counted_and_costs_no_other(read, bad):
    parser = read(meta(), turn(1), bad, GOOD)
    assert parser.progress.skipped == bad.count(b"\n")
    assert parser.progress.first_skipped[0].line == 3
    assert all(skipped.reason for skipped in parser.progress.first_skipped)
    assert requests(parser) == [(100, 0, 10)]


def test_a_description_that_can_not_be_read_is_no_reason_to_take_a_copy_for_it(read):
    parser = read(meta() | {"payload": {"id": 5}}, meta(thread=CHILD), turn(1), GOOD)
    assert (list(parser.facts), parser.progress.skipped, parser.progress.first_skipped[0].line) == (
        [PARENT],
        1,
        1,
    )


@pytest.mark.parametrize(
    "other",
    [
        line(1, "world_state", state=5),
        line(1, "world_state") | {"timestamp": 5, "payload": []},
        event(1, "something_new", info="text", result=5, changes=[]),
        item(1, "reasoning", summary=[], content=None, encrypted_content="…"),
        item(1, "image_generation_call", result="iVBOR", status="completed"),
        {"record_type": "state", "type": "older"},
    ],
)
def test_a_record_of_another_kind_is_passed_over(read, other):
    parser = read(meta(), turn(1), other, GOOD)
    assert (parser.progress.skipped, requests(parser)) == (0, [(100, 0, 10)])


def test_half_a_character_costs_no_figures(read):
    made = item(2, "function_call", name="shell", call_id="a", arguments="{}")
    done = b'{"timestamp":"2026-03-02T12:00:05Z","type":"response_item","payload":{"type":'
    done += b'"function_call_output","call_id":"a","output":"Exit code: 1\\nOutput:\\n\\ud83d"}}\n'
    parser = read(meta(), made, done)
    assert (parser.progress.skipped, calls(parser)) == (0, [("shell", "failed")])


def test_only_the_first_bad_lines_are_remembered(read):
    parser = read(meta(), *[b"{\n"] * 9)
    assert (parser.progress.skipped, [s.line for s in parser.progress.first_skipped]) == (
        9,
        [2, 3, 4, 5, 6],
    )


# Reading on

LINES = (
    meta(),
    turn(1),
    event(1, "task_started"),
    *call(2, "a"),
    tokens(3, usage(100, output=10)),
    tokens(3, usage(100, output=10)),
    item(4, "function_call_output", call_id="a", output="text"),
    event(4, "mcp_tool_call_end", call_id="a", result={"Err": "no"}),
    b"\0\0\0\n",
    item(5, "custom_tool_call", call_id="b", name="apply_patch", input=PATCH),
    event(6, "patch_apply_end", call_id="b", success=True),
    turn(7, "gpt-5.1-codex"),
    tokens(8, usage(50, output=5)),
    event(9, "task_complete"),
    event(20, "task_started"),
    tokens(22, usage(90, output=9), usage(40, output=4)),
    event(23, "thread_settings_applied", thread_settings={"service_tier": "flex"}),
    record(24, "r", usage(10, output=1)),
    record(24, "r", usage(10, output=1)),
    event(24, "token_count", info={"total_token_usage": usage(100, output=10)}),
    record(25, "c", usage(30, output=3)),
    line(25, "compacted", compaction_response_id="c"),
    tokens(25, usage(50, output=5), usage(7)),
    tokens(28, usage(90, output=9), usage(40, output=4)),
)


@given(st.sets(st.integers(0, len(LINES))))
def test_a_transcript_read_in_parts_is_the_same(cuts):
    source = Codex({}, NOWHERE)
    path = f"rollout-2026-03-02T12-00-00-{PARENT}.jsonl"
    whole = source.parser(path)
    whole.feed(encoded(*LINES))
    state, found, ended, parser = None, {}, {}, None
    places = [0, *sorted(cuts), len(LINES)]
    for start, end in pairwise(places):
        parser = source.parser(path, state)
        parser.feed(encoded(*LINES[start:end]))
        found |= parser.requests
        ended |= parser.tools
        state = parser.state()
    assert parser is not None
    assert (parser.facts, found) == (whole.facts, whole.requests)
    assert ended == whole.tools
    assert calls(whole) == [("shell", "failed"), ("apply_patch", "ok")]
    assert (parser.progress.skipped, parser.progress.first_skipped) == (
        whole.progress.skipped,
        whole.progress.first_skipped,
    )
    assert state == whole.state()


@given(st.lists(st.binary() | st.sampled_from([encoded(entry) for entry in LINES])))
def test_no_bytes_stop_a_parser(pieces):
    parser = Codex({}, NOWHERE).parser("x.jsonl")
    for piece in pieces:
        parser.feed(piece)
    parser.state()


def test_what_is_kept_between_reads_holds_no_words(read):
    words = "a sentence of the user"
    parser = read(
        meta(instructions=words),
        turn(1),
        event(1, "user_message", message=words),
        item(1, "custom_tool_call", call_id="a", name="apply_patch", input=f"{PATCH}{words}"),
        *call(2, "b", arguments=json.dumps({"command": words})),
        item(3, "function_call_output", call_id="b", output=words),
    )
    assert words.encode() not in parser.state()


def test_what_is_kept_between_reads_holds_no_id_of_a_tool_call(read):
    parser = read(meta(), turn(1), *call(2, "call_open"), *call(3, "call_ended", 4))
    assert b"call_" not in parser.state()


def test_a_tool_call_that_is_open_between_reads_is_known_by_its_id(source, write):
    lines = [meta(), turn(1), *call(2, "call_1", 4, name="exec_command")]
    path = write(*lines)
    first = source.parser(path)
    first.feed(encoded(*lines[:-1]))
    second = source.parser(path, first.state())
    second.feed(encoded(lines[-1]))
    assert [(tool.name, tool.duration) for tool in second.tools.values()] == [
        ("exec_command", 2000)
    ]


def limited(seconds, total, limits):
    """A token count with what is used of the plan."""
    info = {"total_token_usage": total, "last_token_usage": total}
    return event(seconds, "token_count", info=info, rate_limits=limits)


def percents(parser):
    """Of each window its name and what is used of it."""
    return [(window.name, window.used_percent) for window in parser.windows.values()]


def test_windows_are_named_by_their_length_wherever_they_stand(read):
    reset = int(NOON.timestamp()) + 600
    week = {"used_percent": 7, "window_minutes": 10_080, "resets_at": reset}
    parser = read(
        meta(),
        turn(1),
        limited(2, usage(100), {"primary": week, "secondary": None, "plan_type": "plus"}),
    )
    (window,) = parser.windows.values()
    assert (window.name, window.limit, window.plan, window.used_percent) == (
        "week", "codex", "plus", 7,
    )  # fmt: skip
    assert window.resets_at == NOON + timedelta(seconds=600)
    assert window.recorded_at == NOON + timedelta(seconds=2)


@pytest.mark.parametrize(
    "told", [{"resets_in_seconds": 598}, {"resets_at": "2026-03-02T12:10:00Z"}]
)
def test_a_reset_is_told_in_several_ways(read, told):
    window = {"used_percent": 7, "window_minutes": 300, **told}
    parser = read(meta(), turn(1), limited(2, usage(100), {"primary": window}))
    (found,) = parser.windows.values()
    assert found.resets_at == NOON + timedelta(seconds=600)


def test_a_second_record_of_one_total_has_the_newer_limits(read):
    first, second = ({"primary": {"used_percent": used}} for used in (1, 2))
    parser = read(meta(), turn(1), limited(2, usage(100), first), limited(3, usage(100), second))
    assert percents(parser) == [("primary", 2)]
    assert requests(parser) == [(100, 0, 0)]


def test_limits_without_usage_count(read):
    told = {"primary": {"used_percent": 3, "window_minutes": 300}}
    parser = read(meta(), turn(1), event(2, "token_count", info=None, rate_limits=told))
    assert percents(parser) == [("5h", 3)]


def test_limits_of_other_names_are_told_apart(read):
    told = [
        {"limit_id": name, "primary": {"used_percent": used, "window_minutes": 300}}
        for name, used in (("codex", 1), ("codex_spark", 2), (None, 3))
    ]
    parser = read(
        meta(), turn(1), *(limited(at, usage(100), one) for at, one in enumerate(told, 2))
    )
    assert [(one.limit, one.used_percent) for one in parser.windows.values()] == [
        ("codex", 3),
        ("codex_spark", 2),
    ]


@pytest.mark.parametrize(
    "window",
    [
        {"used_percent": 101},
        {"used_percent": -1},
        {"used_percent": "40"},
        {"used_percent": None},
        {},
        {"used_percent": 4, "window_minutes": 0},
        {"used_percent": 4, "window_minutes": 10**9},
        {"used_percent": 4, "resets_at": []},
        "full",
        [],
    ],
)
def test_a_window_that_can_not_be_read_is_counted_and_costs_nothing_else(read, window):
    good = {"used_percent": 4, "window_minutes": 10_080}
    told = {"primary": window, "secondary": good}
    parser = read(meta(), turn(1), limited(2, usage(100), told), tokens(3, usage(200)))
    assert percents(parser) == [("week", 4)]
    assert requests(parser) == [(100, 0, 0), (100, 0, 0)]
    (skipped,) = parser.progress.first_skipped
    assert (skipped.line, skipped.reason.split(": ")[:2]) == (3, ["rate_limits", "primary"])


@pytest.mark.parametrize("told", ["all", 3, [], {"limit_id": {}}, {"limit_id": "x" * 1000}])
def test_limits_of_another_form_are_counted(read, told):
    parser = read(meta(), turn(1), limited(2, usage(100), told))
    assert (parser.windows, parser.progress.skipped) == ({}, 1)
    assert requests(parser) == [(100, 0, 0)]


def test_a_fork_does_not_tell_the_limits_that_it_has_copied(read, write):
    old, new = ({"primary": {"used_percent": used}} for used in (90, 5))
    parent = [meta(), turn(1), limited(2, usage(100), old), limited(3, usage(200), old)]
    write(*parent, thread=PARENT)
    copied = [limited(600, usage(100), old), limited(600, usage(200), old)]
    child = read(meta(600, CHILD, **FORKED), *copied, limited(660, usage(300), new), thread=CHILD)
    assert percents(child) == [("primary", 5)]
    assert read(meta(600, CHILD, **FORKED), *copied, thread=CHILD).windows == {}


def test_credits_are_told_as_the_agent_writes_them(read):
    for told, shown in (
        ({"has_credits": True, "unlimited": False, "balance": "12.5"}, "12.5"),
        ({"has_credits": True, "unlimited": True, "balance": None}, "unlimited"),
        ({"has_credits": False, "unlimited": False, "balance": "0"}, ""),
    ):
        limits = {"primary": {"used_percent": 1}, "credits": told}
        (window,) = read(meta(), turn(1), limited(2, usage(100), limits)).windows.values()
        assert window.credits == shown
