"""Claude Code's transcripts: which files count, and what is read from them."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.core import transcript
from rad_lsp.core.intervals import covered
from rad_lsp.core.tokens import Tokens
from rad_lsp.core.transcript import ToolRecord
from rad_lsp.sources.claude_code import ClaudeCode
from tests.sources import parsed
from tests.sources.parsed import calls, encoded, ran, tools

SESSION = "c1a0de00-0000-4000-8000-00000000000a"
OTHER = "c1a0de00-0000-4000-8000-00000000000b"
SONNET = "claude-sonnet-4-5-20250929"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PATH = f"projects/-work-app/{SESSION}.jsonl"
REFUSAL = (
    "The user doesn't want to proceed with this tool use. The tool use was rejected (eg. if it "
    "was a file edit, the new_string was NOT written to the file)."
)


def moment(seconds):
    """Seconds after noon as the agent writes them."""
    return (NOON + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")[:-6] + "Z"


def ms(seconds):
    return round((NOON.timestamp() + seconds) * 1000)


def record(seconds, kind, **more):
    return {
        "parentUuid": None,
        "isSidechain": False,
        "userType": "external",
        "cwd": "/work/app",
        "sessionId": SESSION,
        "version": "2.1.38",
        "gitBranch": "main",
        "type": kind,
        "uuid": f"u{seconds}",
        "timestamp": moment(seconds),
        **more,
    }


def usage(fresh=10, output=100, read=0, short=0, long=0, tier="standard", **more):
    return {
        "input_tokens": fresh,
        "cache_creation_input_tokens": short + long,
        "cache_read_input_tokens": read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": short,
            "ephemeral_1h_input_tokens": long,
        },
        "output_tokens": output,
        "service_tier": tier,
        **more,
    }


def answer(seconds, number, spent=None, content=(), model=SONNET, stop="end_turn", **more):
    message = {
        "model": model,
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "content": list(content),
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": usage() if spent is None else spent,
    }
    return record(seconds, "assistant", message=message, requestId=f"req_{number}") | more


def prompt(seconds, text="Do it.", **more):
    return record(seconds, "user", message={"role": "user", "content": text}, **more)


def use(number, name="Bash"):
    return {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {"command": "ls"}}


def result(seconds, number, told=None, *, error=None, content="…", **more):
    block = {"tool_use_id": f"toolu_{number}", "type": "tool_result", "content": content}
    if error is not None:
        block["is_error"] = error
    extra = {} if told is None else {"toolUseResult": told}
    message = {"role": "user", "content": [block]}
    return record(seconds, "user", message=message, **extra) | more


def called(number, begin, end, told=None, **more):
    """A tool call and its result."""
    return [
        answer(begin, f"call{number}", content=[use(number)], stop="tool_use"),
        result(end, number, told, **more),
    ]


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def read():
    """What a parser has after these records."""

    def fed(*lines, path=PATH):
        parser = ClaudeCode({}, Path("home")).parser(path)
        parser.feed(encoded(*lines))
        return parser

    return fed


@pytest.fixture
def session(read):
    """The only session in these records."""
    return lambda *lines: parsed.session("claude-code", read(*lines))


@pytest.fixture
def facts(read):
    """The facts of the only session in these records."""

    def of(*lines):
        (found,) = read(*lines).facts.values()
        return found

    return of


@pytest.fixture
def requests(read):
    return lambda *lines: list(read(*lines).requests.values())


@pytest.fixture
def cost(read):
    """USD for all requests in these records, by the price list."""
    return lambda *lines: parsed.cost(read(*lines))


def write(folder, name, *lines):
    path = folder / "projects" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(*lines))
    return str(path)


class TestFiles:
    def test_are_those_of_all_projects(self, home):
        source = ClaudeCode({}, home)
        main = write(home / ".claude", f"-work-app/{SESSION}.jsonl", prompt(0))
        agent = write(home / ".claude", f"-work-app/{SESSION}/subagents/agent-1.jsonl", prompt(0))
        deep = write(home / ".claude", f"-work-app/{SESSION}/subagents/x/agent-2.jsonl", prompt(0))
        older = write(home / ".claude", "-work-app/agent-3.jsonl", prompt(0))
        xdg = write(home / ".config" / "claude", f"-work-lib/{OTHER}.jsonl", prompt(0))
        write(home / ".claude", f"-work-app/{SESSION}/tool-results/1.txt", prompt(0))
        assert sorted(source.paths()) == sorted([main, agent, deep, older, xdg])
        assert all(source.by_line(path) for path in source.paths())

    def test_lie_where_the_variables_say(self, home, tmp_path):
        config = tmp_path / "config"
        path = write(config / "claude", f"-work-app/{SESSION}.jsonl", prompt(0))
        write(home / ".claude", f"-work-app/{OTHER}.jsonl", prompt(0))
        named = {"XDG_CONFIG_HOME": str(config), "CLAUDE_CONFIG_DIR": str(config / "claude")}
        assert list(ClaudeCode(named, home).paths()) == [path]
        assert len(list(ClaudeCode({"XDG_CONFIG_HOME": str(config)}, home).paths())) == 2

    def test_may_lie_in_several_folders(self, home, tmp_path):
        one = write(tmp_path / "one", f"-work-app/{SESSION}.jsonl", prompt(0))
        two = write(home / "two", f"-work-app/{OTHER}.jsonl", prompt(0))
        source = ClaudeCode({"CLAUDE_CONFIG_DIR": f"{tmp_path / 'one'}, ~/two,"}, home)
        assert list(source.paths()) == [one, two]
        assert source.folders == (tmp_path / "one" / "projects", home / "two" / "projects")

    def test_come_once_whatever_links_lead_to_them(self, home):
        path = write(home / ".claude", f"-work-app/{SESSION}.jsonl", prompt(0))
        projects = home / ".claude" / "projects"
        try:
            (projects / "-work-app" / "loop").symlink_to(projects)
            (projects / "-linked").symlink_to(projects / "-work-app")
            (projects / "again.jsonl").symlink_to(path)
            (projects / "gone.jsonl").symlink_to(projects / "nothing")
        except OSError:
            pytest.skip("no symbolic links here")
        assert [Path(found).resolve() for found in ClaudeCode({}, home).paths()] == [
            Path(path).resolve()
        ]

    def test_are_none_without_a_folder(self, home):
        assert list(ClaudeCode({}, home).paths()) == []

    def test_are_none_that_are_no_files(self, home):
        write(home / ".claude", f"-work-app/{SESSION}.jsonl/inner.txt")
        if hasattr(os, "mkfifo"):
            os.mkfifo(home / ".claude" / "projects" / "pipe.jsonl")
        assert list(ClaudeCode({}, home).paths()) == []


class TestRequests:
    def test_hold_all_that_is_billed(self, requests):
        (recorded,) = requests(
            prompt(0), answer(3, 1, usage(10, 100, read=5000, short=300, long=700))
        )
        request = recorded.request
        assert (recorded.key, recorded.variant, recorded.session_id) == ("msg_1", "req_1", SESSION)
        assert (recorded.side, recorded.final, recorded.billed) == (False, True, True)
        assert (request.time, request.model, request.engine) == (ms(3), SONNET, "claude")
        assert (request.tier, request.cost, request.requests) == ("", None, 1)
        assert request.tokens == Tokens(10, 5000, 300, 700, 100)
        assert request.tokens.input == 6010

    def test_count_once_with_their_last_line_and_first_time(self, requests, cost):
        lines = [
            answer(1, 1, usage(1000, 1), stop=None),
            answer(2, 1, usage(1000, 2), stop=None),
            answer(5, 1, usage(1000, 400)),
        ]
        (recorded,) = requests(*lines)
        assert (recorded.request.time, recorded.request.tokens.output) == (ms(1), 400)
        assert recorded.final
        # 1,000 at $3 and 400 at $15 per million.
        assert cost(*lines) == pytest.approx(0.003 + 0.006)

    def test_have_the_most_output_whatever_the_order(self, requests):
        lines = [answer(1, 1, usage(output=400)), answer(2, 1, usage(output=2), stop=None)]
        (recorded,) = requests(*lines)
        assert recorded.request.tokens.output == 400
        assert recorded.final

    def test_of_the_same_output_have_the_later_usage(self, requests):
        (recorded,) = requests(answer(1, 1, usage(read=1)), answer(2, 1, usage(read=2)))
        assert recorded.request.tokens.cache_read == 2

    def test_may_lack_the_id_of_the_request(self, requests):
        first, again, other = answer(1, 1), answer(2, 1), answer(3, 2)
        for line in (first, again, other):
            del line["requestId"]
        assert [(recorded.key, recorded.variant) for recorded in requests(first, again, other)] == [
            ("msg_1", ""),
            ("msg_2", ""),
        ]

    def test_may_lack_the_id_of_the_message(self, requests):
        lines = [answer(1, 1), answer(2, 1), answer(3, 2)]
        for line in lines:
            del line["message"]["id"]
        assert [(recorded.key, recorded.variant) for recorded in requests(*lines)] == [
            ("req_1", "req_1"),
            ("req_2", "req_2"),
        ]

    def test_may_lack_both(self, requests):
        lines = [answer(1, 1), answer(2, 2)]
        for line in lines:
            del line["message"]["id"], line["requestId"]
        assert len({recorded.key for recorded in requests(*lines)}) == 2

    def test_pay_for_cache_writes_by_how_long_they_last(self, cost):
        # Per million: $3.75 for five minutes, $6 for an hour, $0.30 for reading.
        short = answer(1, 1, usage(0, 0, short=100_000))
        long = answer(1, 1, usage(0, 0, long=100_000))
        read = answer(1, 1, usage(0, 0, read=100_000))
        assert cost(short) == pytest.approx(0.375)
        assert cost(long) == pytest.approx(0.6)
        assert cost(read) == pytest.approx(0.03)

    @pytest.mark.parametrize("split", [None, {}, {"ephemeral_1h_input_tokens": 0}])
    def test_of_older_versions_write_for_five_minutes(self, requests, cost, split):
        line = answer(1, 1, usage(0, 0, short=100_000) | {"cache_creation": split})
        (recorded,) = requests(line)
        assert recorded.request.tokens.cache_write_5m == 100_000
        assert recorded.request.tokens.input == 100_000
        assert cost(line) == pytest.approx(0.375)

    def test_above_200_000_input_tokens_have_another_rate_each_by_itself(self, cost):
        # $6 and $22.50 instead of $3 and $15 per million, for the one request that is so large.
        large = answer(1, 1, usage(10_000, 1000, read=0, short=0) | {"input_tokens": 210_000})
        small = answer(2, 2, usage(110_000, 1000))
        more = answer(3, 3, usage(110_000, 1000))
        assert cost(large) == pytest.approx(1.26 + 0.0225)
        assert cost(small, more) == pytest.approx(0.66 + 0.03)

    def test_of_a_copied_history_have_the_same_names(self, read):
        mine = [prompt(0), answer(1, 1), answer(2, 2)]
        copies = [line | {"sessionId": OTHER} for line in mine]
        original = read(*mine)
        forked = read(*copies, answer(9, 3) | {"sessionId": OTHER}, path=f"{OTHER}.jsonl")
        assert list(original.requests) == [("msg_1", "req_1"), ("msg_2", "req_2")]
        assert list(forked.requests) == [*original.requests, ("msg_3", "req_3")]
        assert {recorded.session_id for recorded in forked.requests.values()} == {OTHER}
        assert forked.requests["msg_1", "req_1"].request.time == ms(1)

    def test_of_a_sub_agent_belong_to_its_parent(self, read):
        lines = [
            prompt(0, isSidechain=True, agentId="a1"),
            answer(1, 1, isSidechain=True, agentId="a1"),
        ]
        parser = read(*lines, path=f"projects/-work-app/{SESSION}/subagents/agent-a1.jsonl")
        assert list(parser.facts) == [SESSION]
        (recorded,) = parser.requests.values()
        assert (recorded.session_id, recorded.side) == (SESSION, True)

    def test_of_a_side_question_are_copies_of_the_parents(self, requests):
        (own,) = requests(answer(1, 1))
        (replayed,) = requests(answer(1, 1, isSidechain=True, requestId="req_side"))
        assert (own.key, own.side) == (replayed.key, not replayed.side)
        assert own.variant != replayed.variant

    @pytest.mark.parametrize(
        "line",
        [
            answer(1, 1, model="<synthetic>"),
            answer(1, 1, isApiErrorMessage=True),
            answer(1, 1) | {"type": "progress"},
            record(1, "progress", data={"type": "agent_progress", "message": answer(1, 1)}),
            record(1, "assistant", message={"role": "assistant", "content": "…"}),
            record(1, "user", message={"role": "user", "content": "…", "usage": usage()}),
        ],
        ids=["synthetic", "error", "progress", "agent", "no usage", "user"],
    )
    def test_are_none_that_no_model_answered(self, requests, line):
        assert requests(line) == []

    def test_that_were_never_finished_say_so(self, read):
        parser = read(answer(1, 1, stop=None), answer(2, 1, stop=None), answer(3, 2))
        recorded = list(parser.requests.values())
        assert [one.final for one in recorded] == [False, True]
        found = parsed.session("claude-code", parser)
        assert any("lower bounds" in problem.message for problem in found.problems)

    @pytest.mark.parametrize(
        ("told", "tier"),
        [
            ({"service_tier": "standard"}, ""),
            ({"service_tier": None}, ""),
            ({"service_tier": "batch"}, "batch"),
            ({"service_tier": "priority", "speed": "standard"}, "priority"),
            ({"service_tier": "standard", "speed": "fast"}, "fast"),
        ],
    )
    def test_have_the_tier_that_they_were_served_in(self, requests, told, tier):
        (recorded,) = requests(answer(1, 1, usage() | told))
        assert recorded.request.tier == tier

    def test_without_a_model_are_of_an_unknown_one(self, requests):
        (recorded,) = requests(answer(1, 1, model=None))
        assert recorded.request.model == "unknown"

    def test_seen_in_two_pieces_of_a_file_are_one(self):
        parser = ClaudeCode({}, Path("home")).parser(PATH)
        parser.feed(encoded(answer(1, 1, usage(output=1), stop=None)))
        parser.feed(encoded(answer(2, 1, usage(output=70))))
        parser.feed(encoded(answer(3, 1, usage(output=3), stop=None)))
        (recorded,) = parser.requests.values()
        assert (recorded.request.time, recorded.request.tokens.output) == (ms(1), 70)
        assert recorded.final


class TestTools:
    def test_succeed_or_fail(self, read):
        parser = read(
            *called(1, 1, 2),
            *called(2, 3, 4, error=False),
            *called(3, 5, 6, error=True, content="Exit code 1\nno such file"),
        )
        assert calls(parser) == [("Bash", "ok"), ("Bash", "ok"), ("Bash", "failed")]
        assert ran(parser) == [(ms(1), ms(2)), (ms(3), ms(4)), (ms(5), ms(6))]
        assert tools(parser)[0] == ToolRecord(SESSION, "Bash", ms(1), 1000, "ok")
        found = parsed.session("claude-code", parser)
        assert (found.successful_tool_calls, found.failed_tool_calls) == (2, 1)
        assert (found.approvals_allowed, found.approvals_asked, found.problems) == (0, 0, ())

    def test_have_the_name_that_the_agent_called_them_by(self, read):
        parser = read(
            answer(1, 1, content=[use(1, "Read"), use(2, "mcp__github__search")]),
            result(3, 2),
            result(4, 1),
        )
        assert calls(parser) == [("mcp__github__search", "ok"), ("Read", "ok")]
        assert list(parser.tools) == [1, 2]

    @pytest.mark.parametrize("content", [REFUSAL, [{"type": "text", "text": REFUSAL}]])
    def test_that_the_user_refuses_are_denied_not_failed(self, read, content):
        told = "User rejected tool use"
        parser = read(*called(1, 1, 200, told, error=True, content=content))
        assert calls(parser) == [("Bash", "denied")]
        assert ran(parser) == []

    def test_without_a_result_do_not_count(self, read):
        parser = read(answer(1, 1, content=[use(1), use(2)]), result(3, 1))
        assert calls(parser) == [("Bash", "ok")]

    def test_run_as_long_as_they_say(self, read):
        parser = read(*called(1, 1, 30, {"durationMs": 4000.7}), *called(2, 40, 41, {"x": 1}))
        assert ran(parser) == [(ms(26), ms(30)), (ms(40), ms(41))]

    def test_in_parallel_are_answered_one_by_one(self, read):
        parser = read(
            answer(1, 1, content=[use(1)], stop=None),
            answer(1.5, 1, content=[{"type": "text", "text": "…"}, use(2)]),
            result(4, 2),
            result(5, 1),
        )
        assert calls(parser) == [("Bash", "ok")] * 2
        assert covered(ran(parser)) == 4000

    def test_count_once_though_their_result_is_repeated(self, read):
        assert calls(read(*called(1, 1, 2), result(3, 1))) == [("Bash", "ok")]

    @pytest.mark.parametrize("told", ["text", [{"type": "text"}], 1, 1.5, True, None])
    def test_may_tell_anything(self, read, told):
        lines = called(1, 1, 2)
        lines[1]["toolUseResult"] = told
        assert calls(read(*lines)) == [("Bash", "ok")]


class TestChanges:
    def test_are_counted_by_lines(self, session):
        hunks = [
            {"oldStart": 1, "lines": [" a", "-b", "+c", "+d"]},
            {"oldStart": 9, "lines": ["-e", " f"]},
        ]
        told = {"filePath": "/work/app/a.py", "structuredPatch": hunks}
        found = session(*called(1, 1, 2, told))
        assert (found.lines_added, found.lines_removed, found.files_changed) == (2, 2, 1)

    def test_of_a_new_file_are_its_lines(self, session):
        told = {"type": "create", "filePath": "a", "content": "1\n2\n3", "structuredPatch": []}
        found = session(*called(1, 1, 2, told))
        assert (found.lines_added, found.lines_removed, found.files_changed) == (3, 0, 1)

    def test_of_one_file_are_of_one_file(self, session):
        told = [
            {"filePath": path, "structuredPatch": [{"lines": ["+x"]}]} for path in ("a", "b", "a")
        ]
        found = session(
            *(line for n, one in enumerate(told) for line in called(n, n, n + 0.5, one))
        )
        assert (found.lines_added, found.files_changed) == (3, 2)

    def test_are_none_where_a_tool_only_reads(self, session):
        found = session(*called(1, 1, 2, {"type": "text", "filePath": "a", "content": "1\n2"}))
        assert (found.lines_added, found.files_changed) == (0, 0)

    def test_of_unknown_content_are_no_lines(self, session):
        told = {"filePath": "a", "content": {"x": 1}, "structuredPatch": []}
        found = session(*called(1, 1, 2, told))
        assert (found.lines_added, found.files_changed) == (0, 1)


class TestTime:
    def test_is_that_of_all_records(self, facts):
        found = facts(
            record(-5, "progress", data={"type": "hook_progress"}), prompt(4), answer(2, 1)
        )
        assert (found.start, found.end, found.ended) == (ms(-5), ms(4), False)

    def test_of_a_turn_is_what_the_agent_says(self, facts):
        found = facts(
            prompt(0),
            answer(5, 1),
            record(60, "system", subtype="turn_duration", durationMs=58_000),
            prompt(100),
            answer(130, 2),
        )
        assert found.active == [(ms(2), ms(60)), (ms(100), ms(130))]

    def test_of_a_turn_is_from_the_prompt_to_the_last_record(self, facts):
        found = facts(
            prompt(0),
            *called(1, 4, 9),
            answer(12, 2),
            record(50, "system", subtype="local_command", content="/mcp"),
            prompt(60),
            prompt(61, isMeta=True),
            answer(65, 3),
            record(400, "queue-operation", operation="enqueue"),
        )
        assert found.active == [(ms(0), ms(12)), (ms(60), ms(65))]

    def test_of_a_turn_may_have_no_prompt(self, facts):
        assert facts(answer(3, 1), answer(7, 2)).active == [(ms(3), ms(7))]

    def test_of_a_turn_is_not_parted_by_a_sub_agent_s_prompt(self, facts):
        found = facts(prompt(0), answer(1, 1), prompt(5, isSidechain=True), answer(9, 2))
        assert found.active == [(ms(0), ms(9))]

    def test_may_be_missing(self, read):
        lines = [prompt(0), answer(3, 1), *called(2, 4, 6)]
        del lines[1]["timestamp"], lines[3]["timestamp"]
        parser = read(*lines)
        (found,) = parser.facts.values()
        assert (found.start, found.end, calls(parser)) == (ms(0), ms(4), [("Bash", "ok")])

    def test_may_come_late(self, facts):
        lines = [prompt(0), answer(1, 1), answer(3, 2), answer(5, 3)]
        del lines[0]["timestamp"], lines[1]["timestamp"]
        found = facts(*lines)
        assert (found.start, found.end, found.active) == (ms(3), ms(5), [(ms(3), ms(5))])

    def test_may_be_of_no_record(self, facts):
        lines = [prompt(0), answer(1, 1)]
        del lines[0]["timestamp"], lines[1]["timestamp"]
        found = facts(*lines)
        assert (found.start, found.end, found.active) == (0, 0, [])


class TestPlace:
    def test_is_told_by_the_records(self, facts):
        summary = {"type": "summary", "summary": "…", "leafUuid": "u"}
        found = facts(summary, prompt(0), prompt(1, cwd="/elsewhere", gitBranch="x", version="3"))
        assert (found.session_id, found.cwd) == (SESSION, "/work/app")
        assert found.branch == "main"

    def test_of_two_sessions_in_a_file_are_two(self, read):
        there = {"sessionId": OTHER, "cwd": "/work/lib"}
        parser = read(
            prompt(0), answer(1, 1), prompt(5) | there, answer(7, 2) | there, answer(9, 3)
        )
        first, second = parser.facts.values()
        assert (first.cwd, first.start, first.end) == ("/work/app", ms(0), ms(9))
        assert (second.cwd, second.start, second.end) == ("/work/lib", ms(5), ms(7))
        assert [recorded.session_id for recorded in parser.requests.values()] == [
            SESSION,
            OTHER,
            SESSION,
        ]

    def test_of_records_without_a_session_is_the_file(self, read):
        lines = [prompt(0), answer(1, 1)]
        for line in lines:
            del line["sessionId"]
        parser = read({"type": "file-history-snapshot", "messageId": "m"}, *lines)
        assert list(parser.facts) == [SESSION]

    def test_is_none_without_records_of_a_session(self, read):
        parser = read({"type": "summary", "summary": "…"}, {"type": "ai-title", "title": "…"})
        assert (parser.facts, parser.requests, parser.progress.skipped) == ({}, {}, 0)


BAD = {
    "torn": b'{"type":"assistant","message":{"usage":{"input_to\n',
    "zeros": b"\0" * 500 + b"\n",
    "array": b'["assistant"]\n',
    "number": b"1\n",
    "text": b"hello\n",
    "UTF-16": '{"type":"user"}'.encode("utf-16-le") + b"\n",
    "deep": b'{"type":"user","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    "huge": encoded(answer(1, 1, usage() | {"input_tokens": 10**40})),
    "negative": encoded(answer(1, 1, usage() | {"output_tokens": -1})),
    "time": encoded(prompt(0) | {"timestamp": "yesterday"}),
    "local time": encoded(prompt(0) | {"timestamp": "2026-03-02T12:00:00"}),
}


class TestBadLines:
    @pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
    def test_cost_no_other_line(self, read, bad):
        good = [prompt(0), answer(1, 1), *called(2, 3, 4)]
        parser = read(good[0], bad, *good[1:])
        whole = read(*good)
        assert parser.facts == whole.facts
        assert parser.requests == whole.requests
        assert parser.tools == whole.tools != {}
        assert (parser.progress.skipped, [one.line for one in parser.progress.first_skipped]) == (
            1,
            [2],
        )
        assert parser.progress.first_skipped[0].reason

    @pytest.mark.parametrize(
        "line",
        [
            {"type": "new-thing", "message": "text", "timestamp": 5, "sessionId": {}},
            {"type": 5},
            {},
            b"\n",
            b"  \r\n",
        ],
    )
    def test_are_not_those_of_another_kind(self, read, line):
        parser = read(prompt(0), line, answer(1, 1))
        assert len(parser.requests) == 1
        assert parser.progress.skipped == (1 if line == {"type": 5} else 0)

    def test_are_shown_up_to_a_few(self, read):
        parser = read(*[b"bad\n"] * 4, prompt(0), *[b"bad\n"] * 4)
        assert parser.progress.skipped == 8
        assert [one.line for one in parser.progress.first_skipped] == [1, 2, 3, 4, 6]

    @pytest.mark.parametrize("text", [b"caf\xe9", b"\\ud83d", b"\xff\xfe"])
    def test_are_not_those_with_odd_characters(self, read, text):
        line = encoded(prompt(0, "TEXT"), answer(1, 1)).replace(b"TEXT", text)
        parser = read(line)
        assert (parser.progress.skipped, len(parser.requests)) == (0, 1)
        assert parser.facts[SESSION].active == [(ms(0), ms(1))]

    def test_of_a_long_text_are_good(self, read):
        assert read(prompt(0, "x" * 5_000_000), answer(1, 1)).progress.skipped == 0


EVENTFUL = [
    {"type": "file-history-snapshot", "messageId": "m", "snapshot": {"timestamp": moment(0)}},
    prompt(0),
    answer(1, 1, usage(output=1), stop=None),
    answer(2, 1, usage(output=90, long=100), content=[use(1), use(2)], stop="tool_use"),
    result(3, 1, {"durationMs": 500}),
    b"bad\n",
    result(4, 2, error=True, content=REFUSAL),
    answer(5, 2, isSidechain=True),
    record(6, "system", subtype="turn_duration", durationMs=5500),
    prompt(20) | {"sessionId": OTHER},
    answer(21, 3, content=[use(3)]) | {"sessionId": OTHER},
    answer(22, 3, usage(output=5), stop=None),
    result(24, 3, {"filePath": "a", "structuredPatch": [{"lines": ["+a", "-b"]}]}, sessionId=OTHER),
    prompt(30),
    answer(33, 4, content=[use(4)], stop=None),
    b'{"type":"assistant","message":5}\n',
    answer(35, 5),
]


class TestState:
    @given(st.lists(st.integers(0, len(EVENTFUL)), max_size=4))
    def test_goes_on_where_it_was_left(self, cuts):
        source = ClaudeCode({}, Path("home"))
        whole = source.parser(PATH)
        whole.feed(encoded(*EVENTFUL))
        state = None
        found, ended = {}, {}
        for begin, end in pairwise([0, *sorted(cuts), len(EVENTFUL)]):
            parser = source.parser(PATH, state)
            parser.feed(encoded(*EVENTFUL[begin:end]))
            ended |= parser.tools
            for name, recorded in parser.requests.items():
                found[name] = (
                    joined(found[name], recorded) if name in found else described(recorded)
                )
            state = parser.state()
        assert parser.facts == whole.facts
        assert parser.state() == whole.state()
        assert (parser.progress.skipped, parser.progress.first_skipped) == (
            whole.progress.skipped,
            whole.progress.first_skipped,
        )
        assert found == {name: described(recorded) for name, recorded in whole.requests.items()}
        assert ended == whole.tools

    @given(st.lists(st.integers(0, len(EVENTFUL)), max_size=4), st.permutations(EVENTFUL))
    def test_is_the_same_in_pieces_even_where_times_go_back(self, cuts, records):
        source = ClaudeCode({}, Path("home"))
        whole, parts = source.parser(PATH), source.parser(PATH)
        whole.feed(encoded(*records))
        for begin, end in pairwise([0, *sorted(cuts), len(records)]):
            parts.feed(encoded(*records[begin:end]))
        assert (parts.facts, parts.requests) == (whole.facts, whole.requests)
        assert parts.tools == whole.tools
        assert parts.state() == whole.state()

    def test_keeps_nothing_of_what_was_said(self, read):
        word = "xyzzy"
        parser = read(
            prompt(0, word),
            answer(1, 1, content=[{"type": "text", "text": word}, use(1)]),
            result(2, 1, {"stdout": word, "filePath": word, "structuredPatch": []}),
            result(3, 2, word, content=word),
        )
        assert word.encode() not in parser.state()

    def test_grows_little(self, read):
        parser = read(*(line for n in range(100) for line in called(n, n, n + 0.5)))
        assert len(parser.state()) < 100 * 25


def described(recorded):
    return (
        recorded.request.time,
        recorded.request.tokens.output,
        recorded.request.tokens.input,
        recorded.final,
    )


def joined(one, later):
    """As an index joins what two parsers of one file say of a request."""
    time, output, tokens, final = one
    more = described(later)
    if more[1] >= output:
        output, tokens = more[1:3]
    return (min(time, more[0]), output, tokens, final or more[3])


RICH = [
    answer(2, 7, usage(speed="fast"), content=[use(7)], isApiErrorMessage=False),
    result(
        3,
        7,
        {"filePath": "a", "durationMs": 5, "content": "x", "structuredPatch": [{"lines": ["+"]}]},
        error=True,
        isMeta=False,
    ),
    record(6, "system", subtype="turn_duration", durationMs=5500),
]


@given(st.data())
def test_a_wrong_type_in_any_place_is_survived(altered, data):
    parser = ClaudeCode({}, Path("home")).parser(PATH)
    parser.feed(encoded(prompt(0), answer(1, 1), *altered(data, RICH), answer(9, 9)))
    assert {("msg_1", "req_1"), ("msg_9", "req_9")} <= parser.requests.keys()
    assert parser.facts[SESSION].end >= ms(9)
    again = ClaudeCode({}, Path("home")).parser(PATH, parser.state())
    assert again.facts == parser.facts
    rows, ended = parsed.spending(parser), parsed.ended(parser)
    transcript.session("claude-code", PATH, [parser.facts[SESSION]], rows, ended)


@given(st.binary(max_size=200), st.lists(st.binary(max_size=50), max_size=3))
def test_any_bytes_are_survived(first, more):
    parser = ClaudeCode({}, Path("home")).parser(PATH)
    for piece in (first, *more):
        parser.feed(piece + b"\n")
    parser.feed(encoded(answer(1, 1)))
    assert ("msg_1", "req_1") in parser.requests
