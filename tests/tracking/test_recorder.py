from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import shutil
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from rad_lsp.core.errors import OutputNotWritable, SessionExists
from rad_lsp.core.money import Money
from rad_lsp.core.session import Session
from rad_lsp.sources import radium
from rad_lsp.tracking import SessionRecorder
from rad_lsp.tracking.clock import Clock

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
SECOND = 1_000_000_000
NOON = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()) * SECOND


class Time:
    """A time that tests turn on; the calendar's can be set apart from what elapses."""

    def __init__(self):
        self.wall, self.steady = NOON, 5 * SECOND

    def passes(self, seconds):
        self.wall += int(seconds * SECOND)
        self.steady += int(seconds * SECOND)

    def clock(self):
        return Clock(lambda: self.wall, lambda: self.steady)


@pytest.fixture
def turned():
    return Time()


def seconds(duration):
    return duration["secs"] + duration["nanos"] / SECOND


def test_everything_of_a_session_is_in_its_report(recorder, metrics, turned):
    with recorder(session_id="all", clock=turned.clock) as session:
        with session.request(model="big", engine="anthropic") as request:
            turned.passes(2)
            request.usage(
                input_tokens=1_000_000,
                output_tokens=10_000,
                cache_read_tokens=500_000,
                cache_creation_tokens=200_000,
                cache_creation_1h_tokens=100_000,
            )
        turned.passes(1)
        with session.request(model="small", engine="gemini", tier="batch") as request:
            turned.passes(0.5)
            request.usage(input_tokens=100, output_tokens=10, cost=0.5)
        session.approval("asked")
        session.approval("allowed")
        with session.tool("grep"):
            turned.passes(3)
        with session.tool("bash") as call:
            call.fail()
        with session.tool("rm") as call:
            call.deny()
    found = metrics(session)
    assert list(found)[:3] == ["session_id", "start_time", "end_time"]
    assert found["session_id"] == "all"
    assert found["start_time"] == "2026-03-01T12:00:00Z"
    assert found["end_time"] == "2026-03-01T12:00:06.500000Z"
    times = ("wall_time", "agent_active_time", "api_time", "tool_time")
    assert [seconds(found[name]) for name in times] == [6.5, 5.5, 2.5, 3.0]
    calls = ("tool_calls", "successful_tool_calls", "failed_tool_calls")
    assert [found[name] for name in calls] == [2, 1, 1]
    approvals = ("asked", "allowed", "denied")
    assert [found[f"tool_approvals_{name}"] for name in approvals] == [1, 1, 1]
    # 300,000 fresh, 500,000 read at a tenth, 100,000 each at 1.25 and 2, 10,000 out at 2.
    cost = 0.3 + 0.05 + 0.125 + 0.2 + 0.02
    assert found["model_usage"] == {
        "big": {
            "requests": 1,
            "input_tokens": 1_000_000,
            "output_tokens": 10_000,
            "cached_tokens": 500_000,
            "estimated_cost": pytest.approx(cost),
        },
        "small": {
            "requests": 1,
            "input_tokens": 100,
            "output_tokens": 10,
            "cached_tokens": 0,
            "estimated_cost": 0.5,
        },
    }
    assert list(found["engine_usage"]) == ["anthropic", "gemini"]
    assert found["total_cost"] == pytest.approx(cost + 0.5)
    totals = ("total_cached_tokens", "total_cache_creation_tokens", "total_cache_read_tokens")
    assert [found[name] for name in totals] == [500_000, 200_000, 500_000]
    assert found["spending"] == [
        {
            "start": "2026-03-01T12:00:00Z",
            "model": "big",
            "engine": "anthropic",
            "tier": "",
            "threshold": 0,
            "requests": 1,
            "input_tokens": 1_000_000,
            "cache_read_tokens": 500_000,
            "cache_write_5m_tokens": 100_000,
            "cache_write_1h_tokens": 100_000,
            "output_tokens": 10_000,
            "cost": pytest.approx(cost),
            "reported": False,
        },
        {
            "start": "2026-03-01T12:00:00Z",
            "model": "small",
            "engine": "gemini",
            "tier": "batch",
            "threshold": 0,
            "requests": 1,
            "input_tokens": 100,
            "cache_read_tokens": 0,
            "cache_write_5m_tokens": 0,
            "cache_write_1h_tokens": 0,
            "output_tokens": 10,
            "cost": 0.5,
            "reported": True,
        },
    ]
    start = "2026-03-01T12:00:00Z"
    assert found["calls_by_tool"] == [
        {"start": start, "name": "bash", "failed": 1},
        {"start": start, "name": "grep", "ok": 1, "duration": {"secs": 3, "nanos": 0}},
        {"start": start, "name": "rm", "denied": 1},
    ]
    assert found["warnings"] == []


