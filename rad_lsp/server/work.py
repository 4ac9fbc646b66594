"""Progress of long work, where the client shows it, and its cancellation."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import TYPE_CHECKING, Final

from lsprotocol import types

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from rad_lsp.server.app import RadServer

QUIET_SECONDS: Final = 0.5
"""Work that takes no longer shows no progress."""

_REPORT_SECONDS: Final = 0.25


class Work:
    """Shows the client what the server is busy with."""

    def __init__(self, server: RadServer) -> None:
        self._server = server

    async def show(
        self, title: str, done: Callable[[], int], cancel: Callable[[], object] | None = None
    ) -> None:
        """Show a count until cancelled; `cancel` is called when the user cancels the work."""
        await asyncio.sleep(QUIET_SECONDS)
        if not self._server.client.shows_progress:
            return
        progress = self._server.work_done_progress
        token = str(uuid.uuid4())
        begin = types.WorkDoneProgressBegin(title=title, cancellable=cancel is not None)
        try:
            await progress.create_async(token)
            progress.begin(token, begin)
            while True:
                if cancel is not None and progress.tokens[token].cancelled():
                    cancel()
                    return
                report = types.WorkDoneProgressReport(message=f"{done():,}")
                progress.report(token, report)
                await asyncio.sleep(_REPORT_SECONDS)
        finally:
            if progress.tokens.pop(token, None) is not None:
                progress.end(token, types.WorkDoneProgressEnd())

    @contextlib.asynccontextmanager
    async def shown(
        self, title: str, done: Callable[[], int], cancel: Callable[[], object]
    ) -> AsyncIterator[None]:
        """Show the work of a block."""
        task = asyncio.create_task(self.show(title, done, cancel))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
