"""One client over a loopback address."""

from __future__ import annotations

import json
import re
import socket

import pytest

from tests.contract.conftest import PATIENCE, frame

INITIALIZE = {"processId": None, "rootUri": None, "capabilities": {}}


class Connection:
    def __init__(self, address):
        self._socket = socket.create_connection(address, PATIENCE)
        self._stream = self._socket.makefile("rb")

    def send(self, **message):
        self.send_bytes(frame(json.dumps({"jsonrpc": "2.0", **message}).encode()))

    def send_bytes(self, data):
        self._socket.sendall(data)

    def receive(self):
        """The next message, or None at the end of the stream."""
        header = self._stream.readline()
        if not header:
            return None
        self._stream.readline()
        return json.loads(self._stream.read(int(header.split(b":")[1])))

    def rest(self):
        """All bytes up to the end of the stream, however it comes."""
        try:
            return self._stream.read()
        except ConnectionError:
            return b""

    def close(self):
        self._stream.close()
        self._socket.close()


@pytest.fixture
def connect(start):
    """Starts a server on a free port and connects to it."""
    connections = []

    def connect(host="127.0.0.1"):
        raw = start("--tcp", f"{host}:0")
        announced = raw.said(rb"listening on .*:(\d+)")
        connection = Connection((host.strip("[]"), int(announced[1])))
        connections.append(connection)
        return raw, connection

    yield connect
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_client_is_served_over_tcp(connect, host):
    raw, client = connect(host)
    client.send(id=1, method="initialize", params=INITIALIZE)
    assert client.receive()["result"]["serverInfo"]["name"] == "rad-lsp"
    client.send(id=2, method="stats/history")
    assert client.receive()["error"]["data"] == {"kind": "NoWorkspace"}
    client.send(id=3, method="shutdown")
    assert client.receive() == {"jsonrpc": "2.0", "id": 3, "result": None}
    client.send(method="exit")
    assert raw.ended() == 0
    assert raw.unread() == []


def test_exit_without_shutdown_is_a_failure_over_tcp(connect):
    raw, client = connect()
    client.send(id=1, method="initialize", params=INITIALIZE)
    client.receive()
    client.send(method="exit")
    assert raw.ended() == 1


def test_the_server_ends_with_its_connection(connect):
    raw, client = connect()
    client.send(id=1, method="initialize", params=INITIALIZE)
    client.receive()
    client.close()
    raw.ended()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_web_pages_request_is_not_taken_for_a_message(connect, method):
    raw, client = connect()
    body = json.dumps(
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
    ).encode()
    client.send_bytes(
        f"{method} / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
        + frame(body)
    )
    assert client.rest() == b""
    assert not re.search(rb"Traceback", raw.errors)


def test_malformed_messages_are_answered_over_tcp_as_well(connect):
    _, client = connect()
    client.send_bytes(frame(b"{"))
    assert client.receive()["error"]["code"] == -32700
    client.send(id=2**70, method="stats/history")
    assert client.receive() == {
        "jsonrpc": "2.0",
        "id": 2**70,
        "error": {"code": -32002, "message": "The server is not initialized yet"},
    }
    client.send(id=1, method="initialize", params=INITIALIZE)
    assert "result" in client.receive()