def test_a_tool_call_counts_in_the_slot_in_which_it_began(recorder, metrics, turned):
    with recorder(clock=turned.clock) as session:
        turned.wall += 8 * 3600 * SECOND  # the computer slept
        turned.passes(14 * 60)
        with session.tool("slow"):
            turned.passes(20 * 60)
        with session.tool("next"):
            pass
        session.approval("denied")
    assert [(row["start"], row.get("name")) for row in metrics(session)["calls_by_tool"]] == [
        ("2026-03-01T20:00:00Z", "slow"),
        ("2026-03-01T20:30:00Z", None),
        ("2026-03-01T20:30:00Z", "next"),
    ]


def test_names_of_tools_that_no_report_can_have_do_no_harm(recorder, metrics):
    names = ("\ud800", "", "名" * 257, "名" * 256, "a\0\x1b[2J")
    with recorder() as session:
        for name in names:
            with session.tool(name):
                pass
    found = metrics(session)
    rows = {row.get("name"): row["ok"] for row in found["calls_by_tool"]}
    assert rows == {None: 2, "?": 1, "名" * 256: 1, "a\0\x1b[2J": 1}
    assert found["tool_calls"] == sum(rows.values())


def test_a_report_without_tool_calls_does_not_name_any(recorder, metrics):
    with recorder() as session:
        session.approval("asked")
    assert "calls_by_tool" not in metrics(session)


def test_the_report_reads_back_as_a_session_without_contradictions(recorder):
    with recorder() as session, session.request(model="m", engine="e") as request:
        request.usage(input_tokens=10, output_tokens=1)
    read = radium.parse(str(session.path), session.path.read_bytes())
    assert isinstance(read, Session)
    assert (read.id, read.problems, read.models[0].name) == (session.id, (), "m")


def test_a_request_without_a_price_costs_null_and_is_told(recorder, metrics):
    with recorder() as session, session.request(model="unpriced") as request:
        request.usage(input_tokens=10)
    found = metrics(session)
    assert found["spending"][0]["cost"] is None
    assert found["model_usage"]["unpriced"]["estimated_cost"] == 0.0
    read = radium.parse(str(session.path), session.path.read_bytes())
    assert isinstance(read, Session)
    assert (read.money, read.models[0].money, read.engines[0].money) == (Money(None, 0, 1),) * 3


def test_without_prices_of_ones_own_the_price_list_is_asked(tmp_path, metrics):
    with (
        SessionRecorder(tmp_path, changes=False) as session,
        session.request(model="claude-sonnet-4-5", engine="anthropic") as request,
    ):
        request.usage(input_tokens=1_000, output_tokens=1_000)
    assert metrics(session)["total_cost"] == pytest.approx(0.003 + 0.015)


def test_a_request_counts_in_the_slot_in_which_it_ends(recorder, metrics, turned):
    with recorder(clock=turned.clock) as session:
        for _ in range(3):
            with session.request(model="m"):
                turned.passes(600)
    starts = [row["start"] for row in metrics(session)["spending"]]
    assert starts == [f"2026-03-01T12:{minute}:00Z" for minute in ("00", "15", "30")]


def test_parallel_calls_count_their_time_once(recorder, metrics, turned):
    with recorder(clock=turned.clock) as session:
        with session.tool("a"):
            turned.passes(1)
            with session.tool("b"), session.request(model="m"):
                turned.passes(2)
        turned.passes(1)
    found = metrics(session)
    times = ("wall_time", "agent_active_time", "api_time", "tool_time")
    assert [seconds(found[name]) for name in times] == [4, 3, 2, 3]


def test_an_exception_is_a_failure_and_goes_on(recorder, metrics):
    with recorder() as session:
        with pytest.raises(ZeroDivisionError), session.tool("divide"):
            _ = 1 / 0
        with pytest.raises(OSError, match="no"), session.request(model="m"):
            raise OSError("no")
    found = metrics(session)
    assert (found["tool_calls"], found["failed_tool_calls"]) == (1, 1)
    assert found["model_usage"]["m"]["requests"] == 1
    assert found["warnings"] == ["1 request failed, and may have used more than is counted"]


