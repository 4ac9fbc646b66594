"""The progress of long work, shown by the client, and its cancellation."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from rad_lsp.core.wording import printable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from pygls.progress import Progress

    from rad_lsp.server.client import ClientCapabilities

QUIET_SECONDS: Final = 0.5
"""How long work may take before its progress is shown."""

_REPORT_SECONDS: Final = 0.25


class ProgressReporter:
    """Shows the client how far long work has come, if the client can show that."""

    def __init__(self, client: ClientCapabilities, progress: Progress) -> None:
        self._client = client
        self._progress = progress

    @contextlib.asynccontextmanager
    async def shown(
        self, title: str, done: Callable[[], int], cancel: Callable[[], object] | None = None
    ) -> AsyncIterator[None]:
        """Show how far the work in a `with` block has come: the count that `done` returns.

        `cancel` is called when the user cancels the work; without it the user can't.
        """
        task = asyncio.create_task(self._show(title, done, cancel))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _show(
        self, title: str, done: Callable[[], int], cancel: Callable[[], object] | None
    ) -> None:
        await asyncio.sleep(QUIET_SECONDS)
        if not self._client.shows_progress:
            return
        progress = self._progress
        token = str(uuid.uuid4())
        begin = types.WorkDoneProgressBegin(title=printable(title), cancellable=cancel is not None)
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
