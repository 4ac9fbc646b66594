"""Bytes as they come, cut into message bodies."""

from __future__ import annotations

import pytest

from rad_lsp.server.transport import MAX_BODY, Frames, InvalidFrame


def frame(body):
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def test_bodies_come_out_in_order():
    assert list(Frames().feed(frame(b"{}") + frame(b"") + frame(b"[1]"))) == [b"{}", b"", b"[1]"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_it_does_not_matter_where_the_stream_is_cut(size):
    data = b"".join(map(frame, (b"{}", b"x" * 100, "é😀".encode())))
    frames = Frames()
    found = []
    for start in range(0, len(data), size):
        found += frames.feed(data[start : start + size])
    assert found == [b"{}", b"x" * 100, "é😀".encode()]


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Length: 2",
        b"content-length:2",
        b"CONTENT-LENGTH:\t2 ",
        b"Content-Length: 2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8",
        b"Content-Type: application/vscode-jsonrpc\r\nContent-Length: 002",
    ],
)
def test_headers_as_clients_write_them(header):
    assert list(Frames().feed(header + b"\r\n\r\n{}")) == [b"{}"]


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: localhost",
        b"POST / HTTP/1.1\r\nContent-Length: 2",
        b"Host: localhost\r\nContent-Length: 2",
        b"Content-Length: 2\r\nHost: localhost",
        b"Content-Length: 2\r\nContent-Length: 3",
        b"Content-Length: -1",
        b"Content-Length: 0x10",
        b"Content-Length: two",
        b"Content-Length:",
        b"Content-Length: 1 2",
        b"Content-Length: %d" % (MAX_BODY + 1),
        b"Content-Length: 99999999999999999999",
        "Content-Length: ٢".encode(),
        b" Content-Length: 2",
        b"Content-Length : 2",
        b"\0",
    ],
)
def test_what_no_client_writes_is_out_of_step(header):
    with pytest.raises(InvalidFrame):
        list(Frames().feed(header + b"\r\n\r\n{}"))


def test_what_came_before_is_not_lost_when_the_stream_goes_out_of_step():
    bodies = Frames().feed(frame(b"{}") + b"nonsense\r\n\r\n")
    assert next(bodies) == b"{}"
    with pytest.raises(InvalidFrame):
        next(bodies)


def test_a_header_without_an_end_is_not_waited_for_for_ever():
    frames = Frames()
    assert list(frames.feed(b"x" * 1000)) == []
    with pytest.raises(InvalidFrame):
        list(frames.feed(b"x" * 1_000_000))


def test_a_message_that_has_not_come_whole_is_waited_for():
    frames = Frames()
    assert list(frames.feed(b"Content-Length: 4\r\n\r\n[1,")) == []
    assert list(frames.feed(b"")) == []
    assert list(frames.feed(b"]")) == [b"[1,]"]
