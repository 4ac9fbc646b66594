"""The language server, assembled from its parts."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from rad_lsp import __version__
from rad_lsp.core.wording import printable
from rad_lsp.server import features, registry
from rad_lsp.server.context import Context
from rad_lsp.server.protocol import RadProtocol, converter


class RadServer(LanguageServer):
    """A language server for one client, until `stopped` returns."""

    protocol: RadProtocol

    def __init__(self) -> None:
        super().__init__(
            "rad-lsp",
            __version__,
            text_document_sync_kind=types.TextDocumentSyncKind.Incremental,
            protocol_cls=RadProtocol,
            converter_factory=converter,
        )
        self.protocol.stop = self.stop
        self._exit_code: Future[int] = Future()
        self.context = Context(self, self.stop, self.protocol.room)

    def window_show_message(self, params: types.ShowMessageParams) -> None:
        """Show the user a sentence, which may quote a file or a setting."""
        params.message = printable(params.message)
        super().window_show_message(params)

    def stop(self, code: int) -> None:
        """End serving with an exit code. A later call changes nothing."""
        if not self._exit_code.done():
            self._exit_code.set_result(code)

    async def stopped(self) -> int:
        """Wait until serving has ended; returns the exit code."""
        code = await asyncio.wrap_future(self._exit_code)
        await self.protocol.finish()
        await asyncio.gather(self.context.folders.close(), self.context.tasks.cancel())
        return code


def create_server() -> RadServer:
    """A server with all features, ready to be served."""
    features.load()
    server = RadServer()
    registry.register_all(server, server.context)
    return server
