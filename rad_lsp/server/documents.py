"""The documents that a client asks about: session reports and transcripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from rad_lsp.server.document import Document
from rad_lsp.server.transcript import Transcript
from rad_lsp.server.uris import path_of
from rad_lsp.service import documents

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rad_lsp.server.positions import Encoding
    from rad_lsp.service import Prices


class Documents:
    """The reports and transcripts that a client asks about, open or not.

    Which kind a document is follows from its URI. Buffers are kept here as bytes, because LSP
    ends lines in other places than Python does. `encoding` returns the encoding of positions,
    `prices_of` the prices in force for the session with a source and an id.
    """

    def __init__(
        self,
        encoding: Callable[[], Encoding],
        prices_of: Callable[[str, str], Prices],
    ) -> None:
        self._encoding = encoding
        self._prices_of = prices_of
        self._open: dict[str, Document] = {}

    def path(self, uri: str) -> str | None:
        """The path of a report's or a transcript's URI; None for any other URI."""
        path = path_of(uri)
        if path is None or documents.is_report(path) or documents.transcript_source(path):
            return path
        return None

    def open(self, uri: str, text: str) -> Document | None:
        """Keep the buffer of a document that was opened; None for a document of another kind."""
        path = self.path(uri)
        return None if path is None else self._keep(uri, path, _encoded(text))

    def change(
        self, uri: str, changes: Sequence[types.TextDocumentContentChangeEvent]
    ) -> Document | None:
        """Apply changes to an open buffer, one after the other; None when it is not open."""
        path = self.path(uri)
        document = self._open.get(path) if path is not None else None
        for change in changes:
            if document is None:
                return None
            data = _encoded(change.text)
            if not isinstance(change, types.TextDocumentContentChangeWholeDocument):
                start = document.positions.offset(change.range.start)
                end = max(start, document.positions.offset(change.range.end))
                data = document.data[:start] + data + document.data[end:]
            document = self._keep(uri, document.path, data)
        return document

    def close(self, uri: str) -> str | None:
        """Forget a buffer; returns the document's path, or None for a document of another kind."""
        path = self.path(uri)
        if path is not None:
            self._open.pop(path, None)
        return path

    def at(self, uri: str) -> Document | None:
        """The document at a URI: the open buffer, else the file.

        None when it is neither a report nor a transcript, or when there is no such file.
        """
        path = self.path(uri)
        if path is None:
            return None
        if (opened := self._open.get(path)) is not None:
            return opened
        data = documents.read_bytes(path)
        if data is None or isinstance(data, bytes):
            return None if data is None else self._document(uri, path, data)
        return Document(uri, path, b"", self._encoding(), unreadable=data)

    def is_open(self, path: str) -> bool:
        """Whether the document at a path is open."""
        return path in self._open

    def any_open(self) -> bool:
        """Whether any document is open."""
        return bool(self._open)

    def _keep(self, uri: str, path: str, data: bytes) -> Document:
        self._open[path] = self._document(uri, path, data)
        return self._open[path]

    def _document(self, uri: str, path: str, data: bytes) -> Document:
        source = None if documents.is_report(path) else documents.transcript_source(path)
        if source is None:
            return Document(uri, path, data, self._encoding())
        transcript = documents.Transcript(source, path, data)
        return Transcript(uri, path, data, self._encoding(), transcript, self._prices_of)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
