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
from rad_lsp.sources.copilot_cli import CopilotCli, split
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


def checkpoint(seconds, nano):
    return event(seconds, "session.usage_checkpoint", totalNanoAiu=nano, totalPremiumRequests=1)


def compaction(seconds, tokens, output, read=0, nano=None, name=SONNET):
    used = {
        "inputTokens": tokens,
        "outputTokens": output,
        "cacheReadTokens": read,
        "cacheWriteTokens": 0,
        "duration": 12_000,
        "model": name,
    }
    if nano is not None:
        used["copilotUsage"] = {"totalNanoAiu": nano}
    return event(seconds, "session.compaction_complete", success=True, compactionTokensUsed=used)


def details(fresh, read, output, written=0):
    counts = {"input": fresh, "cache_read": read, "cache_write": written, "output": output}
    return {name: {"tokenCount": count} for name, count in counts.items()}


def turn(begin, end, number="0"):
    return (
        event(begin, "assistant.turn_start", turnId=number),
        event(end, "assistant.turn_end", turnId=number),
    )


def spent(count, tokens, output, read=0, written=0, nano=None):
    return {
        "requests": {"count": count, "cost": 1},
        **({} if nano is None else {"totalNanoAiu": nano}),
        "usage": {
            "inputTokens": tokens,
            "outputTokens": output,
            "cacheReadTokens": read,
            "cacheWriteTokens": written,
            "reasoningTokens": 7,
        },
    }


def shutdown(seconds, metrics, api=1000, added=0, removed=0, files=(), **more):
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
        **more,
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


def counts(recorded):
    """Model, requests, input, output and USD of each request."""
    return [
        (one.request.model, one.request.requests, tokens.input, tokens.output, one.request.cost)
        for one in recorded
        for tokens in [one.request.tokens]
    ]


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


class TestSumsThatGoOn:
    """A session is resumed: what its sums have grown by is what the run used."""

    FIRST = (
        answer(5, 100),
        shutdown(60, {SONNET: spent(1, 1000, 100, 600)}, api=5000, added=5, removed=1),
        resume(100),
    )

    def test_count_as_differences(self, requests, facts):
        lines = [
            *self.FIRST,
            answer(105, 50),
            shutdown(160, {SONNET: spent(3, 1500, 150, 700)}, api=8000, added=7, removed=1),
        ]
        assert counts(requests(*lines)) == [
            (SONNET, 1, 1000, 100, None),
            (SONNET, 2, 500, 50, None),
        ]
        found = facts(*lines)
        assert (found.api_time, found.lines_added, found.lines_removed) == (8000, 7, 1)

    def test_count_as_they_are_if_they_have_begun_anew(self, requests, facts):
        lines = [
            *self.FIRST,
            answer(105, 150),
            shutdown(160, {SONNET: spent(3, 1500, 150, 700)}, api=8000, added=7, removed=1),
        ]
        assert [one[2:4] for one in counts(requests(*lines))] == [(1000, 100), (1500, 150)]
        found = facts(*lines)
        assert (found.api_time, found.lines_added, found.lines_removed) == (13_000, 12, 2)

    def test_have_begun_anew_if_one_is_smaller(self, requests):
        end = shutdown(160, {SONNET: spent(3, 900, 190, 100)})
        assert counts(requests(*self.FIRST, answer(105, 90), end))[1][1:4] == (3, 900, 190)

    def test_may_have_a_model_that_comes_later(self, requests):
        metrics = {SONNET: spent(1, 1000, 100, 600), HAIKU: spent(1, 10, 7)}
        found = counts(requests(*self.FIRST, answer(105, 7), shutdown(160, metrics)))
        assert found == [(SONNET, 1, 1000, 100, None), (HAIKU, 1, 10, 7, None)]

    def test_need_not_grow(self, requests):
        end = shutdown(160, {SONNET: spent(1, 1000, 100, 600)}, api=5000)
        assert len(requests(*self.FIRST, end)) == 1
        assert len(requests(*self.FIRST, end, resume(200), end)) == 1

    def test_are_told_again_without_a_resume_between(self, requests):
        lines = [*self.FIRST[:-1], answer(70, 50), shutdown(80, {SONNET: spent(2, 1500, 150, 700)})]
        assert [one[2:4] for one in counts(requests(*lines))] == [(1000, 100), (500, 50)]

    @pytest.mark.parametrize("whole", [True, False])
    def test_count_once_though_the_file_has_all_of_a_run_twice(self, read, whole):
        end = [answer(105, 150), shutdown(160, {SONNET: spent(2, 1500, 150, 700)})]
        lines = [start(), call(1, 1), result(2, 1), *self.FIRST, *end]
        again = lines if whole else lines[-3:]
        once, twice = read(*lines), read(*lines, *again, resume(200), answer(205, 1))
        assert twice.tools == once.tools
        *before, last = twice.requests.values()
        assert before == list(once.requests.values())
        assert last.request.tokens.output == 1

    def test_outlast_a_run_that_tells_none(self, requests):
        end = shutdown(160, {SONNET: spent(2, 1500, 150, 700)}, api=6000)
        empty = shutdown(101, {}, api=5000)
        lines = [*self.FIRST, empty, resume(102), answer(105, 50), end]
        assert [one[2:4] for one in counts(requests(*lines))] == [(1000, 100), (500, 50)]

    def test_may_contain_a_run_that_broke_off(self, requests):
        """Its answers then give way."""
        end = shutdown(260, {SONNET: spent(4, 1900, 190, 700)}, api=9000)
        lines = [*self.FIRST, answer(105, 50), resume(200), answer(205, 40), end]
        found = requests(*lines)
        assert sum(one.request.tokens.output for one in found) == 190
        assert sum(one.request.requests for one in found) == 4
        assert all(one.final for one in found)

    def test_may_leave_out_a_run_that_broke_off(self, requests):
        end = shutdown(260, {SONNET: spent(2, 1400, 140, 700)}, api=9000)
        lines = [*self.FIRST, answer(105, 50), resume(200), answer(205, 40), end]
        found = requests(*lines)
        assert [(one.request.tokens.output, one.final) for one in found] == [
            (100, True),
            (50, False),
            (40, True),
        ]


