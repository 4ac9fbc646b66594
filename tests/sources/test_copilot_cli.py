"""Copilot CLI's transcripts: which files count, and what is read from them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.core import transcript
from rad_lsp.core.tokens import Tokens
from rad_lsp.core.transcript import ToolRecord
from rad_lsp.sources.copilot_cli import CopilotCli
from tests.sources import parsed
from tests.sources.parsed import calls, encoded, ran

SESSION = "c0b17000-0000-4000-8000-00000000000a"
SONNET = "claude-sonnet-4.6"
HAIKU = "claude-haiku-4.5"
NOON = datetime(2026, 4, 23, 12, 0, tzinfo=UTC)
PATH = str(Path("session-state", SESSION, "events.jsonl"))


def moment(seconds):
    """Seconds after noon as the agent writes them."""
    return (NOON + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")[:-6] + "Z"


def ms(seconds):
    return round((NOON.timestamp() + seconds) * 1000)


def event(seconds, kind, **data):
    return {
        "type": kind,
        "data": data,
        "id": f"e{seconds}",
        "timestamp": moment(seconds),
        "parentId": None,
    }


def start(seconds=0, **more):
    context = {"cwd": "/work/app", "gitRoot": "/work/app", "branch": "main"}
    data = {"sessionId": SESSION, "version": 1, "copilotVersion": "1.0.34", "context": context}
    return event(seconds, "session.start", **data | more)


def resume(seconds):
    return event(seconds, "session.resume", resumeTime=moment(seconds), eventCount=9)


def model(seconds, name):
    return event(seconds, "session.model_change", newModel=name)


def answer(seconds, output, **more):
    message = {"messageId": f"m{seconds}", "content": "…", "toolRequests": []}
    return event(seconds, "assistant.message", outputTokens=output, **message, **more)


def call(seconds, number):
    name = {"toolCallId": f"toolu_{number}", "toolName": "bash"}
    return event(seconds, "tool.execution_start", **name, arguments={"command": "ls"})


def result(seconds, number, success=True, **more):  # noqa: FBT002  (as the agent has it)
    return event(
        seconds,
        "tool.execution_complete",
        toolCallId=f"toolu_{number}",
        model=SONNET,
        success=success,
        **more,
    )


def turn(begin, end, number="0"):
    return (
        event(begin, "assistant.turn_start", turnId=number),
        event(end, "assistant.turn_end", turnId=number),
    )


def spent(count, tokens, output, read=0, written=0):
    return {
        "requests": {"count": count, "cost": 1},
        "usage": {
            "inputTokens": tokens,
            "outputTokens": output,
            "cacheReadTokens": read,
            "cacheWriteTokens": written,
            "reasoningTokens": 7,
        },
    }


def shutdown(seconds, metrics, api=1000, added=0, removed=0, files=()):
    return event(
        seconds,
        "session.shutdown",
        shutdownType="routine",
        totalPremiumRequests=2,
        totalApiDurationMs=api,
        codeChanges={
            "linesAdded": added,
            "linesRemoved": removed,
            "filesModified": list(files),
        },
        modelMetrics=metrics,
    )


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def read():
    """What a parser has after these events."""

    def fed(*lines, path=PATH):
        parser = CopilotCli({}, Path("home")).parser(path)
        parser.feed(encoded(*lines))
        return parser

    return fed


@pytest.fixture
def facts(read):
    """The facts of the session in these events."""

    def of(*lines):
        (found,) = read(start(), *lines).facts.values()
        return found

    return of


@pytest.fixture
def requests(read):
    return lambda *lines: list(read(start(), *lines).requests.values())


def write(folder, name):
    path = folder / "session-state" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(start()))
    return str(path)


class TestFiles:
    def test_are_those_of_newer_and_older_versions(self, home):
        source = CopilotCli({}, home)
        newer = write(home / ".copilot", f"{SESSION}/events.jsonl")
        older = write(home / ".copilot", "older.jsonl")
        write(home / ".copilot", f"{SESSION}/other.jsonl")
        write(home / ".copilot", f"{SESSION}/files/events.jsonl")
        write(home / ".copilot", f"{SESSION}/workspace.yaml")
        assert sorted(source.paths()) == sorted([newer, older])
        assert source.by_line(newer)

    def test_lie_where_the_variable_says(self, home, tmp_path):
        path = write(tmp_path / "copilot", f"{SESSION}/events.jsonl")
        write(home / ".copilot", "other.jsonl")
        source = CopilotCli({"COPILOT_HOME": str(tmp_path / "copilot")}, home)
        assert list(source.paths()) == [path]
        assert source.folders == (tmp_path / "copilot" / "session-state",)

    def test_of_some_versions_lie_in_the_configuration(self, home, tmp_path):
        path = write(tmp_path / "config" / ".copilot", "older.jsonl")
        source = CopilotCli({"XDG_CONFIG_HOME": str(tmp_path / "config")}, home)
        assert list(source.paths()) == [path]

    def test_are_none_without_a_folder(self, home):
        assert list(CopilotCli({}, home).paths()) == []


class TestRequests:
    def test_of_a_run_are_told_at_its_end(self, requests):
        lines = [answer(5, 100), answer(9, 50)]
        (recorded,) = requests(*lines, shutdown(60, {SONNET: spent(2, 9000, 155, 6000, 1000)}))
        request = recorded.request
        assert (request.time, request.model, request.engine) == (ms(5), SONNET, "copilot")
        assert (request.requests, request.tokens) == (2, Tokens(2000, 6000, 1000, output=155))
        assert (request.tokens.input, recorded.is_sum) == (9000, True)
        assert (recorded.session_id, recorded.final, recorded.billed, recorded.side) == (
            SESSION,
            True,
            True,
            False,
        )
        assert request.cost is None

    def test_cost_what_the_list_says(self, read):
        parser = read(start(), shutdown(60, {SONNET: spent(2, 100_000, 1000, 80_000)}))
        (row,) = parsed.spending(parser)
        # $3 for input, $0.30 for what was read from the cache, $15 for output per million.
        assert row.cost == pytest.approx(0.06 + 0.024 + 0.015)
        assert row.requests == 2

    def test_are_as_large_as_they_are_on_average(self, read):
        # Above 200,000 input tokens of one request claude-sonnet-4.5 costs $6 and $22.50.
        metrics = spent(4, 400_000, 1000)
        (row,) = parsed.spending(read(start(), shutdown(9, {"claude-sonnet-4.5": metrics})))
        assert row.cost == pytest.approx(1.2 + 0.015)

    def test_of_each_model_are_apart(self, requests):
        found = requests(
            answer(5, 100), shutdown(60, {SONNET: spent(1, 10, 1), HAIKU: spent(3, 30, 3)})
        )
        assert [(one.request.model, one.request.requests) for one in found] == [
            (SONNET, 1),
            (HAIKU, 3),
        ]

    def test_of_a_run_that_goes_on_have_output_only(self, requests):
        (recorded,) = requests(model(1, SONNET), answer(5, 100), answer(9, 50))
        request = recorded.request
        assert (request.time, request.model, request.requests) == (ms(5), SONNET, 2)
        assert (request.tokens.input, request.tokens.output) == (0, 150)
        assert (recorded.final, recorded.billed) == (False, False)

    def test_of_all_runs_are_added(self, requests):
        found = requests(
            answer(5, 100),
            shutdown(60, {SONNET: spent(1, 10, 100)}),
            resume(100),
            answer(105, 200),
            shutdown(160, {SONNET: spent(2, 20, 200)}),
            resume(200),
            answer(205, 300),
        )
        assert [(one.request.tokens.output, one.billed) for one in found] == [
            (100, True),
            (200, True),
            (300, False),
        ]
        assert len({(one.key, one.variant) for one in found}) == 3

    def test_of_a_run_that_broke_off_stay(self, requests):
        found = requests(
            answer(5, 100),
            resume(100),
            answer(105, 200),
            shutdown(160, {SONNET: spent(2, 20, 200)}),
        )
        assert [(one.request.tokens.output, one.billed) for one in found] == [
            (100, False),
            (200, True),
        ]

    def test_of_a_run_without_any_are_none(self, requests):
        assert requests(resume(5), shutdown(9, {})) == []

    def test_that_end_give_way_to_the_run_s_figures(self, read):
        """In an index, too, that has kept what an earlier parser saw."""
        source = CopilotCli({}, Path("home"))
        before = read(start(), answer(5, 100))
        (kept,) = before.requests.values()
        after = source.parser(PATH, before.state())
        after.feed(encoded(shutdown(60, {SONNET: spent(1, 10, 60), HAIKU: spent(1, 10, 40)})))
        assert kept.side
        assert {one.key for one in after.requests.values()} == {kept.key}
        assert not any(one.side for one in after.requests.values())


class TestTools:
    def test_succeed_or_fail(self, read):
        parser = read(
            start(),
            *(call(1, 1), result(2, 1)),
            *(call(3, 2), result(5, 2, success=False, error={"message": "no such file"})),
            call(7, 3),
        )
        assert calls(parser) == [("bash", "ok"), ("bash", "failed")]
        assert ran(parser) == [(ms(1), ms(2)), (ms(3), ms(5))]
        assert parser.tools[2] == ToolRecord(SESSION, "bash", ms(3), 2_000, "failed")

    @pytest.mark.parametrize(
        "error",
        [
            {"code": "rejected", "message": "…"},
            {"code": "denied"},
            {"message": "The user rejected this tool call."},
        ],
    )
    def test_that_the_user_refuses_are_denied_not_failed(self, read, error):
        parser = read(start(), call(1, 1), result(99, 1, success=False, error=error))
        assert calls(parser) == [("bash", "denied")]
        assert ran(parser) == []

    @pytest.mark.parametrize("error", ["text", None, {"code": 5}, {"code": "timeout"}])
    def test_fail_for_any_reason(self, read, error):
        parser = read(start(), call(1, 1), result(2, 1, success=False, error=error))
        assert calls(parser) == [("bash", "failed")]

    def test_may_not_tell_how_they_ended(self, read):
        parser = read(start(), call(1, 1), result(2, 1, success=None))
        assert calls(parser) == [("bash", "unknown")]
        found = parsed.session("copilot-cli", parser)
        assert (found.tool_calls, found.successful_tool_calls) == (1, 1)
        assert any("outcome of 1 tool call is" in one.message for one in found.problems)

    def test_whose_beginning_is_not_recorded_have_no_duration(self, read):
        parser = read(start(), result(2, 1))
        assert [(one.start, one.duration) for one in parser.tools.values()] == [(ms(2), None)]


class TestFacts:
    def test_are_of_a_place(self, facts):
        found = facts()
        assert (found.session_id, found.cwd) == (SESSION, "/work/app")
        assert found.branch == "main"

    @pytest.mark.parametrize(
        "path",
        [Path("session-state", SESSION, "events.jsonl"), Path("session-state", f"{SESSION}.jsonl")],
    )
    def test_may_have_no_name_but_the_file_s(self, read, path):
        assert list(read(answer(5, 100), path=str(path)).facts) == [SESSION]

    def test_have_the_time_of_turns(self, facts):
        found = facts(*turn(1, 5), *turn(10, 12))
        assert found.active == [(ms(1), ms(5)), (ms(10), ms(12))]

    def test_have_the_time_of_a_turn_that_broke_off(self, facts):
        begun, _ = turn(1, 5)
        found = facts(begun, answer(4, 10), call(5, 1), resume(500), answer(505, 10))
        assert found.active == [(ms(1), ms(5))]

    def test_have_the_time_of_requests_when_a_run_has_ended(self, facts):
        assert facts(answer(5, 10)).api_time is None
        assert facts(shutdown(9, {}, api=60_470.6)).api_time == 60_470
        assert facts(shutdown(9, {}), resume(10), shutdown(20, {}, api=500)).api_time == 1500

    def test_have_an_end_until_the_session_is_resumed(self, facts):
        assert not facts(answer(5, 10)).ended
        assert facts(answer(5, 10), shutdown(9, {})).ended
        assert not facts(shutdown(9, {}), resume(10)).ended
        assert not facts(shutdown(9, {}), event(10, "user.message", content="…")).ended
        assert (facts(shutdown(9, {})).start, facts(shutdown(9, {})).end) == (ms(0), ms(9))

    def test_have_changes_when_a_run_has_ended(self, facts):
        assert facts().files is None
        found = facts(
            shutdown(9, {}, added=5, removed=2, files=["a", "b"]),
            resume(10),
            shutdown(20, {}, added=1, files=["b"]),
        )
        assert (found.lines_added, found.lines_removed, len(found.files)) == (6, 2, 2)

    def test_make_a_session(self, read):
        lines = [
            start(),
            *turn(1, 30),
            call(2, 1),
            result(6, 1),
            answer(9, 10),
            shutdown(60, {SONNET: spent(1, 1000, 10)}, api=20_000),
        ]
        parser = read(*lines)
        found = parsed.session("copilot-cli", parser)
        assert found.end_time == NOON + timedelta(seconds=60)
        assert (found.wall_time, found.agent_active_time) == (60 * 10**9, 29 * 10**9)
        assert (found.api_time, found.tool_time) == (20 * 10**9, 4 * 10**9)
        assert [usage.name for usage in found.engines] == ["copilot"]


EVENTFUL = [
    start(),
    model(1, SONNET),
    event(2, "user.message", content="…"),
    *turn(3, 9),
    answer(4, 10),
    call(5, 1),
    result(6, 1),
    b"bad\n",
    answer(8, 20),
    shutdown(20, {SONNET: spent(2, 300, 30)}, added=1, files=["a"]),
    resume(30),
    turn(31, 39)[0],
    answer(32, 40),
    call(33, 2),
    result(34, 2, success=False, error={"code": "rejected"}),
    b'{"type":"tool.execution_complete","data":5}\n',
    answer(35, 50),
]


class TestState:
    @given(st.lists(st.integers(0, len(EVENTFUL)), max_size=4))
    def test_goes_on_where_it_was_left(self, cuts):
        source = CopilotCli({}, Path("home"))
        whole = source.parser(PATH)
        whole.feed(encoded(*EVENTFUL))
        state = None
        found, ended = {}, {}
        for begin, end in pairwise([0, *sorted(cuts), len(EVENTFUL)]):
            parser = source.parser(PATH, state)
            parser.feed(encoded(*EVENTFUL[begin:end]))
            found |= parser.requests
            ended |= parser.tools
            state = parser.state()
        own = {recorded.key for recorded in found.values() if not recorded.side}
        counted = {
            name: recorded
            for name, recorded in found.items()
            if not recorded.side or recorded.key not in own
        }
        assert counted == whole.requests
        assert ended == whole.tools
        assert parser.facts == whole.facts
        assert parser.state() == whole.state()
        assert (parser.progress.skipped, parser.progress.first_skipped) == (
            whole.progress.skipped,
            whole.progress.first_skipped,
        )

    def test_keeps_nothing_of_what_was_said(self, read):
        word = "xyzzy"
        parser = read(
            start(),
            event(1, "user.message", content=word),
            answer(2, 5, reasoningText=word),
            result(3, 1, result={"content": word}),
            shutdown(4, {}, files=[word]),
        )
        assert word.encode() not in parser.state()


class TestBadLines:
    @pytest.mark.parametrize(
        "bad",
        [
            b'{"type":"session.shutdown","da\n',
            b"\0" * 99 + b"\n",
            b"[]\n",
            encoded(answer(1, -5)),
            encoded(answer(1, 10**30)),
            encoded(shutdown(1, {SONNET: {"usage": 5}})),
            encoded(shutdown(1, [])),
            encoded(start() | {"timestamp": "noon"}),
        ],
    )
    def test_cost_no_other_line(self, read, bad):
        good = [start(), answer(5, 10), call(6, 1), result(7, 1)]
        parser = read(good[0], bad, *good[1:])
        whole = read(*good)
        assert (parser.facts, parser.requests) == (whole.facts, whole.requests)
        assert parser.tools == whole.tools != {}
        assert (parser.progress.skipped, [one.line for one in parser.progress.first_skipped]) == (
            1,
            [2],
        )

    @pytest.mark.parametrize(
        "line", [{"type": "session.new", "data": "text"}, {}, b"\n", event(3, "session.info")]
    )
    def test_are_not_those_of_another_kind(self, read, line):
        assert read(start(), line, answer(5, 10)).progress.skipped == 0

    def test_may_have_no_time(self, read):
        lines = [answer(5, 10), {"type": "assistant.turn_start", "data": {}}, result(7, 1)]
        assert [outcome for _, outcome in calls(read(start(), *lines))] == ["ok"]


RICH = [
    start(5),
    answer(6, 10),
    call(7, 1),
    result(8, 1, success=False, error={"code": "rejected", "message": "…"}),
    turn(9, 9)[1],
    shutdown(10, {SONNET: spent(1, 10, 10)}, files=["a"]),
]


@given(st.data())
def test_a_wrong_type_in_any_place_is_survived(altered, data):
    parser = CopilotCli({}, Path("home")).parser(PATH)
    parser.feed(encoded(start(), *altered(data, RICH), answer(900, 77)))
    assert all(facts.end >= ms(900) for facts in parser.facts.values())
    assert max(recorded.request.tokens.output for recorded in parser.requests.values()) >= 77
    again = CopilotCli({}, Path("home")).parser(PATH, parser.state())
    assert again.facts == parser.facts
    rows, ended = parsed.spending(parser), parsed.ended(parser)
    transcript.session("copilot-cli", PATH, [*parser.facts.values()], rows, ended)


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(data):
    parser = CopilotCli({}, Path("home")).parser(PATH)
    parser.feed(data + b"\n")
    parser.feed(encoded(answer(1, 1)))
    assert parser.facts