async def test_calls_are_asynchronous_context_managers_as_well(recorder, metrics):
    async def tool(session, number):
        async with session.tool(f"tool {number}") as call:
            await asyncio.sleep(0)
            if number % 2:
                call.fail()

    with recorder() as session:
        await asyncio.gather(*(tool(session, number) for number in range(100)))
        async with session.request(model="m") as request:
            request.usage(input_tokens=7)
        with pytest.raises(ZeroDivisionError):
            async with session.tool("divide"):
                _ = 1 / 0
    found = metrics(session)
    assert (found["successful_tool_calls"], found["failed_tool_calls"]) == (50, 51)
    assert found["model_usage"]["m"]["input_tokens"] == 7


def test_a_cancelled_call_is_a_failed_one(recorder, metrics):
    async def agent(session):
        async def forever():
            async with session.tool("forever"):
                await asyncio.Event().wait()

        task = asyncio.create_task(forever())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with recorder() as session:
        asyncio.run(agent(session))
    assert metrics(session)["failed_tool_calls"] == 1


def test_no_call_of_many_threads_is_lost(recorder, metrics):
    def work(session):
        for _ in range(500):
            with session.tool("t"), session.request(model="m") as request:
                request.usage(input_tokens=1)
            session.approval("allowed")

    with recorder() as session:
        threads = [threading.Thread(target=work, args=(session,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = metrics(session)
    assert found["tool_calls"] == found["tool_approvals_allowed"] == 4_000
    assert (
        found["model_usage"]["m"]["requests"] == found["model_usage"]["m"]["input_tokens"] == 4_000
    )


def test_usage_may_come_in_pieces(recorder, metrics):
    with recorder() as session, session.request(model="m") as request:
        request.usage(input_tokens=100, output_tokens=1, cache_read_tokens=40)
        request.usage(output_tokens=50)
    usage = metrics(session)["model_usage"]["m"]
    assert (usage["input_tokens"], usage["output_tokens"], usage["cached_tokens"]) == (100, 50, 40)


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": -1},
        {"output_tokens": math.nan},
        {"output_tokens": 1.5},
        {"input_tokens": "12"},
        {"input_tokens": True},
        {"input_tokens": 10**13},
        {"cost": -0.01},
        {"cost": math.nan},
        {"cost": math.inf},
        {"input_tokens": 10, "cache_read_tokens": 11},
        {"input_tokens": 10, "cache_read_tokens": 6, "cache_creation_tokens": 5},
        {"input_tokens": 10, "cache_creation_tokens": 2, "cache_creation_1h_tokens": 3},
    ],
    ids=str,
)
def test_usage_that_can_not_be_is_refused_and_changes_nothing(recorder, metrics, usage):
    with recorder() as session, session.request(model="m") as request:
        request.usage(input_tokens=5)
        with pytest.raises(ValueError, match=r"tokens|cost"):
            request.usage(**usage)
    assert metrics(session)["model_usage"]["m"]["input_tokens"] == 5


def test_an_unknown_decision_is_refused(recorder):
    with recorder() as session, pytest.raises(ValueError, match="asked, allowed, denied"):
        session.approval("maybe")


def test_names_that_can_not_be_written_are_mended(recorder, metrics):
    with recorder() as session:
        for model in ("\ud800", "", "名" * 1_000):
            with session.request(model=model):
                pass
    assert list(metrics(session)["model_usage"]) == ["?", "unknown", "名" * 256]


def test_a_session_is_used_in_a_with_statement(recorder):
    with pytest.raises(RuntimeError, match="with statement"):
        recorder().tool("t")


def test_the_report_is_there_from_the_beginning_and_follows(recorder, metrics, appears):
    with recorder() as session:
        found = metrics(session)
        assert (found["end_time"], found["tool_calls"]) == (None, 0)
        with session.tool("t"):
            pass
        appears(lambda: metrics(session)["tool_calls"] == 1)
        assert metrics(session)["end_time"] is None
        with session.tool("slow"):
            appears(lambda: metrics(session)["tool_time"]["nanos"])
    assert metrics(session)["end_time"] is not None


def test_it_is_replaced_at_most_once_a_second(recorder, appears):
    with recorder() as session:
        times = [session.path.stat().st_mtime]

        def replaced_thrice():
            with session.tool("t"):
                pass
            time = session.path.stat().st_mtime
            if time != times[-1]:
                times.append(time)
            return len(times) > 3

        appears(replaced_thrice)
    # The first one is written before the session begins.
    assert all(later - time >= 0.95 for time, later in pairwise(times[1:]))


def test_no_temporary_file_is_left(recorder):
    with recorder() as session, session.tool("t"):
        pass
    assert [path.name for path in session.path.parent.iterdir()] == [session.path.name]


@pytest.mark.parametrize(
    ("value", "compact"),
    [("true", True), ("1", True), ("false", False), ("TRUE", False), ("yes", False), ("", False)],
)
def test_the_environment_asks_for_compact_reports(recorder, monkeypatch, value, compact):
    monkeypatch.setenv("RADIUM_COMPACT_SESSION_JSON", value)
    with recorder() as session:
        pass
    assert (b"\n" not in session.path.read_bytes()) == compact


def test_after_an_exception_the_report_is_final(recorder, metrics):
    with pytest.raises(KeyboardInterrupt), recorder() as session, session.tool("t"):
        raise KeyboardInterrupt
    found = metrics(session)
    assert found["end_time"] is not None
    assert found["failed_tool_calls"] == 1


def test_a_second_recorder_on_an_id_is_refused(recorder, metrics):
    with recorder(session_id="mine") as session, session.tool("t"):
        with pytest.raises(SessionExists, match="Choose another id"), recorder(session_id="mine"):
            pass
        assert metrics(session)["end_time"] is None
    assert metrics(session)["tool_calls"] == 1
    with pytest.raises(SessionExists), recorder(session_id="mine"):
        pass
    assert metrics(session)["tool_calls"] == 1


def test_of_many_recorders_at_once_on_an_id_one_begins(recorder):
    outcomes = []
    gate = threading.Barrier(8)

    def begin():
        gate.wait()
        try:
            with recorder(session_id="one"):
                gate.wait()
                outcomes.append("begun")
        except SessionExists:
            outcomes.append("refused")
            gate.wait()

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["begun"] + 7 * ["refused"]


def test_a_clock_that_is_set_back_ends_no_session_before_its_start(recorder, metrics, turned):
    with recorder(clock=turned.clock) as session, session.tool("t"):
        turned.passes(10)
        turned.wall -= 3600 * SECOND
    found = metrics(session)
    assert (seconds(found["wall_time"]), seconds(found["tool_time"])) == (10, 10)
    assert found["end_time"] == "2026-03-01T12:00:10Z"


def test_a_computer_that_slept_ends_its_session_when_it_did(recorder, metrics, turned):
    with recorder(clock=turned.clock) as session:
        turned.passes(10)
        turned.wall += 3600 * SECOND
    found = metrics(session)
    assert seconds(found["wall_time"]) == 10
    assert found["end_time"] == "2026-03-01T13:00:10Z"


def test_a_folder_deleted_in_between_is_made_again(recorder, metrics, tmp_path, caplog):
    with recorder() as session:
        shutil.rmtree(tmp_path / ".radium")
        with session.tool("t"):
            pass
    assert metrics(session)["tool_calls"] == 1
    assert (session.trouble, caplog.records) == (None, [])


def test_trouble_at_the_end_is_said_once_and_breaks_nothing(recorder, tmp_path, caplog):
    with caplog.at_level(logging.ERROR), recorder() as session:
        shutil.rmtree(tmp_path / ".radium")
        (tmp_path / ".radium").write_text("in the way", encoding="utf-8")
        with session.tool("t"):
            pass
    (record,) = caplog.records
    assert record.getMessage() == session.trouble
    assert str(session.path) in session.trouble
    assert "make room or give permission" in session.trouble


def test_where_nothing_can_be_written_it_says_so_at_the_start(recorder, tmp_path):
    (tmp_path / ".radium").write_text("in the way", encoding="utf-8")
    with pytest.raises(OutputNotWritable, match="can't be written"), recorder():
        pass


def test_a_link_out_of_the_workspace_is_not_written_through(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / ".radium").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputNotWritable, match="a link leads to "):
        SessionRecorder(tmp_path / "here").__enter__()
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("what", ["report", "folder"])
def test_a_link_that_comes_in_the_meantime_is_not_written_through(tmp_path, caplog, what):
    (tmp_path / "elsewhere").mkdir()
    with SessionRecorder(tmp_path / "here", changes=False) as session:
        if what == "report":
            session.path.unlink()
            session.path.symlink_to(tmp_path / "elsewhere" / "theirs.json")
        else:
            shutil.rmtree(session.path.parent)
            session.path.parent.symlink_to(tmp_path / "elsewhere")
        with session.tool("t"):
            pass
    (record,) = caplog.records
    assert record.getMessage() == session.trouble
    assert "a link leads to " in record.getMessage()
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="no such permissions here")
@pytest.mark.parametrize("mask", [0, 0o022, 0o077])
def test_a_report_is_the_users_alone_whatever_the_umask(tmp_path, mask):
    before = os.umask(mask)
    try:
        with SessionRecorder(tmp_path, changes=False) as session:
            running = session.path.stat().st_mode & 0o777
        folders = [session.path.parents[number].stat().st_mode & 0o777 for number in range(3)]
        assert (running, session.path.stat().st_mode & 0o777) == (0o600, 0o600)
        assert folders == [0o700] * 3
    finally:
        os.umask(before)


