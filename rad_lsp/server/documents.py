"""Session reports as documents: the open buffer, else the file."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from pygls.uris import to_fs_path

from rad_lsp.core import document
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session
from rad_lsp.server.positions import Positions
from rad_lsp.sources import radium

if TYPE_CHECKING:
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
    """The reports that a client asks about, judged by their URI, open or not."""

    def __init__(self, server: RadServer) -> None:
        self._server = server
        self._open: dict[str, tuple[Any, Document]] = {}

    def path(self, uri: str) -> str | None:
        """The path of a report's URI, or None when it is no report's."""
        path = to_fs_path(uri)
        return path if path is not None and radium.is_report(path) else None

    def report_at(self, uri: str) -> Document | None:
        """The report at a URI: the open buffer, else the file; None when it is no report."""
        path = self.path(uri)
        if path is None:
            return None
        if (opened := self.opened(uri, path)) is not None:
            return opened
        stored = radium.read_bytes(path)
        if stored is None:
            return None
        data = stored[1]
        encoding = self._server.position_encoding
        if isinstance(data, bytes):
            return Document(uri, path, data, encoding)
        empty = Document(uri, path, b"", encoding)
        empty.content = data
        return empty

    def opened(self, uri: str, path: str) -> Document | None:
        """The open buffer at a URI, or None when it is not open."""
        text = self._server.workspace.text_documents.get(uri)
        if text is None:
            self._open.pop(uri, None)
            return None
        source = text.source
        known = self._open.get(uri)
        if known is not None and known[0] is source:
            return known[1]
        data = source.encode("utf-8", "surrogatepass")
        made = Document(uri, path, data, self._server.position_encoding)
        self._open[uri] = source, made
        return made

    def any_open(self) -> bool:
        """Whether a report is open."""
        return bool(self.open_paths())

    def open_paths(self) -> set[str]:
        """The paths of the reports that are open."""
        found = (self.path(uri) for uri in self._server.workspace.text_documents)
        return {path for path in found if path is not None}
