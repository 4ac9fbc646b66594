"""Ends the server when the client's process has ended, which may leave the pipe open."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS: Final = 2.0
"""How often to look for the client's process."""


async def watch_parent(process_id: int, stop: Callable[[int], None]) -> None:
    """Call `stop` with 1 once the process has ended."""
    while is_alive(process_id):  # noqa: ASYNC110  (no event tells of a process that is not ours)
        await asyncio.sleep(SECONDS)
    stop(1)


def is_alive(process_id: int) -> bool:
    """Whether there is a process with that id; True where that is not known."""
    if process_id <= 0:
        return True
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        synchronize, still_waiting = 0x100000, 0x102
        handle = kernel.OpenProcess(synchronize, False, process_id)  # noqa: FBT003
        if not handle:
            return bool(kernel.GetLastError() == 5)  # noqa: PLR2004  (access denied: it is there)
        waited = kernel.WaitForSingleObject(handle, 0)
        kernel.CloseHandle(handle)
        return bool(waited == still_waiting)
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
