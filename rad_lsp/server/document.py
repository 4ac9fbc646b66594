"""A session report as a document: its bytes, the session in them, and where its values stand."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rad_lsp.core import document
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session
from rad_lsp.server.positions import Positions
from rad_lsp.service import documents

if TYPE_CHECKING:
    from rad_lsp.core.document import Pair, Span
    from rad_lsp.server.positions import Encoding


class Document:
    """A report with the content `data`, as it is in the editor or in its file.

    `unreadable` tells why the file can't be read.
    """

    def __init__(
        self,
        uri: str,
        path: str,
        data: bytes,
        encoding: Encoding,
        *,
        unreadable: Problem | None = None,
    ) -> None:
        self.uri = uri
        self.path = path
        self.data = data
        self._encoding = encoding
        self._unreadable = unreadable

    @property
    def content(self) -> Session | Problem:
        """The session, or what keeps it from being read."""
        return self._content

    @cached_property
    def _content(self) -> Session | Problem:
        if self._unreadable is not None:
            return self._unreadable
        return documents.read_report(self.path, self.data)

    @property
    def session(self) -> Session | None:
        """The session, if it can be read."""
        return self.content if isinstance(self.content, Session) else None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What keeps the report from being read, or the warnings about its session."""
        if isinstance(self.content, Problem):
            return (self.content,)
        return self.content.problems

    @cached_property
    def positions(self) -> Positions:
        """Converts between bytes and positions."""
        return Positions(self.data, self._encoding)

    def span_of(self, problem: Problem) -> Span:
        """The bytes that a problem is about; the whole document where that is not known."""
        located = problem.span
        if located is None and problem.path:
            pairs = [pair for pair in document.pairs(self.data) if pair.path == problem.path]
            located = pairs[-1].span if pairs else None
        return located or (0, len(self.data))

    def pairs(self, span: Span | None = None) -> list[Pair]:
        """The document's keys with their values, all or those that touch a span."""
        return document.pairs(self.data, span)

    def pair_at(self, offset: int) -> Pair | None:
        """The innermost key with its value at a byte."""
        return document.innermost(self.data, offset)
