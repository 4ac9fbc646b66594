"""The server itself, and how it is put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from rad_lsp import __version__
from rad_lsp.server import registry
from rad_lsp.server.folders import Folders
from rad_lsp.server.protocol import RadProtocol, converter

if TYPE_CHECKING:
    import asyncio

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
        self.folders = Folders(self._publish)
        self._exit_code: asyncio.Future[int] | None = None

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
        await self.folders.close()
        return code

    def _publish(self, method: str, params: Any) -> None:
        self.protocol.notify(method, params)


def create_server() -> RadServer:
    """A server with all features, ready to be served."""
    from rad_lsp.server.features import hover, lifecycle, stats  # noqa: F401  (they register)

    server = RadServer()
    registry.register_all(server)
    return server
