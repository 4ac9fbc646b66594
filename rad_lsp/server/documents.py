"""Session reports as documents: the open buffer, else the file."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from lsprotocol import types

from rad_lsp.core import document
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session
from rad_lsp.server.positions import Positions
from rad_lsp.server.uris import path_of
from rad_lsp.sources import radium

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rad_lsp.core.document import Pair, Span
    from rad_lsp.server.app import RadServer
    from rad_lsp.server.positions import Encoding


class Document:
    """A report's content, what it says, and where."""

    def __init__(self, uri: str, path: str, data: bytes, encoding: Encoding) -> None:
        self.uri = uri
        self.path = path
        self.data = data
        self._encoding = encoding

    @cached_property
    def content(self) -> Session | Problem:
        """The session, or what keeps it from being read."""
        return radium.parse(self.path, self.data)

    @property
    def session(self) -> Session | None:
        """The session, if it can be read."""
        return self.content if isinstance(self.content, Session) else None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The error, or the warnings, with the bytes of each where they can be told."""
        if isinstance(self.content, Problem):
            return (self.content,)
        return self.content.problems

    @cached_property
    def positions(self) -> Positions:
        """Where bytes stand in lines."""
        return Positions(self.data, self._encoding)

    def span_of(self, problem: Problem) -> Span:
        """The bytes that a problem is about; the whole document when that can't be told."""
        located = problem.span
        if located is None and problem.path:
            found = [p for p in document.pairs(self.data) if p.path == problem.path]
            located = found[-1].span if found else None
        return located or (0, len(self.data))

    def pairs(self, span: Span | None = None) -> list[Pair]:
        """The values of the document, or those that touch a span."""
        return document.pairs(self.data, span)

    def pair_at(self, offset: int) -> Pair | None:
        """The innermost value at a byte."""
        return document.innermost(self.data, offset)


class Documents:
    """The reports that a client asks about, judged by their URI, open or not.

    Buffers are kept here, as bytes: lines end where LSP has them end, nowhere else.
    """

    def __init__(self, server: RadServer) -> None:
        self._server = server
        self._open: dict[str, Document] = {}

    def path(self, uri: str) -> str | None:
        """The path of a report's URI, or None when it is no report's."""
        path = path_of(uri)
        return path if path is not None and radium.is_report(path) else None

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
            return Document(uri, path, data, self._server.position_encoding)
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
        self._open[path] = Document(uri, path, data, self._server.position_encoding)
        return self._open[path]


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
