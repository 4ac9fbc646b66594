"""A limit on how often something is done."""

from __future__ import annotations

import asyncio
import time


class RateLimiter:
    """Lets its users go on one after the other, with `seconds` between two of them at least."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = asyncio.Lock()
        self._last = -seconds

    async def wait(self) -> bool:
        """Wait for this user's turn; returns whether that took any time."""
        waited = self._lock.locked()
        async with self._lock:
            pause = self._last + self._seconds - time.monotonic()
            if pause > 0:
                waited = True
                await asyncio.sleep(pause)
            self._last = time.monotonic()
        return waited
