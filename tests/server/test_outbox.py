"""Messages that wait until the client reads them."""

from __future__ import annotations

import threading

import pytest

from rad_lsp.server.outbox import MAX_UNREAD, Outbox

PATIENCE = 30


class Client:
    """Reads what is written only while it may; says when it is gone."""

    def __init__(self):
        self.reads = threading.Event()
        self.is_gone = False
        self.gone = threading.Event()
        self.waited_for = threading.Event()
        self.got = b""

    def write_some(self, data):
        self.waited_for.set()
        assert self.reads.wait(PATIENCE)
        if self.is_gone:
            raise BrokenPipeError
        self.got += data[:1000]
        return len(data[:1000])


@pytest.fixture
def client():
    made = Client()
    yield made
    made.reads.set()


@pytest.fixture
def outbox(client):
    """Has one message that the client is being sent, so that all others wait."""
    made = Outbox(client.write_some, client.gone.set)
    made.write(b"first,")
    assert client.waited_for.wait(PATIENCE)
    return made


def test_messages_are_written_whole_and_in_order(client, outbox):
    outbox.write(b"a" * 2500)
    outbox.write(b"b" * 2500)
    client.reads.set()
    outbox.flush(PATIENCE)
    assert client.got == b"first," + b"a" * 2500 + b"b" * 2500


def test_what_is_replaced_before_it_is_read_is_never_sent(client, outbox):
    for number in range(1000):
        outbox.write(b"status %d," % number, key="status")
        outbox.write(b"other %d," % number, key="other")
    outbox.write(b"answer")
    client.reads.set()
    outbox.flush(PATIENCE)
    assert client.got == b"first,status 999,other 999,answer"


def test_what_was_sent_is_not_replaced(client, outbox):
    client.reads.set()
    for text in (b"a", b"b"):
        outbox.write(text, key="status")
        outbox.flush(PATIENCE)
    assert client.got == b"first,ab"


def test_there_is_room_again_once_the_client_has_read(client, outbox):
    has_read = threading.Event()
    outbox.on_room = has_read.set
    assert outbox.has_room()
    for _ in range(9):
        outbox.write(bytes(MAX_UNREAD // 8), key=None)
    assert not outbox.has_room()
    client.reads.set()
    assert has_read.wait(PATIENCE)
    outbox.flush(PATIENCE)
    assert outbox.has_room()


def test_a_client_that_never_reads_is_not_waited_for(client, outbox):
    outbox.flush(0.01)
    assert client.got == b""


def test_when_the_client_is_gone_nothing_is_kept_for_it(client, outbox):
    outbox.write(bytes(2 * MAX_UNREAD))
    client.is_gone = True
    client.reads.set()
    assert client.gone.wait(PATIENCE)
    outbox.write(bytes(2 * MAX_UNREAD))
    assert outbox.has_room()
    outbox.flush(PATIENCE)
