"""A session report as a document: its content, what it says, and where."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rad_lsp.core import document
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session
from rad_lsp.server.positions import Positions
from rad_lsp.sources import radium

if TYPE_CHECKING:
    from rad_lsp.core.document import Pair, Span
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
