"""Claude Code's transcripts: which files count, and what is read from them."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.core import transcript
from rad_lsp.core.intervals import covered
from rad_lsp.core.tokens import Tokens
from rad_lsp.core.transcript import ToolRecord
from rad_lsp.sources import _lines
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
        assert source.folders[:2] == (tmp_path / "one" / "projects", home / "two" / "projects")

    def test_are_those_of_the_desktop_app_too(self, home, tmp_path):
        roaming = tmp_path / "Roaming"
        places = (home / ".config", home / "Library" / "Application Support", roaming)
        found = []
        for number, place in enumerate(places):
            app = place / "Claude" / "local-agent-mode-sessions"
            local = app / "org" / "account" / f"local_{number}"
            found.append(write(local / ".claude", f"-work/{number}.jsonl", prompt(0)))
            agent = app / "org" / "account" / "agent" / f"local_{number}"
            sub_agent = f"-work/{number}/subagents/agent-1.jsonl"
            found.append(write(agent / ".claude", sub_agent, prompt(0)))
            for other in (local / "audit.jsonl", local / ".claude" / "history.jsonl"):
                other.write_bytes(encoded(prompt(0)))
            write(local / "outputs" / "app" / ".claude", "-work/copied.jsonl", prompt(0))
        # The app has a folder of its own, whatever the command line's is.
        source = ClaudeCode({"APPDATA": str(roaming), "CLAUDE_CONFIG_DIR": "/nowhere"}, home)
        assert sorted(source.paths()) == sorted(found)
        assert all(any(Path(path).is_relative_to(f) for f in source.folders) for path in found)

    def test_of_the_desktop_app_come_once_where_the_variable_names_them_too(self, home):
        config = home / ".config/Claude/local-agent-mode-sessions/org/account/local_1/.claude"
        path = write(config, f"-work-app/{SESSION}.jsonl", prompt(0))
        source = ClaudeCode({"CLAUDE_CONFIG_DIR": str(config)}, home)
        assert list(source.paths()) == [path]

    def test_are_what_tells_of_sessions_in_the_desktop_app_s_folder(self, home):
        source = ClaudeCode({}, home)
        local = home / ".config/Claude/local-agent-mode-sessions/org/account/local_1"
        assert source.ignores(str(local / "audit.jsonl"))
        assert source.ignores(str(local / "outputs" / "a.jsonl"))
        assert not source.ignores(str(local / ".claude" / "projects" / "-work" / "a.jsonl"))
        assert not source.ignores(str(home / ".claude" / "projects" / "-work" / "a.jsonl"))

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
            ("msg_1:10.0.0.0", ""),
            ("msg_2:10.0.0.0", ""),
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
            ({"inference_geo": "us"}, "us"),
            ({"inference_geo": "us", "speed": "fast"}, "fast+us"),
            ({"inference_geo": "us", "service_tier": "priority"}, "priority+us"),
            ({"inference_geo": "us", "speed": "fast", "service_tier": "batch"}, "batch+fast+us"),
            ({"inference_geo": "global"}, ""),
            ({"inference_geo": "not_available", "speed": "fast"}, "fast"),
            ({"inference_geo": None, "speed": None}, ""),
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


def advised(n, seconds=1, output=400, advice=4000, **more):
    """An answer that took two requests to its model, and one to an advisor between them."""
    own = {"type": "message", "input_tokens": 1000, "output_tokens": output // 2}
    advisor = {"type": "advisor_message", "model": "claude-opus-4-8", **usage(100_000, advice)}
    return answer(seconds, n, usage(2000, output, iterations=[own, advisor, own]), **more)


def iterated(*entries, **more):
    return answer(1, 1, usage(2000, 400, iterations=list(entries)), **more)


class TestIterations:
    def test_of_an_advisor_are_requests_to_its_own_model(self, requests):
        message, advisor = requests(advised(1))
        assert (message.key, advisor.key) == ("msg_1", "msg_1/1")
        assert (advisor.variant, advisor.side, advisor.final) == ("req_1", False, True)
        assert (message.request.model, advisor.request.model) == (SONNET, "claude-opus-4-8")
        assert message.request.tokens == Tokens(2000, 0, 0, 0, 400)
        assert advisor.request.tokens == Tokens(100_000, 0, 0, 0, 4000)
        assert (advisor.request.time, advisor.request.engine) == (ms(1), "claude")

    def test_have_cache_classes_of_their_own(self, requests):
        advisor = {"type": "advisor_message", "model": "m", **usage(1, 2, read=3, short=4, long=5)}
        assert requests(iterated(advisor))[1].request.tokens == Tokens(1, 3, 4, 5, 2)

    def test_of_a_compaction_are_requests_to_the_answers_model(self, requests):
        told = {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3500}
        _, own, named = requests(iterated(told, told | {"model": "m"}))
        assert (own.request.model, own.request.tokens.input) == (SONNET, 180_000)
        assert (named.key, named.request.model) == ("msg_1/2", "m")

    def test_count_once_for_all_records_of_an_answer(self, requests):
        records = [advised(1, 1, 2, 10, stop=None), advised(1, 2), advised(1, 3, 2, 10)]
        message, advisor = requests(*records, answer(4, 2), advised(1, 5))[:2]
        assert (message.request.tokens.output, advisor.request.tokens.output) == (400, 4000)
        assert len(requests(*records, answer(4, 2), advised(1, 5))) == 3

    def test_count_though_the_last_record_lacks_them(self, requests):
        assert len(requests(advised(1), answer(2, 1, usage(2000, 400)))) == 2

    def test_of_a_sub_agent_are_side_copies_as_its_messages_are(self, requests):
        assert [recorded.side for recorded in requests(advised(1, isSidechain=True))] == [True] * 2

    def test_of_an_unnamed_advisor_are_of_the_one_that_the_record_names(self, requests):
        told = {"type": "advisor_message", "input_tokens": 5, "output_tokens": 7}
        named = requests(iterated(told, advisorModel="claude-opus-4-8"))[1]
        assert named.request.model == "claude-opus-4-8"
        assert requests(iterated(told | {"model": None}))[1].request.model == "unknown"

    def test_of_an_advisor_are_not_fast_as_the_answer_is(self, requests):
        told = {"type": "advisor_message", "model": "m", "input_tokens": 5}
        line = iterated(told, {"type": "compaction", "input_tokens": 5})
        line["message"]["usage"] |= {"speed": "fast", "inference_geo": "us"}
        tiers = [recorded.request.tier for recorded in requests(line)]
        assert tiers == ["fast+us", "us", "fast+us"]

    @pytest.mark.parametrize(
        "told",
        [
            None,
            [],
            {},
            5,
            "advisor_message",
            {"type": "advisor_message"},
            [None, 5, "advisor_message", ["compaction"]],
            [{"type": "advisor_message", "input_tokens": "many"}],
            [{"type": "advisor_message", "model": 5, "input_tokens": 1}],
            [{"type": "message", "model": "compaction", "input_tokens": 5}],
            [{"type": "advisor_message_of_another_kind", "input_tokens": 5}],
            [{"type": ["compaction"]}],
        ],
    )
    def test_may_be_anything(self, read, told):
        parser = read(answer(1, 1, usage(iterations=told)))
        assert list(parser.requests) == [("msg_1", "req_1")]
        assert parser.progress.skipped == 0

    def test_that_can_be_read_count_beside_those_that_cannot(self, requests):
        told = {"type": "advisor_message", "model": "m", "input_tokens": 5}
        assert len(requests(iterated(5, {"type": "compaction", "output_tokens": -1}, told))) == 2


class TestSearches:
    def test_are_those_of_the_web_that_an_answer_took(self, requests):
        told = {"web_search_requests": 8, "web_fetch_requests": 3}
        (recorded,) = requests(answer(1, 1, usage(server_tool_use=told)))
        assert recorded.request.searches == 8

    def test_are_the_most_of_any_record_of_an_answer(self, requests):
        lines = [
            answer(n, 1, usage(output=output, server_tool_use={"web_search_requests": searches}))
            for n, output, searches in ((1, 1, 2), (2, 50, 8), (3, 50, 0), (4, 2, 3))
        ]
        for order in (lines, [lines[0], answer(9, 2), *lines[1:]], [*lines, answer(9, 2)]):
            assert requests(*order)[0].request.searches == 8
            assert requests(*order)[0].request.tokens.output == 50

    @pytest.mark.parametrize(
        "told", [None, {}, [], 5, "8", {"web_search_requests": None}, {"web_search_requests": "8"}]
    )
    def test_may_not_be_told(self, requests, told):
        (recorded,) = requests(answer(1, 1, usage(server_tool_use=told)))
        assert recorded.request.searches == 0


def relayed(seconds, spent, content=(), **more):
    """An answer of a relay that gives all messages one id, and none to requests."""
    line = answer(seconds, 1, spent, content, **more)
    line["message"]["id"] = "relay"
    del line["requestId"]
    return line


class TestRelays:
    def test_with_one_id_for_all_messages_have_requests_by_their_input(self, requests):
        spent = [usage(10), usage(20), usage(10, read=5), usage(10, short=5), usage(10, long=5)]
        found = requests(*(relayed(n, told) for n, told in enumerate(spent)))
        assert len({recorded.key for recorded in found}) == len(found) == 5

    def test_have_one_request_for_all_records_of_an_answer(self, requests):
        lines = [relayed(1, usage(10, 1), stop=None), relayed(2, usage(10, 90))]
        other = [relayed(3, usage(20, 1), stop=None), relayed(4, usage(20, 80))]
        interleaved = [lines[0], other[0], lines[1], other[1]]
        for records in (lines + other, interleaved):
            found = requests(*records)
            assert [one.request.tokens.output for one in found] == [90, 80]
            assert all(one.final for one in found)

    def test_have_the_same_requests_in_a_copied_file(self, read):
        lines = [relayed(1, usage(10)), relayed(2, usage(20))]
        copies = [line | {"sessionId": OTHER} for line in lines]
        own = read(*lines)
        assert read(*copies, path=f"{OTHER}.jsonl").requests.keys() == own.requests.keys()

    def test_that_name_requests_have_them_by_that(self, requests):
        found = requests(
            relayed(1, usage(10)) | {"requestId": "req_1"},
            relayed(2, usage(10)) | {"requestId": "req_2"},
            relayed(3, usage(99)) | {"requestId": "req_2"},
        )
        assert [(recorded.key, recorded.variant) for recorded in found] == [
            ("relay", "req_1"),
            ("relay", "req_2"),
        ]

    def test_in_a_sub_agent_are_told_apart_alike(self, requests):
        found = requests(*(relayed(n, usage(n), isSidechain=True) for n in (1, 2, 2)))
        assert len({recorded.key for recorded in found}) == 2

    def test_that_tell_the_input_only_at_the_end_have_one_request(self, requests):
        lines = [
            relayed(1, usage(0, 1), stop=None),
            relayed(2, usage(10, 90)),
            relayed(3, usage(0, 1), stop=None),
            relayed(4, usage(20, 80)),
        ]
        found = requests(*lines)
        assert [recorded.request.tokens.output for recorded in found] == [90, 80]
        assert [recorded.request.time for recorded in found] == [ms(1), ms(3)]

    def test_that_tell_nothing_yet_have_no_request(self):
        parser = ClaudeCode({}, Path("home")).parser(PATH)
        for line in (relayed(1, usage(0, 0), stop=None), relayed(2, usage(10, 90))):
            parser.feed(encoded(line))
        (recorded,) = parser.requests.values()
        assert recorded.request.tokens.output == 90

    def test_have_advisors_by_the_request_that_they_advised(self, requests):
        lines = [relayed(n, usage(n, iterations=[ADVICE])) for n in (1, 2)]
        assert len({recorded.key for recorded in requests(*lines)}) == 4

    def test_without_any_id_have_the_same_requests_in_a_fork(self, read):
        lines = [relayed(1, usage(10)), relayed(2, usage(10))]
        for line in lines:
            del line["message"]["id"]
        own = read(*lines)
        forked = read(*(line | {"sessionId": OTHER} for line in lines))
        assert len(own.requests) == 2
        assert forked.requests.keys() == own.requests.keys()


ADVICE = {"type": "advisor_message", "model": "m", "input_tokens": 7, "output_tokens": 3}


class TestTools:
    def test_succeed_or_fail(self, read):
        parser = read(
            *called(1, 1, 2),
            *called(2, 3, 4, error=False),
            *called(3, 5, 6, error=True, content="Exit code 1\nno such file"),
        )
        assert calls(parser) == [("Bash", "ok"), ("Bash", "ok"), ("Bash", "failed")]
        assert ran(parser) == [(ms(1), ms(2)), (ms(3), ms(4)), (ms(5), ms(6))]
        assert tools(parser)[0] == ToolRecord(
            SESSION, "Bash", ms(1), 1000, "ok", request="msg_call1"
        )
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

    def test_name_the_request_whose_answer_asked_for_them(self, read):
        parser = read(
            answer(1, 1, content=[use(1)]),
            relayed(2, usage(10), [use(2)]),
            relayed(3, usage(20), [use(3)]),
            result(4, 3),
            result(5, 1),
            result(6, 2),
        )
        asked = [tool.request for tool in tools(parser)]
        keys = [recorded.key for recorded in parser.requests.values()]
        assert asked == [keys[2], keys[0], keys[1]]
        assert len(set(keys)) == 3

    def test_name_it_though_their_result_is_read_later(self, read):
        before = read(relayed(2, usage(10), [use(2)]))
        after = ClaudeCode({}, Path("home")).parser(PATH, before.state())
        after.feed(encoded(result(5, 2)))
        (recorded,) = before.requests.values()
        assert [tool.request for tool in tools(after)] == [recorded.key]

    def test_that_an_earlier_version_left_open_end(self):
        # What it remembered of a call was its time and name.
        call = {_lines.text_hash("toolu_1"): [ms(1), "Bash"]}
        state = msgspec.msgpack.encode([[1, 0, []], [], call, 0])
        parser = ClaudeCode({}, Path("home")).parser(PATH, state)
        parser.feed(encoded(result(5, 1)))
        assert tools(parser) == [ToolRecord(SESSION, "Bash", ms(1), 4000, "ok")]

    @pytest.mark.parametrize("name", ["AskUserQuestion", "ExitPlanMode"])
    @pytest.mark.parametrize("more", [{}, {"error": True, "content": REFUSAL}])
    def test_that_ask_the_user_wait(self, read, name, more):
        parser = read(
            prompt(0),
            answer(1, 1, content=[use(1, name)]),
            result(61, 1, **more),
            *called(2, 62, 64),
        )
        asked, ran_after = tools(parser)
        assert (asked.waited, asked.duration, ran_after.waited) == (True, 60_000, False)
        found = parsed.session("claude-code", parser)
        assert found.tool_time == 2_000_000_000
        assert found.agent_active_time == 4_000_000_000

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
    advised(8, 7, 3, 5, stop=None),
    advised(8, 8),
    relayed(9, usage(10), [use(9)]),
    relayed(10, usage(20)),
    result(11, 9),
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

    def test_keeps_no_id_of_a_tool_call(self, read):
        parser = read(prompt(0), answer(1, 1, content=[use(1), use(2)]), result(2, 2))
        assert b"toolu_" not in parser.state()

    def test_knows_a_tool_call_by_its_id_once(self, read):
        state = read(prompt(0), answer(1, 1, content=[use(1)])).state()
        again = ClaudeCode({}, Path("home")).parser(PATH, state)
        again.feed(encoded(answer(2, 2, content=[use(1, "Read")]), result(3, 1), result(4, 1)))
        assert calls(again) == [("Read", "ok")]

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
    answer(
        2.5,
        6,
        usage(server_tool_use={"web_search_requests": 1}, inference_geo="us", iterations=[ADVICE]),
        advisorModel="m",
    ),
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
