"""What waits until the client reads it: state in its newest form only, answers in order."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

MAX_UNREAD: Final = 8 << 20
"""The bytes that may wait before nothing more is asked of the server."""

_PIECE: Final = 64 << 10
"""Bytes written at a time, so that a slow client is told from one that does not read."""


class Outbox:
    """Writes messages in a thread of its own, so that a client that does not read delays no work.

    `write_some` writes some of the bytes that it is given, and returns how many. When it raises
    OSError the client is gone, and `broken` is called. `on_room` is called when messages have
    been written. All three are called in the thread.
    """

    def __init__(self, write_some: Callable[[memoryview], int], broken: Callable[[], None]) -> None:
        self.on_room: Callable[[], None] = _ignore
        self._write_some = write_some
        self._broken = broken
        self._unwritten: OrderedDict[Hashable, bytes] = OrderedDict()
        self._size = 0
        self._pieces = 0
        self._is_broken = False
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        # A daemon, so that a client that never reads does not keep the process alive.
        threading.Thread(target=self._write_all, name="writer", daemon=True).start()

    def write(self, message: bytes, key: Hashable = None) -> None:
        """Let a message be written after those that wait.

        With a key it takes the place of the message that has the same key and still waits. Can be
        called in any thread. Messages to a client that is gone are dropped.
        """
        with self._changed:
            if self._is_broken:
                return
            if key is None:
                key = next(self._numbers)
            self._size += len(message) - len(self._unwritten.get(key, b""))
            self._unwritten[key] = message
            self._changed.notify_all()

    def has_room(self) -> bool:
        """Whether the client has read so much that more may be asked of the server."""
        return self._size <= MAX_UNREAD

    def flush(self, seconds: float) -> None:
        """Wait until all is written, as long as something is in every `seconds`."""
        with self._changed:
            while self._size:
                pieces = self._pieces
                if not self._changed.wait_for(lambda: self._pieces != pieces, seconds):  # noqa: B023
                    return

    def close(self) -> None:
        """Do nothing: the streams are closed when the process ends."""

    def _write_all(self) -> None:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._unwritten)
                    _, message = self._unwritten.popitem(last=False)
                self._write(memoryview(message))
                self.on_room()
        except OSError:
            with self._changed:
                self._is_broken = True
                self._unwritten.clear()
                self._size = 0
                self._pieces += 1
                self._changed.notify_all()
            self._broken()

    def _write(self, rest: memoryview) -> None:
        while rest:
            written = self._write_some(rest[:_PIECE])
            rest = rest[written:]
            with self._changed:
                self._size -= written
                self._pieces += 1
                self._changed.notify_all()


def _ignore() -> None:
    """Nobody waits for room."""
