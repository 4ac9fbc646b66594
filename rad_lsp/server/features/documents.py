"""Reports that are opened, edited and closed: their live figures and problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from rad_lsp.server.registry import feature

if TYPE_CHECKING:
    from rad_lsp.server.app import RadServer


@feature(types.TEXT_DOCUMENT_DID_OPEN)
async def opened(ls: RadServer, params: types.DidOpenTextDocumentParams) -> None:
    """Show the problems of a report that was opened."""
    await _edited(ls, params.text_document.uri)


@feature(types.TEXT_DOCUMENT_DID_CHANGE)
async def changed(ls: RadServer, params: types.DidChangeTextDocumentParams) -> None:
    """Let the buffer's figures count."""
    await _edited(ls, params.text_document.uri)


@feature(types.TEXT_DOCUMENT_DID_CLOSE)
async def closed(ls: RadServer, params: types.DidCloseTextDocumentParams) -> None:
    """Let the file's figures count again."""
    path = ls.documents.path(params.text_document.uri)
    if path is None:
        return
    ls.diagnostics.forget(path)
    folder = ls.folders.holding(path)
    if folder is not None:
        await folder.edit(path, None)
        folder.hint([path])


async def _edited(ls: RadServer, uri: str) -> None:
    path = ls.documents.path(uri)
    document = ls.documents.opened(uri, path) if path is not None else None
    if path is None or document is None:
        return
    ls.diagnostics.push_open(document)
    folder = ls.folders.holding(path)
    if folder is not None:
        await folder.edit(path, document.content)