class TestMoney:
    """The provider's own bill; 1e11 nano-AIU are one USD."""

    def test_is_told_of_each_model(self, requests):
        metrics = {SONNET: spent(1, 1000, 100, nano=3e9), HAIKU: spent(1, 10, 7, nano=0)}
        found = requests(answer(5, 107), shutdown(60, metrics, totalNanoAiu=3_000_000_000))
        assert [one[-1] for one in counts(found)] == [0.03, 0.0]

    def test_may_be_told_of_each_model_only(self, requests):
        found = requests(answer(5, 100), shutdown(60, {SONNET: spent(1, 1000, 100, nano=3e9)}))
        assert [one[-1] for one in counts(found)] == [0.03]

    def test_may_be_told_of_all_together(self, requests):
        metrics = {SONNET: spent(1, 1000, 100), HAIKU: spent(1, 1000, 100)}
        found = requests(answer(5, 200), shutdown(60, metrics, totalNanoAiu=4e9))
        assert [one[-1] for one in counts(found)] == [0.02, 0.02]

    def test_of_the_others_is_what_is_left(self, requests):
        metrics = {SONNET: spent(1, 1000, 100, nano=3e9), HAIKU: spent(1, 1000, 100)}
        found = requests(answer(5, 200), shutdown(60, metrics, totalNanoAiu=4e9))
        assert [one[-1] for one in counts(found)] == [0.03, 0.01]

    def test_of_all_together_counts_more_than_that_of_each(self, requests):
        metrics = {SONNET: spent(1, 1000, 100, nano=3e9), HAIKU: spent(1, 1000, 100, nano=1e9)}
        found = requests(answer(5, 200), shutdown(60, metrics, totalNanoAiu=8e9))
        assert [one[-1] for one in counts(found)] == [0.06, 0.02]

    @pytest.mark.parametrize("per_model", [True, False])
    def test_goes_on_when_the_session_is_resumed(self, requests, per_model):
        def end(seconds, count, nano):
            told = nano if per_model else None
            metrics = {SONNET: spent(count, 1000 * count, 100 * count, nano=told)}
            return shutdown(seconds, metrics, totalNanoAiu=nano)

        found = requests(
            answer(5, 100), end(60, 1, 5e9), resume(90), answer(95, 100), end(99, 2, 8e9)
        )
        assert [one[-1] for one in counts(found)] == [0.05, 0.03]

    def test_goes_on_though_the_tokens_begin_anew(self, requests):
        """Checkpoints tell the money to the next run; the amounts of models show it."""
        found = requests(
            answer(5, 100),
            shutdown(60, {SONNET: spent(1, 1000, 100, nano=5e9)}, totalNanoAiu=5e9),
            resume(90),
            answer(95, 200),
            shutdown(99, {SONNET: spent(1, 2000, 200, nano=7e9)}, totalNanoAiu=12e9),
        )
        assert [one[-1] for one in counts(found)] == [0.05, 0.07]

    def test_that_begins_anew_counts_as_it_is(self, requests):
        found = requests(
            answer(5, 100),
            shutdown(60, {SONNET: spent(1, 1000, 100, nano=5e9)}, totalNanoAiu=5e9),
            resume(90),
            answer(95, 200),
            checkpoint(96, 7e9),
            shutdown(99, {SONNET: spent(1, 2000, 200, nano=7e9)}, totalNanoAiu=7e9),
        )
        assert [one[-1] for one in counts(found)] == [0.05, 0.07]

    def test_of_a_run_that_broke_off_is_its_last_checkpoint(self, requests):
        found = requests(
            answer(5, 100),
            shutdown(60, {SONNET: spent(1, 1000, 100)}, totalNanoAiu=5e9),
            resume(90),
            answer(95, 200),
            checkpoint(96, 7e9),
            answer(97, 10),
        )
        assert [(one[3], one[-1]) for one in counts(found)] == [
            (100, 0.05),
            (200, 0.02),
            (10, None),
        ]
        assert [(one.final, one.billed) for one in found] == [
            (True, True),
            (False, True),
            (False, False),
        ]

    @pytest.mark.parametrize("output", [140, 340])
    def test_of_a_run_that_broke_off_counts_once(self, requests, output):
        """Whether the next shutdown's tokens contain it or not, its money does."""
        found = requests(
            answer(5, 100),
            shutdown(60, {SONNET: spent(1, 1000, 100)}, totalNanoAiu=5e9),
            resume(90),
            answer(95, 200),
            checkpoint(96, 7e9),
            resume(190),
            answer(195, 40),
            shutdown(199, {SONNET: spent(3, 2000, output)}, totalNanoAiu=8e9),
        )
        assert sum(one.request.cost for one in found) == pytest.approx(0.08)
        assert sum(one.request.tokens.output for one in found) == 340

    def test_is_dated_by_checkpoints(self, requests):
        day = 86_400
        found = requests(
            answer(5, 100),
            checkpoint(9, 1e9),
            answer(5 + day, 100),
            checkpoint(9 + day, 4e9),
            answer(5 + 2 * day, 100),
            shutdown(9 + 2 * day, {SONNET: spent(3, 1001, 300, 500, nano=10e9)}, totalNanoAiu=10e9),
        )
        assert [one.request.time for one in found] == [ms(5), ms(5 + day), ms(5 + 2 * day)]
        assert [one[1:] for one in counts(found)] == [
            (1, 100, 30, 0.01),
            (1, 300, 90, 0.03),
            (1, 601, 180, 0.06),
        ]

    def test_is_dated_by_answers_that_a_checkpoint_is_told_after(self, requests):
        day = 86_400
        found = requests(
            answer(5, 100),
            answer(5 + day, 300),
            checkpoint(9 + day, 4e9),
            shutdown(19 + day, {SONNET: spent(2, 1000, 400)}, totalNanoAiu=4e9),
        )
        assert [(one.request.time, one.request.cost) for one in found] == [
            (ms(5), 0.01),
            (ms(5 + day), 0.03),
        ]

    def test_that_was_spent_without_an_answer_is_dated_when_it_is_told(self, requests):
        day = 86_400
        found = requests(
            answer(5, 100),
            checkpoint(9, 1e9),
            shutdown(day, {SONNET: spent(2, 1000, 100)}, totalNanoAiu=4e9),
        )
        assert [(one.request.time, one.request.cost) for one in found] == [
            (ms(5), 0.01),
            (ms(day), 0.03),
        ]

    def test_of_a_sub_agent_is_part_of_the_session_s(self, requests):
        own = checkpoint(9, 5e9) | {"agentId": "a"}
        (found,) = requests(answer(5, 100), checkpoint(8, 1e9), own)
        assert found.request.cost == 0.01

    @given(st.integers(0, 10**15), st.lists(st.integers(0, 10**12), min_size=1))
    def test_is_split_exactly(self, total, weights):
        parts = split(total, weights)
        assert (len(parts), sum(parts)) == (len(weights), total)
        if any(weights):
            for part, weight in zip(parts, weights, strict=True):
                assert abs(part - total * weight / sum(weights)) <= 1 + total * 1e-9


