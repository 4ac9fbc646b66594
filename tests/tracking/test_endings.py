"""However a program ends, its session's report is there and reads."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time

import pytest

from rad_lsp.core import report

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

BEGIN = """
import os, sys, signal, time
from rad_lsp.tracking import SessionRecorder
def session(**options):
    return SessionRecorder(sys.argv[1], changes=False, **options)
"""


@pytest.fixture
def program(tmp_path):
    """Starts a Python program that may track sessions in a workspace, and gives the process."""
    started = []

    def run(code):
        process = subprocess.Popen(
            [sys.executable, "-c", BEGIN + code, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def reports(tmp_path):
    """The metrics in all reports, each of which must read."""

    def read():
        found = []
        for path in sorted(tmp_path.glob(".radium/_internals/sessions/*.json")):
            data = path.read_bytes()
            assert isinstance(report.read(data), report.Report), path
            found.append(json.loads(data)["metrics"])
        return found

    return read


WORK = """
with session(session_id="it") as s, s.tool("t"):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_session_and_then_the_program_as_ever(program, reports, number):
    process = program(WORK)
    process.stdout.readline()
    process.send_signal(number)
    assert process.wait(30) == -number
    (found,) = reports()
    assert found["end_time"] is not None
    assert found["tool_time"]["nanos"] > 0


def test_ctrl_c_ends_the_session(program, reports):
    process = program(WORK)
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.wait(30)
    (found,) = reports()
    assert (found["end_time"] is None, found["failed_tool_calls"]) == (False, 1)


def test_sys_exit_ends_the_session(program, reports):
    process = program("with session() as s:\n    sys.exit(5)")
    assert process.wait(30) == 5
    assert reports()[0]["end_time"] is not None


def test_a_signal_ends_every_open_session(program, reports):
    process = program(
        'with session(session_id="a") as a, session(session_id="b") as b:\n'
        '    print("ready", flush=True)\n'
        "    sys.stdin.read()"
    )
    process.stdout.readline()
    process.terminate()
    assert process.wait(30) == -signal.SIGTERM
    assert all(found["end_time"] for found in reports())
    assert len(reports()) == 2


def test_a_program_that_handles_the_signal_itself_goes_on(program, reports):
    process = program(
        "got = []\n"
        "signal.signal(signal.SIGTERM, lambda *_: got.append(1))\n"
        "with session() as s:\n"
        '    print("ready", flush=True)\n'
        "    while not got: time.sleep(0.01)\n"
        '    with s.tool("t"): pass\n'
        'print("went on", flush=True)'
    )
    process.stdout.readline()
    process.terminate()
    assert process.communicate(timeout=30)[0] == "went on\n"
    assert reports()[0]["tool_calls"] == 1


def test_after_the_session_a_signal_does_what_it_did_before(program):
    process = program(
        "with session() as s: pass\n"
        "print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, flush=True)"
    )
    assert process.communicate(timeout=30)[0] == "True\n"


def test_a_session_in_another_thread_is_recorded_too(program, reports):
    process = program(
        "import threading\n"
        "def work():\n"
        '    with session() as s, s.tool("t"): pass\n'
        "thread = threading.Thread(target=work); thread.start(); thread.join()"
    )
    assert (process.wait(30), process.stderr.read()) == (0, "")
    assert reports()[0]["tool_calls"] == 1


def test_kill_9_leaves_the_last_whole_report(program, reports):
    process = program(
        "with session() as s:\n"
        '    with s.tool("t"): pass\n'
        "    while b'\"tool_calls\": 1' not in s.path.read_bytes(): time.sleep(0.01)\n"
        '    print("written", flush=True)\n'
        "    sys.stdin.read()"
    )
    assert process.stdout.readline() == "written\n"
    process.kill()
    process.wait(30)
    (found,) = reports()
    assert (found["end_time"], found["tool_calls"]) == (None, 1)


def test_kill_9_at_any_moment_leaves_no_report_that_does_not_read(program, reports):
    dice = random.Random(5)  # noqa: S311  (moments, no secrets)
    for _ in range(12):
        process = program(
            'print("ready", flush=True)\n'
            "while True:\n"
            "    with session() as s:\n"
            "        for _ in range(50):\n"
            '            with s.request(model="m" * 200, engine="local"): pass\n'
        )
        process.stdout.readline()
        time.sleep(dice.uniform(0, 0.25))  # the moment is what is tested
        process.kill()
        process.wait(30)
    assert len(reports()) > 12


def test_a_full_disk_loses_no_call_and_is_said_once_at_the_end(program, reports):
    process = program(
        "import resource\n"
        "with session() as s:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (64, resource.RLIM_INFINITY))\n"
        '    with s.tool("t"): pass\n'
        "    deadline = time.monotonic() + 30\n"
        "    while s.trouble is None and time.monotonic() < deadline: time.sleep(0.01)\n"
        '    with s.tool("t"): pass\n'
        'print("went on", flush=True)'
    )
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "went on\n")
    assert err.count("can't be written: file too large") == 1
    assert "Traceback" not in err
    (found,) = reports()
    assert (found["end_time"], found["tool_calls"]) == (None, 0)


def test_a_disk_that_has_room_again_gets_the_whole_report(program, reports):
    process = program(
        "import resource\n"
        "with session() as s:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (64, resource.RLIM_INFINITY))\n"
        '    with s.tool("t"): pass\n'
        "    deadline = time.monotonic() + 30\n"
        "    while s.trouble is None and time.monotonic() < deadline: time.sleep(0.01)\n"
        "    free = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, free)\n"
    )
    assert process.communicate(timeout=60) == ("", "")
    (found,) = reports()
    assert (found["end_time"] is None, found["tool_calls"]) == (False, 1)
