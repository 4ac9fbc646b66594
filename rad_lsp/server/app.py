"""The server itself, and how it is put together."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from rad_lsp import __version__, wire
from rad_lsp.server import registry
from rad_lsp.server.client import ClientSays
from rad_lsp.server.diagnostics import Diagnostics
from rad_lsp.server.documents import Documents
from rad_lsp.server.folders import Folders
from rad_lsp.server.protocol import RadProtocol, converter
from rad_lsp.server.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from rad_lsp.server.folders import Folder

logger = logging.getLogger(__name__)

NAME = "rad-lsp"


class RadServer(LanguageServer):
    """A language server with the sessions of its workspace folders."""

    protocol: RadProtocol

    def __init__(self) -> None:
        super().__init__(
            NAME,
            __version__,
            text_document_sync_kind=types.TextDocumentSyncKind.Incremental,
            protocol_cls=RadProtocol,
            converter_factory=converter,
        )
        self.client = ClientSays()
        self.documents = Documents(self)
        self.diagnostics = Diagnostics(self)
        self.folders = Folders(self)
        self.work = Work(self)
        self._complaints: dict[str, str] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._exit_code: asyncio.Future[int] | None = None

    @property
    def position_encoding(self) -> types.PositionEncodingKind:
        """The encoding of positions that was agreed on."""
        return types.PositionEncodingKind(self.workspace.position_encoding)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to serve on a running event loop."""
        self._exit_code = loop.create_future()

    def stop(self, code: int) -> None:
        """End serving with an exit code; the first one counts."""
        if self._exit_code is not None and not self._exit_code.done():
            self._exit_code.set_result(code)

    async def stopped(self) -> int:
        """The exit code, once serving has ended."""
        if self._exit_code is None:
            raise RuntimeError("The server has not been started")
        code = await self._exit_code
        await self.protocol.finish()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self.folders.close(), *self._tasks, return_exceptions=True)
        return code

    def in_background(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something on the side; an error in it is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A background task failed", exc_info=error)

    # What the folders tell.

    def status(self, status: wire.Status) -> None:
        """Send a folder's status."""
        self.protocol.notify(wire.STATUS, status)

    def linked(self) -> frozenset[str]:
        """Commands that links may name."""
        return self.client.linked

    def changed(self, folder: Folder) -> None:
        """Bring diagnostics, lenses and hints up to a new snapshot."""
        self.in_background(self.diagnostics.update(folder))
        for supported, refresh in (
            (self.client.refreshes_lenses, self.workspace_code_lens_refresh_async),
            (self.client.refreshes_hints, self.workspace_inlay_hint_refresh_async),
            (self.client.refreshes_diagnostics, self.workspace_diagnostic_refresh_async),
        ):
            if supported and self.documents.any_open():
                self.in_background(self._refreshed(refresh))

    def complain(self, folder: Folder, message: str) -> None:
        """Say once what is wrong with the settings."""
        if message and message not in self._complaints.values():
            params = types.ShowMessageParams(types.MessageType.Warning, message)
            self.window_show_message(params)
        self._complaints[folder.uri] = message

    async def show_reading(self, folder: Folder, read: Callable[[], int]) -> None:
        """Show the progress of a first read that takes long."""
        await self.work.show(f"Reading sessions of {folder.path.name}", read)

    @staticmethod
    async def _refreshed(refresh: Callable[[None], Any]) -> None:
        """A client that does not do as it said it could must not fill the log."""
        try:
            await refresh(None)
        except Exception:  # noqa: BLE001  (whatever the client answers)
            logger.debug("The client refused to refresh")


def create_server() -> RadServer:
    """A server with all features, ready to be served."""
    from rad_lsp.server import features

    features.load()
    server = RadServer()
    registry.register_all(server)
    return server
