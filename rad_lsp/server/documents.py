"""Session reports and transcripts as documents: the open buffer, else the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from rad_lsp.server import transcripts
from rad_lsp.server.document import Document
from rad_lsp.server.uris import path_of
from rad_lsp.sources import radium

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rad_lsp.server.app import RadServer


class Documents:
    """The reports and transcripts that a client asks about, judged by their URI, open or not.

    Buffers are kept here, as bytes: lines end where LSP has them end, nowhere else.
    """

    def __init__(self, server: RadServer) -> None:
        self._server = server
        self._open: dict[str, Document] = {}

    def path(self, uri: str) -> str | None:
        """The path of a report's or transcript's URI, or None when it is neither's."""
        path = path_of(uri)
        if path is None or radium.is_report(path) or transcripts.source_of(path):
            return path
        return None

    def open(self, uri: str, text: str) -> Document | None:
        """Take the buffer of a report that was opened; None when it is no report."""
        path = self.path(uri)
        return None if path is None else self._keep(uri, path, _encoded(text))

    def change(
        self, uri: str, changes: Sequence[types.TextDocumentContentChangeEvent]
    ) -> Document | None:
        """Take changes of an open report's buffer, one after the other; None when it is none."""
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
        """Let go of a buffer; returns the report's path, or None when it is no report."""
        path = self.path(uri)
        if path is not None:
            self._open.pop(path, None)
        return path

    def report_at(self, uri: str) -> Document | None:
        """The report at a URI: the open buffer, else the file; None when it is no report."""
        path = self.path(uri)
        if path is None:
            return None
        if (opened := self._open.get(path)) is not None:
            return opened
        stored = radium.read_bytes(path)
        if stored is None:
            return None
        data = stored[1]
        if isinstance(data, bytes):
            return self._document(uri, path, data)
        unread = Document(uri, path, b"", self._server.position_encoding)
        unread.content = data
        return unread

    def is_open(self, path: str) -> bool:
        """Whether the report at a path is open."""
        return path in self._open

    def any_open(self) -> bool:
        """Whether a report is open."""
        return bool(self._open)

    def _keep(self, uri: str, path: str, data: bytes) -> Document:
        self._open[path] = self._document(uri, path, data)
        return self._open[path]

    def _document(self, uri: str, path: str, data: bytes) -> Document:
        encoding = self._server.position_encoding
        source = None if radium.is_report(path) else transcripts.source_of(path)
        if source is not None:
            return transcripts.Transcript(uri, path, data, encoding, source)
        return Document(uri, path, data, encoding)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