def test_code_changes_are_counted(tmp_path, metrics):
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "old.txt").write_text("one\n", encoding="utf-8")
    with SessionRecorder(tmp_path) as session:
        (tmp_path / "new.txt").write_text("one\ntwo\n", encoding="utf-8")
        (tmp_path / "old.txt").unlink()
    found = metrics(session)
    counted = [found[name] for name in ("lines_added", "lines_removed", "files_changed")]
    assert counted == [2, 1, 2]


def test_without_git_the_report_says_why_nothing_is_counted(tmp_path, metrics):
    with SessionRecorder(tmp_path) as session:
        pass
    found = metrics(session)
    assert (found["lines_added"], found["lines_removed"], found["files_changed"]) == (0, 0, None)
    assert found["warnings"][0].startswith("Code changes are not counted: ")


FORKS = """
import os, sys
from rad_lsp.tracking import SessionRecorder
with SessionRecorder(sys.argv[1], changes=False) as session:
    if not (child := os.fork()):
        session.close()
        os._exit(0)
    print(os.waitpid(child, 0)[1], b'"end_time": null' in session.path.read_bytes())
"""


@posix
def test_a_forked_process_leaves_its_parents_session_alone(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKS, tmp_path],
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == b"0 True\n"


def test_closing_twice_is_closing_once(recorder):
    with recorder() as session:
        session.close()
        ended = session.path.read_bytes()
        session.close()
    assert session.path.read_bytes() == ended


