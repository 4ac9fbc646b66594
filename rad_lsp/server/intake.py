"""Messages of the client on their way from the thread that reads them to the event loop."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

_MAX_UNHANDLED: Final = 256 << 10
"""Bytes of messages that may wait; with more, nothing is read."""


class Intake:
    """Has messages handled in their order, in the event loop, while `has_room` is true.

    So what waits to be handled stays small, and what an answer needs is not used up before the
    client has read the answers before it.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        handle: Callable[[bytes], None],
        has_room: Callable[[], bool],
    ) -> None:
        self._loop = loop
        self._handle = handle
        self._has_room = has_room
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._changed = threading.Condition()

    def put(self, body: bytes) -> None:
        """Let a message be handled; waits while there are too many.

        Is called in the thread that reads. Raises RuntimeError when the loop has ended.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._size <= _MAX_UNHANDLED)
            self._size += len(body)
        self._loop.call_soon_threadsafe(self._add, body)

    def wait(self) -> None:
        """Wait until all messages are handled. Is called in the thread that reads."""
        with self._changed:
            self._changed.wait_for(lambda: not self._size)

    def resume(self) -> None:
        """Go on where there may be room again. Can be called in any thread."""
        if self._waiting:
            self._loop.call_soon_threadsafe(self._next)

    def _add(self, body: bytes) -> None:
        self._waiting.append(body)
        self._next()

    def _next(self) -> None:
        if not self._waiting or not self._has_room():
            return
        body = self._waiting.popleft()
        self._handle(body)
        with self._changed:
            self._size -= len(body)
            self._changed.notify_all()
        if self._waiting:
            self._loop.call_soon(self._next)
