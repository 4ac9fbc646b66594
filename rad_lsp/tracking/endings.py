"""Closes open sessions when a signal ends the program."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)
"""Signals that end a Python program without cleaning up; only Windows has the last one."""

_open: list[Callable[[], None]] = []
_before: dict[int, Any] = {}


def register(close: Callable[[], None]) -> None:
    """Call `close` when a signal ends the program.

    A signal that the program handles itself is left alone. Outside the main thread all are,
    because Python allows no handlers to be set there.
    """
    _open.append(close)
    if threading.current_thread() is not threading.main_thread():
        return
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            _before[number] = signal.signal(number, _end)


def unregister(close: Callable[[], None]) -> None:
    """Forget what has been called; after the last one, restore the signals' handlers."""
    with contextlib.suppress(ValueError):
        _open.remove(close)
    if _open or threading.current_thread() is not threading.main_thread():
        return
    while _before:
        number, handler = _before.popitem()
        if signal.getsignal(number) is _end:
            signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> None:
    for close in reversed(_open.copy()):
        close()
    # The program must end by the signal, so that its parent process sees what ended it.
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
