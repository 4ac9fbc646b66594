"""Serving one client: frames in from a stream on a thread, messages handled on the event loop."""

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
"""A longer message is no message but a stream out of step."""

_MAX_HEADER: Final = 64 * 1024
_CHUNK: Final = 256 * 1024
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,12})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


class StreamWriter:
    """Writes whole frames, from any thread, one after the other."""

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
    """The real stdout, for frames only; whatever else is printed goes to stderr from now on."""
    sys.stdout.flush()
    real = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return real


def serve(server: RadServer, descriptor: int, writer: BinaryIO) -> int:
    """Serve the client that writes to a file descriptor, until it exits or the stream ends.

    Returns the process's exit code.
    """
    return asyncio.run(_serve(server, descriptor, writer))


def frames(descriptor: int) -> Iterator[bytes]:
    """Message bodies, until the stream ends or falls out of step. Raises OSError."""
    # Plain reads: a buffered reader that a thread waits in blocks the interpreter's exit.
    buffer = bytearray()
    while True:
        while (end := buffer.find(b"\r\n\r\n")) < 0:
            if len(buffer) > _MAX_HEADER or not (chunk := os.read(descriptor, _CHUNK)):
                return
            buffer += chunk
        match = _LENGTH.search(buffer, 0, end)
        length = int(match[1]) if match else -1
        if not 0 <= length <= MAX_BODY:
            logger.error("The client's stream is out of step: %r", bytes(buffer[: min(end, 200)]))
            return
        start = end + 4
        while len(buffer) < start + length:
            if not (chunk := os.read(descriptor, _CHUNK)):
                return
            buffer += chunk
        yield bytes(buffer[start : start + length])
        del buffer[: start + length]


async def _serve(server: RadServer, descriptor: int, writer: BinaryIO) -> int:
    loop = asyncio.get_running_loop()
    server.protocol.set_writer(StreamWriter(writer))
    server.start(loop)

    def read() -> None:
        try:
            for body in frames(descriptor):
                loop.call_soon_threadsafe(server.protocol.receive, body)
        except OSError:
            logger.info("The client's stream broke")
        except RuntimeError:
            return  # the loop has ended before the stream
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(server.stop, 0)

    # A daemon: a read that waits must not keep the process when the client says exit.
    threading.Thread(target=read, name="reader", daemon=True).start()
    return await server.stopped()
