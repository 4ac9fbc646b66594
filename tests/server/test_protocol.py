"""One reply per request also where a handler lets us down."""

from __future__ import annotations

import asyncio
import json

import pytest

from rad_lsp.server.app import create_server


class Kept:
    """A writer that keeps the messages."""

    def __init__(self):
        self.messages = []

    def write(self, data, _key=None):
        self.messages.append(json.loads(data.partition(b"\r\n\r\n")[2]))

    def close(self):
        pass


@pytest.fixture
async def receive():
    """Sends a request to a server in this process that has these extra handlers."""
    server = create_server()
    kept = Kept()
    server.protocol.set_writer(kept)

    async def receive(method, handler, params=None):
        server.feature(method)(handler)
        message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        server.protocol.receive(json.dumps(message).encode())
        async with asyncio.timeout(30):
            while not (found := [m for m in kept.messages if m.get("id") == 7]):  # noqa: ASYNC110
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len([m for m in kept.messages if m.get("id") == 7]) == 1
        return found[0]

    params = {"processId": None, "rootUri": None, "capabilities": {}}
    message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
    server.protocol.receive(json.dumps(message).encode())
    yield receive
    server.stop(0)
    await server.stopped()


def endless():
    found = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    "result",
    [object(), {"a": {1, 2}}, [object()], {object(): 1}, endless(), 1j],
    ids=["object", "set", "list", "key", "endless", "complex"],
)
@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_result_that_cannot_be_sent_is_an_internal_error(receive, result, kind):
    def sync(_params):
        return result

    async def asynchronous(_params):
        return result

    reply = await receive("test/odd", sync if kind == "sync" else asynchronous)
    assert reply["error"]["code"] == -32603


@pytest.mark.parametrize(
    "error", [KeyError("/secret/path"), RecursionError(), OSError(2, "x", "/secret/path")]
)
@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_an_unforeseen_error_tells_nothing_of_the_machine(receive, error, kind):
    def sync(_params):
        raise error

    async def asynchronous(_params):
        raise error

    reply = await receive("test/odd", sync if kind == "sync" else asynchronous)
    assert reply["error"]["code"] == -32603
    assert "secret" not in json.dumps(reply)
    assert "Traceback" not in json.dumps(reply)


async def test_text_that_is_no_unicode_is_sent_all_the_same(receive):
    reply = await receive("test/odd", lambda _params: "\ud800")
    assert reply["result"] == "\ud800"
