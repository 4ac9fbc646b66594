"""Ends the open sessions of a program that is told to end by a signal."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from types import FrameType

_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)
"""Signals that end a Python program without a chance to clean up; Windows has the last one."""

_open: list[Closable] = []
_before: dict[int, Any] = {}


class Closable(Protocol):
    """What is to be closed before the program ends."""

    def close(self) -> None:
        """Close it; does nothing the second time."""


def register(session: Closable) -> None:
    """Close a session, too, when a signal ends the program.

    Signals that the program handles itself are left to it, and all of them where sessions are
    opened outside the main thread, because Python then allows no handlers.
    """
    _open.append(session)
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            _before[number] = signal.signal(number, _end)


def unregister(session: Closable) -> None:
    """The session is closed; after the last one, signals do what they did before."""
    with contextlib.suppress(ValueError):
        _open.remove(session)
    if _open or threading.current_thread() is not threading.main_thread():
        return
    while _before:
        number, handler = _before.popitem()
        if signal.getsignal(number) is _end:
            signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> None:
    for session in reversed(_open.copy()):
        session.close()
    # The program ends as it would have without us, and whoever started it sees that.
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
