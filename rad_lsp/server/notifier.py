"""Notifies the client of changes in its workspace folders."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from rad_lsp import wire
from rad_lsp.server.notices import Notices

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from contextlib import AbstractAsyncContextManager

    from pygls.lsp.server import LanguageServer

    from rad_lsp.server.background import BackgroundTasks
    from rad_lsp.server.client import ClientCapabilities
    from rad_lsp.server.diagnostics import Diagnostics
    from rad_lsp.server.documents import Documents
    from rad_lsp.server.folder_sessions import FolderSessions
    from rad_lsp.server.progress import ProgressReporter

logger = logging.getLogger(__name__)


class Notifier:
    """Sends the client the status of its folders, and asks it to refresh what it shows.

    `notices` tell the user of budgets and plan limits.
    """

    def __init__(
        self,
        server: LanguageServer,
        client: ClientCapabilities,
        documents: Documents,
        diagnostics: Diagnostics,
        progress: ProgressReporter,
        tasks: BackgroundTasks,
    ) -> None:
        self._server = server
        self._client = client
        self._documents = documents
        self._diagnostics = diagnostics
        self._progress = progress
        self._tasks = tasks
        self._refreshes: dict[Callable[[None], Any], _Refresh] = {}
        self._warned: dict[str, tuple[str, ...]] = {}
        self.notices = Notices(server, client, tasks)

    def status(self, status: wire.Status) -> None:
        """Send a folder's status."""
        self._server.protocol.notify(wire.STATUS, status)

    def linked(self) -> Collection[str]:
        """Returns the commands that links may name."""
        return self._client.linked

    def changed(self, sessions: FolderSessions) -> None:
        """Bring diagnostics, lenses and hints up to date with a folder's new snapshot."""
        self._tasks.start(self._diagnostics.update(sessions))
        for supported, refresh in (
            (self._client.refreshes_lenses, self._server.workspace_code_lens_refresh_async),
            (self._client.refreshes_hints, self._server.workspace_inlay_hint_refresh_async),
            (self._client.refreshes_diagnostics, self._server.workspace_diagnostic_refresh_async),
        ):
            if supported and self._documents.any_open():
                self._refreshes.setdefault(refresh, _Refresh(refresh, self._tasks)).ask()

    def warn(self, uri: str, *sentences: str) -> None:
        """Show what is wrong with a folder's settings; an empty sentence is nothing.

        Each sentence is shown once while it holds, for all folders that share it.
        """
        shown = {"", *itertools.chain.from_iterable(self._warned.values())}
        for sentence in sentences:
            if sentence not in shown:
                params = types.ShowMessageParams(types.MessageType.Warning, sentence)
                self._server.window_show_message(params)
        self._warned[uri] = sentences

    def first_read(self, name: str, sessions: FolderSessions) -> AbstractAsyncContextManager[None]:
        """Show the progress of the first read of a folder, in a `with` block."""
        return self._progress.shown(f"Reading sessions of {name}", lambda: sessions.files_read)


class _Refresh:
    """Asks the client to refresh something: again only when it has answered the time before."""

    def __init__(self, refresh: Callable[[None], Any], tasks: BackgroundTasks) -> None:
        self._refresh = refresh
        self._tasks = tasks
        self._is_asked = False
        self._is_asking = False

    def ask(self) -> None:
        """Ask now, or once the client has answered the time before."""
        self._is_asked = True
        if not self._is_asking:
            self._is_asking = True
            self._tasks.start(self._ask())

    async def _ask(self) -> None:
        while self._is_asked:
            self._is_asked = False
            try:
                await self._refresh(None)
            except Exception:  # noqa: BLE001  (whatever the client answers)
                # A client that refuses does so after each change: warnings would fill the log.
                logger.debug("The client refused to refresh")
        self._is_asking = False