class TestCompaction:
    """Summing up the conversation is a request of its own."""

    def test_is_left_out_of_the_sums(self, requests):
        found = requests(
            answer(5, 200),
            compaction(60, 50_000, 1000, 3000, nano=2e9),
            shutdown(
                90,
                {SONNET: spent(1, 20_000, 200, 10_000, nano=3e9)},
                tokenDetails=details(57_000, 13_000, 1200),
                totalNanoAiu=3e9,
            ),
        )
        assert counts(found) == [(SONNET, 1, 50_000, 1000, 0.02), (SONNET, 1, 20_000, 200, 0.01)]
        assert (found[0].request.time, found[0].request.tokens.cache_read) == (ms(60), 3000)

    @pytest.mark.parametrize("told", [{}, {"tokenDetails": details(57_000, 13_000, 1200)}])
    def test_may_be_part_of_the_sums(self, requests, told):
        found = requests(
            answer(5, 200),
            compaction(60, 50_000, 1000, 3000),
            shutdown(90, {SONNET: spent(2, 70_000, 1200, 13_000)}, **told),
        )
        assert counts(found) == [(SONNET, 1, 50_000, 1000, None), (SONNET, 1, 20_000, 200, None)]

    def test_of_another_model_is_paid_by_the_session(self, requests):
        found = requests(
            answer(5, 200),
            compaction(60, 50_000, 1000, nano=2e9, name=HAIKU),
            shutdown(90, {SONNET: spent(1, 20_000, 200)}, totalNanoAiu=3e9),
        )
        assert [(one[0], one[-1]) for one in counts(found)] == [(HAIKU, 0.02), (SONNET, 0.01)]

    def test_whose_cost_is_not_told_is_paid_with_the_answers(self, requests):
        found = requests(
            answer(5, 200),
            compaction(60, 50_000, 1000),
            shutdown(90, {SONNET: spent(1, 20_000, 200)}, totalNanoAiu=3e9),
        )
        assert [one[-1] for one in counts(found)] == [0.0, 0.03]

    def test_counts_when_the_run_breaks_off(self, requests):
        found = requests(
            model(1, SONNET),
            answer(5, 200),
            compaction(60, 50_000, 1000, nano=2e9),
            checkpoint(70, 3e9),
        )
        assert sorted(counts(found)) == [
            (SONNET, 1, 0, 200, 0.01),
            (SONNET, 1, 50_000, 1000, 0.02),
        ]

    def test_counts_without_any_money(self, requests):
        (found,) = requests(compaction(60, 50_000, 1000))
        assert (found.billed, found.final, found.request.cost) == (True, True, None)

    def test_of_older_versions_is_read(self, requests):
        used = {"input": 157_329, "output": 3400, "cachedInput": 24_000}
        lines = [
            model(1, HAIKU),
            event(60, "session.compaction_complete", success=True, compactionTokensUsed=used),
            event(70, "session.compaction_complete", success=False, compactionTokensUsed=None),
        ]
        (found,) = requests(*lines)
        assert found.request.tokens == Tokens(133_329, 24_000, output=3400)
        assert found.request.model == HAIKU


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

    @pytest.mark.parametrize("name", ["ask_user", "exit_plan_mode"])
    def test_that_ask_the_user_wait(self, read, name):
        asked = event(1, "tool.execution_start", toolCallId="toolu_1", toolName=name)
        parser = read(start(), asked, result(61, 1), call(70, 2), result(72, 2))
        assert [one.waited for one in parser.tools.values()] == [True, False]
        assert parsed.session("copilot-cli", parser).tool_time == 2 * 10**9

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
    checkpoint(36, 2e9),
    resume(40),
    answer(41, 60),
    answer(3000, 60),
    compaction(3001, 900, 9, nano=1e9),
    checkpoint(3002, 5e9),
    answer(3003, 5),
    answer(5000, 5),
    shutdown(
        5001,
        {SONNET: spent(6, 900, 160, nano=5e9), HAIKU: spent(1, 9, 1)},
        api=2000,
        totalNanoAiu=7e9,
    ),
    resume(6000),
    compaction(6001, 900, 9),
    answer(6002, 8),
    checkpoint(6003, 9e9),
    answer(6004, 8),
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

    def test_knows_a_tool_call_by_its_id_and_does_not_keep_that(self, read):
        begun = call(2, 77)
        parser = read(start(), begun)
        identifier = begun["data"]["toolCallId"]
        assert identifier.encode() not in parser.state()
        again = CopilotCli({}, Path("home")).parser(PATH, parser.state())
        again.feed(encoded(result(5, 77)))
        assert [tool.duration for tool in again.tools.values() if tool] == [3000]

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
    compaction(8, 10, 5, nano=1),
    checkpoint(9, 5e9),
    turn(9, 9)[1],
    shutdown(
        10,
        {SONNET: spent(1, 10, 10, nano=7e9)},
        files=["a"],
        totalNanoAiu=7e9,
        tokenDetails=details(10, 0, 10),
    ),
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


