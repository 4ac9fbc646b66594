"""Gemini CLI's transcripts: which files count, and what is read from them."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.core.intervals import covered
from rad_lsp.core.transcript import ToolRecord, hashed
from rad_lsp.sources._lines import NO_MODEL, UNKNOWN
from rad_lsp.sources.gemini_cli import GeminiCli
from tests.sources import parsed
from tests.sources.parsed import cost, encoded, only, ran, requests

SESSION = "0b000000-0000-4000-8000-00000000000a"
AGENT = "0b000000-0000-4000-8000-00000000000b"
NAME = "session-2026-03-02T12-00-0b000000"
NOWHERE = Path("nowhere")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def moment(seconds):
    """Seconds after noon as the agent writes them."""
    return (NOON + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def ms(seconds):
    return round((NOON.timestamp() + seconds) * 1000)


def head(seconds=0, session=SESSION, **more):
    return {
        "sessionId": session,
        "projectHash": "slug",
        "startTime": moment(seconds),
        "lastUpdated": moment(seconds),
        "kind": "main",
        **more,
    }


def user(seconds, number="u"):
    return {
        "id": f"{number}{seconds}",
        "timestamp": moment(seconds),
        "type": "user",
        "content": "…",
    }


def spent(tokens, output, cached=0, thoughts=0, tool=0):
    total = tokens + output + thoughts + tool
    return {
        "input": tokens,
        "output": output,
        "cached": cached,
        "thoughts": thoughts,
        "tool": tool,
        "total": total,
    }


def answer(seconds, number, tokens=None, calls=None, model="gemini-2.5-flash", **more):
    message = {
        "id": number,
        "timestamp": moment(seconds),
        "type": "gemini",
        "content": "…",
        "thoughts": [],
        "tokens": tokens,
        "model": model,
    }
    if calls is not None:
        message["toolCalls"] = calls
    return message | more


def call(seconds, status, name="read_file", **more):
    return {
        "id": f"{name}{seconds}",
        "name": name,
        "args": {"file_path": "a.py"},
        "status": status,
        "timestamp": moment(seconds),
        "resultDisplay": "…",
        **more,
    }


def edit(seconds, status="success", **display):
    shown = {"fileDiff": "", "fileName": "a.py", "filePath": "/work/app/a.py", **display}
    return call(seconds, status, name="replace", resultDisplay=shown)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def source(home):
    return GeminiCli({}, home)


@pytest.fixture
def write(home):
    """Writes a transcript; returns its path."""

    def written(*lines, name=f"{NAME}.jsonl", project="app"):
        path = home / ".gemini" / "tmp" / project / "chats" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(*lines))
        return str(path)

    return written


@pytest.fixture
def read(source, write):
    """Reads lines as a transcript."""

    def fed(*lines, **place):
        path = write(*lines, **place)
        parser = source.parser(path)
        parser.feed(encoded(*lines))
        return parser

    return fed


@pytest.fixture
def read_object(source, write):
    """Reads an older transcript."""

    def fed(*messages, session=SESSION, **more):
        content = json.dumps(head(session=session, messages=messages, **more), indent=2).encode()
        path = write(content, name=f"{NAME}.json")
        parser = source.parser(path)
        parser.feed(content)
        return parser

    return fed


# Files


def test_transcripts_lie_below_the_home_folder_or_where_the_variable_says(home, write, tmp_path):
    path = write(head())
    assert list(GeminiCli({}, home).paths()) == [path]
    assert list(GeminiCli({"GEMINI_CLI_HOME": ""}, home).paths()) == [path]
    assert list(GeminiCli({"GEMINI_CLI_HOME": str(home)}, tmp_path).paths()) == [path]
    assert list(GeminiCli({}, tmp_path / "elsewhere").paths()) == []


def test_only_chats_are_transcripts(home, source, write):
    path = write(head())
    project = home / ".gemini" / "tmp" / "app"
    (project / "logs.json").write_bytes(b"[]")
    (project / "chats" / "notes.json").write_bytes(b"{}")
    (project / "other").mkdir()
    (project / "other" / "session-1.jsonl").write_bytes(b"{}")
    (home / ".gemini" / "tmp" / "file").write_bytes(b"")
    assert list(source.paths()) == [path]


def test_of_a_resumed_session_the_lines_count_and_not_the_object(source, write):
    write(head(messages=[]), name=f"{NAME}.json")
    lines = write(head())
    alone = write(head(messages=[]), name="session-2026-01-01T00-00-0c000000.json")
    assert sorted(source.paths()) == sorted([lines, alone])
    assert source.by_line(lines)
    assert not source.by_line(alone)


def test_a_loop_of_links_ends_and_a_file_comes_once(home, source, write):
    path = write(head())
    tmp = home / ".gemini" / "tmp"
    try:
        (tmp / "zzz").symlink_to(tmp / "app")
        (tmp / "app" / "chats" / "again").symlink_to(tmp / "app" / "chats")
    except OSError:
        pytest.skip("no links here")
    assert list(source.paths()) == [path]


# Projects


def test_a_projects_folder_is_in_its_own_file(home, read):
    project = home / ".gemini" / "tmp" / "app"
    project.mkdir(parents=True)
    (project / ".project_root").write_text("/work/app\n", encoding="utf-8")
    assert only(read(head())).cwd == "/work/app"


@pytest.mark.parametrize("name", ["app", hashlib.sha256(b"/work/app").hexdigest()])
def test_or_in_the_list_of_projects(home, read, name):
    (home / ".gemini").mkdir(parents=True)
    listed = {"projects": {"/work/other": "other", "/work/app": "app"}}
    (home / ".gemini" / "projects.json").write_text(json.dumps(listed), encoding="utf-8")
    assert only(read(head(), project=name)).cwd == "/work/app"


@pytest.mark.parametrize("listed", [None, b"", b"[]", b'{"projects": {"/work/app": 5}}', b"\xff"])
def test_otherwise_its_hash_tells_whether_it_is_a_known_folder(home, read, listed):
    folder = home / "work"
    digest = hashlib.sha256(str(folder).encode()).hexdigest()
    if listed is not None:
        (home / ".gemini").mkdir(parents=True)
        (home / ".gemini" / "projects.json").write_bytes(listed)
    assert hashed(str(folder)) == f"sha256:{digest}"
    assert only(read(head(), project=digest)).cwd == hashed(str(folder))
    assert only(read(head(projectHash=digest), project="app")).cwd == hashed(str(folder))
    assert only(read(head(), project="app")).cwd == ""


def test_a_folder_that_becomes_known_later_is_taken(home, read, write):
    digest = hashlib.sha256(b"/work/app").hexdigest()
    parser = read(head(), project=digest)
    (home / ".gemini" / "tmp" / digest / ".project_root").write_bytes(b"/work/app")
    later = GeminiCli({}, home).parser(write(head(), project=digest), parser.state())
    assert only(later).cwd == "/work/app"


# What a session is


def test_a_session_is_described_in_the_first_line(read):
    parser = read(head(), user(5), {"$set": {"lastUpdated": moment(5)}})
    facts = only(parser)
    assert list(parser.facts) == [SESSION]
    assert (facts.session_id, facts.start, facts.end) == (SESSION, ms(0), ms(5))
    assert (facts.branch, facts.ended) == ("", False)


def test_an_empty_transcript_has_no_session(read):
    assert read().facts == {}


def test_a_sub_agent_counts_with_the_session_in_whose_folder_it_is(read):
    parser = read(
        head(session=AGENT, kind="subagent"),
        answer(3, "m1", spent(100, 10)),
        name=f"{SESSION}/{AGENT}.jsonl",
    )
    assert only(parser).session_id == SESSION
    (recorded,) = parser.requests.values()
    assert recorded.session_id == SESSION
    assert AGENT in recorded.key


# Tokens and money


def test_input_includes_cached_and_thoughts_are_billed_as_output(read):
    tokens = spent(1_000_000, 100_000, cached=400_000, thoughts=300_000)
    parser = read(head(), user(1), answer(9, "m1", tokens))
    (recorded,) = parser.requests.values()
    assert requests(parser) == [(1_000_000, 400_000, 400_000)]
    assert (recorded.request.time, recorded.request.engine) == (ms(9), "gemini")
    assert recorded.request.model == "gemini-2.5-flash"
    # 0.6 M at $0.30, 0.4 M read from the cache at $0.03, 0.4 M of output at $2.50 a million.
    assert cost(parser) == pytest.approx(0.18 + 0.012 + 1.00)


def test_what_a_providers_tool_gave_the_model_is_input_besides(read):
    parser = read(head(), answer(9, "m1", spent(1_000, 100, cached=900, tool=50)))
    assert requests(parser) == [(1_050, 900, 100)]


def test_each_request_is_priced_by_its_own_size(read):
    # Above 200,000 tokens of input the whole request costs more, below it nothing does.
    parser = read(
        head(),
        answer(2, "m1", spent(200_000, 0), model="gemini-2.5-pro"),
        answer(3, "m2", spent(300_000, 0), model="gemini-2.5-pro"),
    )
    assert cost(parser) == pytest.approx(0.2 * 1.25 + 0.3 * 2.50)


@pytest.mark.parametrize("lacking", [{"tokens": None}, {"type": "info"}, {"type": "error"}])
def test_a_message_without_usage_is_no_request(read, lacking):
    assert read(head(), answer(2, "m1", spent(1, 1)) | lacking).requests == {}


def test_counts_that_older_versions_do_not_write_are_none(read):
    tokens = {"input": 100, "output": 10, "cached": 0, "total": 110}
    assert requests(read(head(), answer(2, "m1", tokens))) == [(100, 0, 10)]


def test_without_a_model_there_is_no_price(read):
    parser = read(head(), answer(2, "m1", spent(100, 10), model=None))
    (row,) = parsed.spending(parser)
    assert (row.model, row.cost) == (UNKNOWN, None)
    assert only(parser).notes == [NO_MODEL]


def test_a_message_that_is_written_again_is_one_request(read):
    parser = read(
        head(),
        answer(2, "m1", spent(100, 1)),
        answer(5, "m2", spent(200, 20)),
        answer(3, "m1", spent(100, 10), calls=[call(4, "success")]),
    )
    assert requests(parser) == [(100, 0, 10), (200, 0, 20)]
    assert next(iter(parser.requests.values())).request.time == ms(2)
    assert parsed.calls(parser) == [("read_file", "ok")]


def test_what_is_taken_back_has_been_paid_for(read):
    parser = read(
        head(),
        user(1),
        answer(2, "m1", spent(100, 10), calls=[call(3, "success")]),
        {"$rewindTo": "u1"},
        user(60),
        answer(62, "m2", spent(300, 30)),
    )
    assert requests(parser) == [(100, 0, 10), (300, 0, 30)]
    assert parsed.calls(parser) == [("read_file", "ok")]
    assert only(parser).active == [(ms(1), ms(3)), (ms(60), ms(62))]


def test_a_list_of_messages_replaces_those_it_holds_and_takes_back_no_others(read):
    parser = read(
        head(),
        user(1),
        answer(2, "m1", spent(100, 10)),
        answer(4, "m2", spent(200, 20), calls=[call(5, "executing")]),
        {
            "$set": {
                "messages": [
                    user(1),
                    answer(4, "m2", spent(200, 25), calls=[call(6, "error")]),
                    answer(8, "m3", spent(400, 40)),
                ]
            }
        },
    )
    assert requests(parser) == [(100, 0, 10), (200, 0, 25), (400, 0, 40)]
    assert parsed.calls(parser) == [("read_file", "failed")]
    assert only(parser).active == [(ms(1), ms(8))]


def test_the_older_object_holds_the_same(read_object, read):
    messages = [
        user(1),
        answer(2, "m1", spent(100, 10, thoughts=5), calls=[call(3, "success")]),
        answer(4, "m2", spent(300, 30)),
    ]
    whole = read_object(*messages)
    lines = read(head(), *messages)
    assert requests(whole) == [(100, 0, 15), (300, 0, 30)]
    assert whole.requests == lines.requests
    assert whole.facts == lines.facts
    assert whole.tools == lines.tools != {}


def test_an_object_copied_into_lines_counts(read):
    parser = read(
        head(messages=[user(1), answer(2, "m1", spent(100, 10))]),
        answer(9, "m2", spent(300, 30)),
    )
    assert requests(parser) == [(100, 0, 10), (300, 0, 30)]


# Tools


def test_a_call_succeeded_failed_was_denied_or_has_not_ended(read):
    calls = [
        call(3, "success"),
        call(4, "error"),
        call(5, "cancelled"),
        call(6, "executing"),
        call(6, "awaiting_approval"),
    ]
    parser = read(head(), user(1), answer(2, "m1", spent(1, 1), calls=calls))
    assert parsed.calls(parser) == [
        ("read_file", "ok"),
        ("read_file", "failed"),
        ("read_file", "denied"),
    ]
    assert parser.tools[1] == ToolRecord(SESSION, "read_file", ms(2), 1_000, "ok")
    # They run from when the message was complete until their results were.
    assert ran(parser) == [(ms(2), ms(3)), (ms(2), ms(4)), (ms(2), ms(5))]
    assert covered(ran(parser)) == 3_000


@pytest.mark.parametrize("name", ["ask_user", "exit_plan_mode"])
@pytest.mark.parametrize("status", ["success", "cancelled"])
def test_tools_that_ask_the_user_wait(read, name, status):
    calls = [call(62, status, name=name), call(3, "success")]
    parser = read(head(), user(1), answer(2, "m1", spent(1, 1), calls=calls))
    assert [(tool.waited, tool.duration) for tool in parsed.tools(parser)] == [
        (True, 60_000),
        (False, 1_000),
    ]
    assert parsed.session("gemini-cli", parser).tool_time == 1_000_000_000


def test_the_last_state_of_a_call_counts(read):
    parser = read(
        head(),
        answer(2, "m1", spent(1, 1)),
        answer(2, "m1", spent(1, 1), calls=[call(3, "executing")]),
        answer(2, "m1", spent(1, 1), calls=[call(4, "success"), call(5, "cancelled")]),
        answer(2, "m1", spent(1, 1), calls=[call(4, "success"), call(5, "error")]),
    )
    assert parsed.calls(parser) == [("read_file", "ok"), ("read_file", "failed")]


def test_a_call_that_a_message_no_longer_has_is_taken_back(home, read, write):
    two = [call(4, "success"), edit(5)]
    parser = read(head(), answer(2, "m1", spent(1, 1), calls=two))
    assert parsed.calls(parser) == [("read_file", "ok"), ("replace", "ok")]
    assert len(only(parser).files) == 1
    again = answer(2, "m1", spent(1, 1), calls=two[:1])
    later = GeminiCli({}, home).parser(write(head()), parser.state())
    later.feed(encoded(again))
    assert parsed.calls(later) == [("read_file", "ok")]
    assert later.tools == {1: parser.tools[1], 2: None}
    assert only(later).files == set()


def test_changed_lines_are_those_that_the_model_changed(read):
    stat = {"model_added_lines": 7, "model_removed_lines": 2, "user_added_lines": 3}
    diff = "Index: b.py\n====\n--- b.py\tOld\n+++ b.py\tNew\n@@ -1 +1,2 @@\n-a\n+b\n+c\n"
    calls = [
        edit(3, diffStat=stat),
        edit(4, fileDiff=diff, filePath="/work/app/b.py"),
        edit(5, status="error", diffStat=stat),
        edit(6, status="cancelled", diffStat=stat, filePath="/work/app/c.py"),
    ]
    facts = only(read(head(), answer(2, "m1", spent(1, 1), calls=calls)))
    assert (facts.lines_added, facts.lines_removed, len(facts.files)) == (9, 3, 2)
    assert all(0 <= file < 2**63 for file in facts.files)


def test_a_file_is_one_however_it_is_named(home, read):
    project = home / ".gemini" / "tmp" / "app"
    project.mkdir(parents=True)
    (project / ".project_root").write_bytes(b"/work/app")
    calls = [edit(3), edit(4, filePath=""), edit(5, filePath="./a.py")]
    assert len(only(read(head(), answer(2, "m1", spent(1, 1), calls=calls))).files) == 1


# Time


def test_the_agent_is_active_from_a_prompt_to_its_last_answer(read):
    facts = only(
        read(
            head(),
            answer(0.5, "m0", spent(1, 1)),
            user(1),
            answer(3, "m1", spent(1, 1), calls=[call(4, "success")]),
            answer(8, "m2", spent(1, 1)),
            answer(3, "m1", spent(1, 1), calls=[call(4, "success")]),
            user(100),
            user(200),
            answer(210, "m3", spent(1, 1), calls=[call(230, "success")]),
            {"id": "i", "timestamp": moment(900), "type": "info", "content": "…"},
        )
    )
    assert facts.active == [(ms(1), ms(8)), (ms(200), ms(230))]
    assert covered(facts.active) == 37_000
    assert facts.end == ms(900)


# Bad lines

GOOD = answer(2, "m1", spent(100, 10))


@pytest.mark.parametrize(
    "bad",
    [
        b"\0" * 400 + b"\n",
        b'{"id":"m9","timestamp":"2026-03-02T12:00:00Z","type":"gemini","tokens":{\n',
        b"[1,2,3]\n",
        b"null\n",
        b'"gemini"\n',
        encoded({"sessionId": 5}),
        encoded({"$set": 5}),
        encoded({"$set": {"messages": 5}}),
        encoded({"$set": {"messages": [GOOD | {"id": 5}]}}),
        encoded({"$set": {"messages": ["text"]}}),
        encoded(GOOD | {"id": 5}),
        encoded(GOOD | {"timestamp": 5}),
        encoded(GOOD | {"timestamp": "yesterday"}),
        encoded(GOOD | {"type": 5}),
        encoded(GOOD | {"model": 5}),
        encoded(GOOD | {"tokens": 5}),
        encoded(GOOD | {"tokens": spent(1, 1) | {"input": "many"}}),
        encoded(GOOD | {"tokens": spent(-1, 1)}),
        encoded(GOOD | {"tokens": spent(10**30, 1)}),
        encoded(GOOD | {"toolCalls": 5}),
        encoded(GOOD | {"toolCalls": [5]}),
        encoded(GOOD | {"toolCalls": [{"status": 5}]}),
        json.dumps(GOOD).encode("utf-16") + b"\n",
        b'{"type":"gemini","toolCalls":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    ],
)
def test_a_bad_line_is_counted_and_costs_no_other(read, bad):
    parser = read(head(), user(1), bad, GOOD)
    assert (parser.progress.skipped, parser.progress.first_skipped[0].line) == (1, 3)
    assert parser.progress.first_skipped[0].reason
    assert requests(parser) == [(100, 0, 10)]


@pytest.mark.parametrize(
    "other",
    [
        {"id": 5, "type": "info"},
        {"id": "x", "timestamp": 5, "type": "something_new", "tokens": []},
        {"$set": {"messages": [{"id": 5, "type": "warning"}], "summary": 5}},
        {"$rewindTo": 5},
        answer(2, "m1", spent(100, 10), calls=[edit(3, diffStat=5) | {"args": 5, "result": 5}]),
    ],
)
def test_what_does_not_count_is_passed_over(read, other):
    parser = read(head(), user(1), other, GOOD)
    assert (parser.progress.skipped, requests(parser)) == (0, [(100, 0, 10)])


def test_half_a_character_costs_no_figures(read):
    cut = encoded(GOOD | {"content": "\ud83d"})
    parser = read(head(), cut)
    assert (parser.progress.skipped, requests(parser)) == (0, [(100, 0, 10)])


def test_a_message_without_a_time_has_the_last_known_one(read):
    message = {key: value for key, value in GOOD.items() if key != "timestamp"}
    (recorded,) = read(head(), user(1), message).requests.values()
    assert recorded.request.time == ms(1)
    assert read(message).requests == {}


def test_a_bad_message_in_an_object_is_counted_at_its_line(read_object):
    parser = read_object(user(1), GOOD | {"tokens": 5}, GOOD)
    assert requests(parser) == [(100, 0, 10)]
    # Six lines of description, the list's own, and six of the first message come before it.
    assert [skipped.line for skipped in parser.progress.first_skipped] == [14]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\0\0", b"\xff\xfe{\0"])
def test_an_object_that_can_not_be_read_is_one_bad_line(source, write, content):
    parser = source.parser(write(content, name=f"{NAME}.json"))
    parser.feed(content)
    assert (parser.facts, parser.progress.skipped) == ({}, bool(content))


# Reading on

LINES = (
    head(),
    user(1),
    answer(2, "m1", spent(100, 1)),
    answer(2, "m1", spent(100, 10), calls=[call(3, "executing"), edit(4)]),
    b"\0\0\0\n",
    answer(2, "m1", spent(100, 10), calls=[call(5, "success"), edit(4)]),
    answer(7, "m2", spent(200, 20)),
    {"$rewindTo": "m2"},
    user(30),
    {"$set": {"messages": [user(1), "bad", answer(40, "m3", spent(300, 30), model=None)]}},
    answer(2, "m1", spent(100, 5), calls=[call(5, "cancelled")]),
    answer(50, "m4", spent(400, 40)),
)


@given(st.sets(st.integers(0, len(LINES))))
def test_a_transcript_read_in_parts_is_the_same(cuts):
    source = GeminiCli({}, NOWHERE)
    path = str(NOWHERE / "chats" / f"{NAME}.jsonl")
    whole = source.parser(path)
    whole.feed(encoded(*LINES))
    state, found, ended, parser = None, {}, {}, None
    for start, end in pairwise([0, *sorted(cuts), len(LINES)]):
        parser = source.parser(path, state)
        parser.feed(encoded(*LINES[start:end]))
        ended |= parser.tools
        for key, recorded in parser.requests.items():
            found[key] = later(found.get(key), recorded)
        state = parser.state()
    assert parser is not None
    assert (parser.facts, found) == (whole.facts, whole.requests)
    assert ended == whole.tools
    assert (parser.progress.skipped, parser.progress.first_skipped) == (
        whole.progress.skipped,
        whole.progress.first_skipped,
    )
    assert state == whole.state()


def later(one, other):
    """The one that counts of two records of a request, the later one last."""
    if one is None or one == other:
        return other
    if other.request.tokens.output < one.request.tokens.output:
        return one
    assert other.request.time == one.request.time
    return other


@given(st.lists(st.binary() | st.sampled_from([encoded(entry) for entry in LINES])))
@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_no_bytes_stop_a_parser(suffix, pieces):
    parser = GeminiCli({}, NOWHERE).parser(f"x{suffix}")
    for piece in pieces:
        parser.feed(piece)
    parser.state()


def test_what_is_kept_between_reads_holds_no_words(read):
    words = "a sentence of the user"
    parser = read(
        head(summary=words),
        user(1) | {"content": words},
        answer(2, "m1", spent(1, 1), calls=[edit(3, newContent=words)], content=words),
    )
    assert words.encode() not in parser.state()
