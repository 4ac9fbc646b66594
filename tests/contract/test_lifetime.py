"""From the first byte to the exit code."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest

from tests.contract.conftest import PATIENCE, SERVER, frame

INITIALIZE = {"processId": None, "rootUri": None, "capabilities": {}}


def test_before_initialize_a_request_is_told_so(raw):
    for method in ("stats/session", "textDocument/hover", "shutdown", "nothing"):
        assert raw.ask(method, {})["error"]["code"] == -32002
    assert "result" in raw.ask("initialize", INITIALIZE)


def test_before_initialize_notifications_are_dropped(raw, workspace):
    raw.notify("initialized", {})
    raw.notify("textDocument/didOpen", {"textDocument": {"uri": "file:///a"}})
    raw.notify("workspace/didChangeConfiguration", {"settings": {}})
    raw.initialize(workspace.root)
    assert raw.notification("stats/status")["params"]["text"] == "no sessions"
    assert [m for m in raw.rest() if "method" not in m] == []


def test_a_second_initialize_is_refused(raw):
    raw.initialize()
    assert raw.ask("initialize", INITIALIZE)["error"]["code"] == -32600
    assert raw.ask("stats/nothing")["error"]["code"] == -32601


def test_an_initialize_of_the_wrong_shape_can_be_tried_again(raw):
    for params in (5, {}, {"capabilities": 5, "processId": None}):
        assert raw.ask("initialize", params)["error"]["code"] == -32602
        assert raw.ask("stats/history")["error"]["code"] == -32002
    assert "result" in raw.ask("initialize", INITIALIZE)


def test_requests_between_initialize_and_initialized_are_answered(raw, workspace):
    workspace.add("first")
    folder = {"uri": workspace.root.as_uri(), "name": "w"}
    raw.ask("initialize", {**INITIALIZE, "workspaceFolders": [folder]})
    assert raw.ask("stats/history")["result"]["total"] == 1
    assert [m for m in raw.rest() if m.get("method") == "stats/status"] == []


def test_a_root_uri_alone_is_the_workspace(raw, workspace):
    workspace.add("first")
    raw.initialize(rootUri=workspace.root.as_uri(), workspaceFolders=None)
    assert raw.notification("stats/status")["params"]["session"]["sessionId"] == "first"


def test_a_root_path_alone_is_the_workspace(raw, workspace):
    workspace.add("first")
    raw.initialize(rootPath=str(workspace.root), workspaceFolders=None)
    assert raw.notification("stats/status")["params"]["session"]["sessionId"] == "first"


def test_after_shutdown_requests_are_refused_and_exit_ends_well(raw, workspace):
    raw.initialize(workspace.root)
    assert raw.ask("shutdown")["result"] is None
    for method in ("stats/history", "shutdown", "initialize", "nothing"):
        assert raw.ask(method)["error"]["code"] == -32600
    raw.notify("exit")
    assert raw.ended() == 0


def test_exit_without_shutdown_is_a_failure(raw):
    raw.initialize()
    raw.notify("exit")
    assert raw.ended() == 1


def test_exit_before_initialize_is_a_failure(raw):
    raw.notify("exit")
    assert raw.ended() == 1


def test_the_end_of_input_ends_the_server(raw, workspace):
    raw.initialize(workspace.root)
    raw.close_stdin()
    assert raw.ended() == 0


def test_what_was_asked_before_the_end_of_input_is_answered_once(raw, workspace):
    workspace.add("first")
    raw.initialize(workspace.root)
    raw.notification("stats/status")
    ids = [raw.new_id() for _ in range(20)]
    for msg_id in ids:
        raw.send({"id": msg_id, "method": "stats/session"})
    raw.close_stdin()
    raw.ended()
    assert [m["id"] for m in raw.unread() if "method" not in m] == ids


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GET /secret HTTP/1.1\r\nHost: localhost\r\n\r\n", "none of this protocol"),
        (b"Content-Length: 67108865\r\n\r\n{", "67,108,865 bytes is longer than 64 MiB"),
        (b"secret" * 20_000, "has no end"),
    ],
)
def test_a_stream_out_of_step_ends_with_a_sentence(raw, data, reason):
    raw.send_bytes(data)
    assert raw.ended() == 1
    (reply,) = raw.unread()
    assert (reply["id"], reply["error"]["code"]) == (None, -32700)
    for said in (reply["error"]["message"], raw.errors.decode()):
        assert reason in said
        assert "secret" not in said


def test_the_server_ends_when_its_clients_process_has_died(raw, workspace):
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as client:
        raw.initialize(workspace.root, processId=client.pid)
        assert "result" in raw.ask("stats/history")
        client.communicate(b"\n")
    assert raw.ended() == 1


def test_a_client_that_stops_reading_does_not_keep_the_server():
    server = subprocess.Popen(SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdin
    assert server.stdout
    try:
        server.stdout.close()
        with contextlib.suppress(OSError):
            for _ in range(1000):
                server.stdin.write(frame(b"{}"))
                server.stdin.flush()
        server.wait(PATIENCE)
    finally:
        server.kill()
        with contextlib.suppress(OSError):
            server.stdin.close()


def test_nothing_but_messages_is_written_to_stdout(start, workspace, tmp_path):
    for number in range(3):
        workspace.raw(f"torn-{number}.json", b"{")
    raw = start("--log-level", "debug", cwd=tmp_path)
    raw.initialize(workspace.root)
    raw.notification("stats/status")
    raw.ask("shutdown")
    raw.notify("exit")
    assert raw.ended() == 0
    for message in raw.unread():  # had there been anything else, reading would have failed
        assert message["jsonrpc"] == "2.0"
    assert b"No frame" not in raw.errors
