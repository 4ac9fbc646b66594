"""Closes open sessions when a signal ends the program."""

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
"""Signals that end a Python program without cleaning up; only Windows has the last one."""

_open: list[Closable] = []
_before: dict[int, Any] = {}


class Closable(Protocol):
    """What can be closed before the program ends."""

    def close(self) -> None:
        """Close it; does nothing the second time."""


def register(session: Closable) -> None:
    """Close a session when a signal ends the program.

    A signal that the program handles itself is left alone. Outside the main thread all are,
    because Python allows no handlers to be set there.
    """
    _open.append(session)
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            _before[number] = signal.signal(number, _end)


def unregister(session: Closable) -> None:
    """Forget a closed session; after the last one, restore the signals' handlers."""
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
    # The program must end by the signal, so that its parent process sees what ended it.
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
