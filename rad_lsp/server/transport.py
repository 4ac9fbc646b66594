"""Serves one client on stdio or a socket: reads frames, and hands messages to the protocol."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import sys
import threading
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rad_lsp.server.app import RadServer

logger = logging.getLogger(__name__)

MAX_BODY: Final = 256 * 1024 * 1024
"""The most bytes of a message. A larger number is taken for a sign of a broken stream."""

_MAX_HEADER: Final = 64 * 1024
_CHUNK: Final = 256 * 1024

# Strict, so that a request of another protocol, such as HTTP from a web page, is refused.
_HEADER: Final = re.compile(
    rb"(?:content-type:[^\r\n]*\r\n)?content-length:[ \t]*(\d{1,12})[ \t]*"
    rb"(?:\r\ncontent-type:[^\r\n]*)?",
    re.IGNORECASE,
)


class InvalidFrame(Exception):
    """The stream has bytes that are no frame, so that no later frame can be found either."""


class Frames:
    """Splits a stream of bytes into the bodies of messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._length: int | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The bodies that are complete once `data` has come. Raises InvalidFrame."""
        self._buffer += data
        while True:
            if self._length is None and not self._read_header():
                return
            length = self._length or 0
            if len(self._buffer) < length:
                return
            body = bytes(self._buffer[:length])
            del self._buffer[:length]
            self._length = None
            yield body

    def _read_header(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n", 0, _MAX_HEADER)
        if end < 0:
            if len(self._buffer) >= _MAX_HEADER:
                raise InvalidFrame("a header without an end")
            return False
        header = bytes(self._buffer[:end])
        match = _HEADER.fullmatch(header)
        if match is None or int(match[1]) > MAX_BODY:
            raise InvalidFrame(f"{header[:100]!r} is no header")
        self._length = int(match[1])
        del self._buffer[: end + 4]
        return True


class StreamWriter:
    """Writes whole frames, from any thread."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        """Write and flush. Raises OSError when the client is gone."""
        with self._lock:
            self._stream.write(data)
            self._stream.flush()

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()


def own_stdout() -> BinaryIO:
    """The real stdout, for frames only. Everything that is printed goes to stderr from now on."""
    sys.stdout.flush()
    real = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return real


async def serve_stdio(server: RadServer, descriptor: int, writer: BinaryIO) -> int:
    """Serve the client that writes to a file descriptor, until it says exit or the stream ends.

    Returns the process's exit code.
    """
    loop = asyncio.get_running_loop()
    server.protocol.set_writer(StreamWriter(writer))

    def read() -> None:
        frames = Frames()
        try:
            # Unbuffered: a thread that waits in a buffered reader blocks the interpreter's exit.
            while data := os.read(descriptor, _CHUNK):
                for body in frames.feed(data):
                    loop.call_soon_threadsafe(server.protocol.receive, body)
            code = 0
        except (OSError, InvalidFrame) as error:
            logger.error("The client's stream broke: %s", error)  # noqa: TRY400
            code = 1
        except RuntimeError:
            return  # the loop has ended before the stream
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(server.stop, code)

    # A daemon, so that a read that waits does not keep the process alive after exit.
    threading.Thread(target=read, name="reader", daemon=True).start()
    return await server.stopped()


async def serve_tcp(server: RadServer, host: str, port: int) -> int:
    """Serve the first client that sends a message, until it says exit or the connection ends.

    Writes to stderr where it listens. Returns the process's exit code.
    """
    client: asyncio.StreamWriter | None = None

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The first connection that sends a message is the client; others are closed."""
        nonlocal client
        frames = Frames()
        code = 0
        try:
            while data := await reader.read(_CHUNK):
                for body in frames.feed(data):
                    if client is None:
                        client = writer
                        server.protocol.set_writer(writer)
                    if client is writer:
                        server.protocol.receive(body)
                if client not in {None, writer}:
                    break
        except (OSError, InvalidFrame) as error:
            logger.error("A connection broke: %s", error)  # noqa: TRY400
            code = 1
        writer.close()
        if client is writer:
            server.stop(code)

    try:
        listener = await asyncio.start_server(connected, host, port)
    except OSError as error:
        sys.stderr.write(f"rad-lsp: can't listen on {host}:{port}: {error.strerror or error}\n")
        return 1
    names = ", ".join("{}:{}".format(*socket.getsockname()[:2]) for socket in listener.sockets)
    sys.stderr.write(f"rad-lsp: listening on {names}\n")
    sys.stderr.flush()
    try:
        return await server.stopped()
    finally:
        listener.close()
