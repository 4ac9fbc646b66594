"""Reads the titles of sessions in a thread of its own: transcripts may be long."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from rad_lsp.service.titles import Titles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rad_lsp.core.session import Session
    from rad_lsp.service import Machine


class TitleReader:
    """`known` are the titles that were read, for all folders. `machine` finds their transcripts."""

    def __init__(self, machine: Callable[[], Machine]) -> None:
        self.known = Titles(lambda session: machine().title(session))
        self._executor = ThreadPoolExecutor(1, "titles")

    async def read(self, sessions: Iterable[Session]) -> bool:
        """Read the titles that are not known; returns whether any is another one now."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self.known.read, sessions)

    def close(self) -> None:
        """Read no more."""
        self._executor.shutdown(wait=False, cancel_futures=True)