def test_a_relative_workspace_stays_where_it_was(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with SessionRecorder(".", changes=False) as session:
        monkeypatch.chdir(tmp_path / "elsewhere")
    assert session.path.parent == tmp_path / ".radium" / "_internals" / "sessions"
    assert json.loads(session.path.read_bytes())["metrics"]["end_time"] is not None


def settings_of_the_program():
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    logger = logging.getLogger("rad_lsp")
    logging_of = (logging.root.handlers[:], logging.root.level, logger.handlers[:], logger.level)
    return handlers, logging_of, Path.cwd(), dict(os.environ), sys.excepthook, sys.path[:]


def test_a_session_leaves_its_program_as_it_was(tmp_path):
    before = settings_of_the_program()
    with SessionRecorder(tmp_path) as session:
        with session.request(model="gpt-5", engine="openai") as request:
            request.usage(input_tokens=10, output_tokens=1)
        # A signal that would end the program closes the session first; all else is untouched.
        during = settings_of_the_program()
    assert during[1:] == before[1:]
    assert settings_of_the_program() == before


def test_a_program_that_records_requests_can_still_use_the_price_library_itself(tmp_path):
    code = """
import sys
from rad_lsp.tracking import SessionRecorder
with SessionRecorder(sys.argv[1], changes=False) as session:
    with session.request(model="gpt-5", engine="openai") as request:
        request.usage(input_tokens=1_000_000)
assert b'"total_cost": 1.25' in session.path.read_bytes()
import genai_prices
usage = genai_prices.Usage(input_tokens=1_000_000)
assert genai_prices.calc_price(usage, "gpt-5").total_price > 0
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_times_are_the_calendars(recorder, metrics):
    before = datetime.now(UTC)
    with recorder() as session:
        pass
    start = datetime.fromisoformat(metrics(session)["start_time"])
    assert before - timedelta(milliseconds=1) <= start <= datetime.now(UTC)
