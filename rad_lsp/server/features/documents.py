"""Reports that are opened, edited and closed: their live figures and problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from rad_lsp.server.registry import feature

if TYPE_CHECKING:
    from rad_lsp.server.app import RadServer
    from rad_lsp.server.document import Document


# The buffer itself is kept at once, so that requests that follow see it.


@feature(types.TEXT_DOCUMENT_DID_OPEN)
def opened(ls: RadServer, params: types.DidOpenTextDocumentParams) -> None:
    """Show the problems of a report that was opened."""
    _show(ls, ls.documents.open(params.text_document.uri, params.text_document.text))


@feature(types.TEXT_DOCUMENT_DID_CHANGE)
def changed(ls: RadServer, params: types.DidChangeTextDocumentParams) -> None:
    """Let the buffer's figures count."""
    _show(ls, ls.documents.change(params.text_document.uri, params.content_changes))


@feature(types.TEXT_DOCUMENT_DID_CLOSE)
def closed(ls: RadServer, params: types.DidCloseTextDocumentParams) -> None:
    """Let the file's figures count again."""
    path = ls.documents.close(params.text_document.uri)
    if path is None:
        return
    folders = ls.folders.all_holding(path)
    if not folders:
        ls.diagnostics.clear(params.text_document.uri, path)
        return
    ls.diagnostics.forget(path)
    for folder in folders:
        ls.in_background(folder.edit(path, None))
        folder.hint([path])


def _show(ls: RadServer, document: Document | None) -> None:
    if document is None:
        return
    ls.diagnostics.push_open(document)
    for folder in ls.folders.all_holding(document.path):
        ls.in_background(folder.edit(document.path, document.content))
