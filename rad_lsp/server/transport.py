"""Serves one client on stdio: reads frames, and hands messages to the protocol."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import re
import sys
import threading
from typing import TYPE_CHECKING, BinaryIO, Final

from rad_lsp.server.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rad_lsp.server.app import RadServer

logger = logging.getLogger(__name__)

MAX_BODY: Final = 64 * 1024 * 1024
"""The most bytes of a message: memory is set aside for a whole one."""

FLUSH_SECONDS: Final = 5.0
"""How long the process waits, at its end, for a client that does not read."""

_MAX_HEADER: Final = 64 * 1024
_CHUNK: Final = 256 * 1024

# Strict, so that a request of another protocol, such as HTTP from a web page, is refused.
_HEADER: Final = re.compile(
    rb"(?:content-type:[^\r\n]*\r\n)?content-length:[ \t]*(\d{1,12})[ \t]*"
    rb"(?:\r\ncontent-type:[^\r\n]*)?",
    re.IGNORECASE,
)


class InvalidFrame(Exception):
    """The stream has bytes that are no frame, so that no later frame can be found either.

    Its text is a sentence for the client and the log, without any of the bytes.
    """


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
                raise InvalidFrame(f"A header of {len(self._buffer):,} bytes has no end")
            return False
        header = bytes(self._buffer[:end])
        match = _HEADER.fullmatch(header)
        if match is None:
            raise InvalidFrame(f"A header of {len(header):,} bytes is none of this protocol")
        if int(match[1]) > MAX_BODY:
            size = f"{int(match[1]):,} bytes"
            raise InvalidFrame(f"A message of {size} is longer than {MAX_BODY >> 20} MiB")
        self._length = int(match[1])
        del self._buffer[: end + 4]
        return True


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
    # Not by the stream itself, whose lock a write that waits would hold at the process's end.
    write = functools.partial(os.write, writer.fileno())
    outbox = Outbox(write, functools.partial(server.stop, 1))
    intake = server.protocol.connect(loop, outbox)

    def read() -> None:
        frames = Frames()
        try:
            # Unbuffered: a thread that waits in a buffered reader blocks the interpreter's exit.
            while data := os.read(descriptor, _CHUNK):
                for body in frames.feed(data):
                    intake.put(body)
            code = 0
        except InvalidFrame as error:
            logger.error("The connection ends: %s", error)  # noqa: TRY400
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(server.protocol.refuse_stream, str(error))
            code = 1
        except OSError as error:
            logger.error("The client's stream broke: %s", error)  # noqa: TRY400
            code = 1
        except RuntimeError:
            return  # the loop has ended before the stream
        intake.wait()
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(server.stop, code)

    # A daemon, so that a read that waits does not keep the process alive after exit.
    threading.Thread(target=read, name="reader", daemon=True).start()
    code = await server.stopped()
    await asyncio.to_thread(outbox.flush, FLUSH_SECONDS)
    return code
