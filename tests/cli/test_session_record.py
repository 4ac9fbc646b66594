"""`rad session record`: a session whose events come in on stdin."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from datetime import datetime

import pytest

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
PATIENCE = 30
TOOL = b'{"type": "tool", "gen_ai.tool.name": "grep", "duration": 1.5}\n'


@pytest.fixture
def metrics(workspace):
    def read():
        (path,) = workspace.sessions.glob("*.json")
        return json.loads(path.read_bytes())["metrics"]

    return read


@pytest.fixture
def recording(start, workspace):
    """A `rad session record` that waits for events."""
    options = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return start("session", "record", cwd=workspace.root, **options)


def counted(metrics):
    """Wait until a tool call is in the report."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if metrics()["tool_calls"]:
                return
        except ValueError:  # there is no report yet
            pass
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.005)


def says(process, text):
    """Wait until a process says something on stderr."""
    while text not in (line := process.stderr.readline()):
        assert line, "it ended, and did not say it"


def test_events_are_read_until_there_are_no_more(rad, workspace, metrics):
    done = rad("session", "record", cwd=workspace.root, input=TOOL + TOOL.rstrip())
    assert done.returncode == 0
    assert "Tool Calls:                 2 ( ✓ 2 x 0 )" in done.stdout
    assert (metrics()["tool_calls"], metrics()["end_time"] is None) == (2, False)


@posix
def test_a_workspace_that_leads_elsewhere_is_refused(rad, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / ".radium").symlink_to(tmp_path / "elsewhere")
    for command in (["record"], ["run", sys.executable, "-c", "open('ran', 'w')"]):
        done = rad("session", *command, cwd=tmp_path / "here", input=TOOL)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"a link leads to {tmp_path / 'elsewhere'}" in done.stderr
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert not (tmp_path / "here" / "ran").exists()


def test_the_report_follows_while_events_come_in(recording, metrics):
    recording.stdin.write(TOOL)
    recording.stdin.flush()
    counted(metrics)
    assert metrics()["end_time"] is None
    out, _ = recording.communicate(timeout=PATIENCE)
    assert b"Interaction Summary" in out
    assert metrics()["end_time"] is not None


def test_json_and_an_id_go_with_it(rad, workspace):
    done = rad(
        "session", "record", "--json", "--session-id", "mine", cwd=workspace.root, input=TOOL
    )
    assert json.loads(done.stdout)["metrics"]["session_id"] == "mine"
    again = rad("session", "record", "--session-id", "mine", cwd=workspace.root, input=TOOL)
    assert (again.returncode, again.stdout) == (1, "")
    assert "recorded already" in again.stderr


def test_a_bad_line_is_said_and_is_no_failure(rad, workspace):
    done = rad("session", "record", cwd=workspace.root, input=b"nonsense\n" + TOOL)
    assert done.returncode == 0
    assert "Line 1 of the events is left out" in done.stderr
    assert "Line 1 of the events" not in done.stdout
    shown = rad("doctor", cwd=workspace.root).stdout
    assert "line 1 of the events is left out" in shown


@pytest.mark.parametrize("data", [b"", b"\n \r\n\n"], ids=["nothing", "blank lines"])
def test_without_an_event_nothing_is_made(rad, tmp_path, data):
    done = rad("session", "record", input=data)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("No event came in, so there is no session.")
    assert list(tmp_path.iterdir()) == []


def test_the_session_starts_before_its_first_event(recording, metrics):
    recording.stdin.write(b"\n" * 2**18)  # more than a pipe holds: it reads by now
    reading = time.time()
    recording.communicate(TOOL, timeout=PATIENCE)
    assert datetime.fromisoformat(metrics()["start_time"]).timestamp() < reading


def test_lines_are_numbered_from_the_first_blank_ones_too(rad, workspace):
    done = rad("session", "record", cwd=workspace.root, input=b"\n\nnonsense\n" + TOOL)
    assert "Line 3 of the events is left out" in done.stderr


def test_the_schema_is_printed_and_nothing_made(rad, tmp_path):
    done = rad("session", "record", "--schema")
    schema = json.loads(done.stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "gen_ai.usage.input_tokens" in schema["$defs"]["Request"]["properties"]
    assert list(tmp_path.iterdir()) == []


@posix
def test_a_stdin_that_is_closed_makes_no_session(workspace):
    done = subprocess.run(
        ["sh", "-c", '"$0" -m rad_lsp.cli session record <&-', sys.executable],
        cwd=workspace.root,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    assert list(workspace.sessions.iterdir()) == []


@posix
def test_sigterm_ends_the_session(recording, metrics):
    recording.stdin.write(TOOL)
    recording.stdin.flush()
    counted(metrics)
    recording.terminate()
    assert recording.wait(PATIENCE) == -signal.SIGTERM
    assert (metrics()["tool_calls"], metrics()["end_time"] is None) == (1, False)


@posix
def test_what_an_agent_says_after_ctrl_c_is_still_read(recording, metrics):
    recording.stdin.write(TOOL)
    recording.stdin.flush()
    counted(metrics)
    recording.send_signal(signal.SIGINT)
    says(recording, b"Waiting for the last events")
    out, _ = recording.communicate(TOOL, timeout=PATIENCE)
    assert (recording.returncode, b"Tool Calls:                 2 " in out) == (0, True)


@posix
def test_the_second_ctrl_c_ends_the_session(recording, metrics):
    recording.stdin.write(TOOL)
    recording.stdin.flush()
    counted(metrics)
    recording.send_signal(signal.SIGINT)
    says(recording, b"Waiting for the last events")
    recording.send_signal(signal.SIGINT)
    assert recording.wait(PATIENCE) == 130
    assert metrics()["end_time"] is not None


def test_the_first_report_brings_what_keeps_it_out_of_git(rad, tmp_path):
    rad("session", "record", input=TOOL)
    assert "_internals/\n" in (tmp_path / ".radium" / ".gitignore").read_text(encoding="utf-8")