def quota(used, entitled=300, **more):
    return {
        "isUnlimitedEntitlement": False,
        "entitlementRequests": entitled,
        "usedRequests": used,
        "remainingPercentage": 100 - 100 * used / (entitled or 1),
        **more,
    }


def told(seconds, **quotas):
    return event(seconds, "assistant.usage", quotaSnapshots=quotas)


def percents(parser):
    return {window.name: window.used_percent for window in parser.windows.values()}


def test_quotas_are_read_of_any_event(read):
    parser = read(start(), told(1, premium_interactions=quota(75)), told(2, chat=quota(30)))
    assert percents(parser) == {"premium_interactions": 25, "chat": 10}
    assert parser.progress.skipped == 0


def test_what_has_no_end_or_is_not_in_the_plan_is_no_limit(read):
    endless = quota(5, isUnlimitedEntitlement=True)
    parser = read(start(), told(1, chat=endless, completions=quota(0, -1), other=quota(0, 0)))
    assert percents(parser) == {}
    assert parser.progress.skipped == 0


def test_beyond_the_quota_all_of_it_is_used(read):
    assert percents(read(start(), told(1, premium_interactions=quota(310)))) == {
        "premium_interactions": 100
    }


@pytest.mark.parametrize(("seconds", "known"), [(86_400, True), (-60, False)])
def test_a_reset_lies_after_the_record(read, seconds, known):
    found = read(start(), told(1, chat=quota(3, resetDate=moment(seconds)))).windows
    (window,) = found.values()
    assert window.resets_at == (NOON + timedelta(seconds=seconds) if known else None)


def test_a_reset_that_is_no_time_is_none(read):
    (window,) = read(start(), told(1, chat=quota(3, resetDate="soon"))).windows.values()
    assert window.resets_at is None


@pytest.mark.parametrize("bad", [{}, "full", {"usedRequests": -1, "entitlementRequests": 3}])
def test_a_quota_that_can_not_be_read_is_counted_and_the_others_count(read, bad):
    parser = read(start(), told(1, premium_interactions=bad, chat=quota(30)), answer(2, 5))
    assert percents(parser) == {"chat": 10}
    (skipped,) = parser.progress.first_skipped
    assert skipped.line == 2
    assert skipped.reason.startswith("quotaSnapshots.premium_interactions: ")
    assert len(parser.requests) == 1


def test_quotas_of_another_form_are_counted(read):
    parser = read(start(), event(1, "assistant.usage", quotaSnapshots=[1]))
    assert (parser.windows, parser.progress.skipped) == ({}, 1)
