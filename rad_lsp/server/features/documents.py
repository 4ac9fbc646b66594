"""Documents that are opened, edited and closed: figures and problems follow the buffer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from rad_lsp.server.registry import feature

if TYPE_CHECKING:
    from rad_lsp.server.context import Context
    from rad_lsp.server.documents import Document


# The handlers keep the buffer before they return, so that the next request sees it.


@feature(types.TEXT_DOCUMENT_DID_OPEN)
def opened(context: Context, params: types.DidOpenTextDocumentParams) -> None:
    """Show the problems of a document that was opened."""
    _show(context, context.documents.open(params.text_document.uri, params.text_document.text))


@feature(types.TEXT_DOCUMENT_DID_CHANGE)
def changed(context: Context, params: types.DidChangeTextDocumentParams) -> None:
    """Count the buffer's session from now on."""
    _show(context, context.documents.change(params.text_document.uri, params.content_changes))


@feature(types.TEXT_DOCUMENT_DID_CLOSE)
def closed(context: Context, params: types.DidCloseTextDocumentParams) -> None:
    """Count the file's session again."""
    path = context.documents.close(params.text_document.uri)
    if path is None:
        return
    folders = context.folders.all_holding(path)
    if not folders:
        context.diagnostics.clear(params.text_document.uri, path)
        return
    context.diagnostics.forget(path)
    for folder in folders:
        folder.edit(path, None)
        folder.hint([path])


def _show(context: Context, document: Document | None) -> None:
    if document is not None:
        context.edits.add(document)
