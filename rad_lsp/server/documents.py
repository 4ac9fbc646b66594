"""The documents that a client asks about: session reports and transcripts."""

from __future__ import annotations

import asyncio
import re
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from lsprotocol import types

from rad_lsp.core import document, problems
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session
from rad_lsp.server.positions import Positions
from rad_lsp.server.uris import path_of
from rad_lsp.service import documents

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rad_lsp.core.document import Pair, Span
    from rad_lsp.server.positions import Encoding
    from rad_lsp.service import Prices

LARGE = 256 << 10
"""Bytes of a document from which on work on it is done in a thread: requests must not wait."""


T = TypeVar("T")


async def of(document: Document, work: Callable[[], T]) -> T:
    """What `work` on a document returns; a thread does it where the document is large."""
    return await asyncio.to_thread(work) if len(document.data) > LARGE else work()


class Document:
    """A report with the content `data`, as it is in the editor or in its file.

    Where the file can't be read, it is created with the problem, and `data` is empty.
    """

    def __init__(self, uri: str, path: str, data: bytes | Problem, encoding: Encoding) -> None:
        self.uri = uri
        self.path = path
        self.data = b"" if isinstance(data, Problem) else data
        self._encoding = encoding
        self._unreadable = data if isinstance(data, Problem) else None

    @property
    def content(self) -> Session | Problem:
        """The session, or what keeps it from being read."""
        return self._content

    @cached_property
    def _content(self) -> Session | Problem:
        return self._unreadable or documents.read_report(self.path, self.data)

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

    def located(self, found: Sequence[Problem]) -> list[tuple[Problem, Span]]:
        """Problems with the bytes that they are about: all of them where that is not known."""
        paths = {problem.path for problem in found if problem.span is None and problem.path}
        pairs = document.locate_all(self.data, paths) if paths else {}
        spans = {path: pair.span for path, pair in pairs.items()}
        everything = (0, len(self.data))
        return [(one, one.span or spans.get(one.path, everything)) for one in found]

    def pairs(self, span: Span | None = None) -> list[Pair]:
        """The document's keys with their values, all or those that touch a span."""
        return document.pairs(self.data, span)

    def pair_at(self, offset: int) -> Pair | None:
        """The innermost key with its value at a byte."""
        return document.innermost(self.data, offset)


class Transcript(Document):
    """A transcript as a document.

    `prices_of` returns the prices that are in force now for the session with a source and an id.
    """

    def __init__(
        self,
        uri: str,
        path: str,
        data: bytes,
        encoding: Encoding,
        source: str,
        prices_of: Callable[[str, str], Prices],
    ) -> None:
        super().__init__(uri, path, data, encoding)
        self._transcript = documents.Transcript(source, path, data)
        self._prices_of = prices_of
        self._priced: tuple[Prices, Session | Problem] | None = None

    @property
    def content(self) -> Session | Problem:
        """The session that most of the transcript is about, or why there is none."""
        prices = self._prices
        if self._priced is None or self._priced[0] is not prices:
            self._priced = (prices, self._transcript.session(prices))
        return self._priced[1]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The first lines that can't be read, each with its bytes, and how many more there are."""
        skipped = self._transcript.skipped
        found = [
            Problem(
                problems.NOT_JSON,
                f"The line can't be read: {skipped.reason}",
                "warning",
                span=self._line(skipped.line - 1),
            )
            for skipped in skipped
        ]
        return problems.listed(found, self._transcript.skipped_lines - len(found))

    def pairs(self, span: Span | None = None) -> list[Pair]:  # noqa: ARG002
        """An empty list: the values of a transcript are no figures of a session."""
        return []

    def pair_at(self, offset: int) -> Pair | None:  # noqa: ARG002
        """None: the values of a transcript are no figures of a session."""
        return None

    def session_of_line(self, number: int) -> Session | None:
        """A session of only the requests in the line `number`, from 0; None without a request."""
        return self._transcript.session_of_line(*self._line(number), self._prices)

    @property
    def _prices(self) -> Prices:
        return self._prices_of(self._transcript.source, self._transcript.session_id)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(end.end() for end in re.finditer(rb"\n", self.data))]

    def _line(self, number: int) -> Span:
        starts = self._line_starts
        start = starts[min(number, len(starts) - 1)]
        return start, starts[number + 1] if number + 1 < len(starts) else len(self.data)


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
        return None if data is None else self._document(uri, path, data)

    async def read(self, uri: str) -> Document | None:
        """The same, once its session has been read."""
        path = self.path(uri)
        if path is None:
            return None
        found = self._open.get(path)
        if found is None:
            found = await asyncio.to_thread(self.at, uri)
        if found is not None:
            await of(found, lambda: found.content)
        return found

    def is_current(self, document: Document) -> bool:
        """Whether a document is what is open at its path."""
        return self._open.get(document.path) is document

    def is_open(self, path: str) -> bool:
        """Whether the document at a path is open."""
        return path in self._open

    def any_open(self) -> bool:
        """Whether any document is open."""
        return bool(self._open)

    def _keep(self, uri: str, path: str, data: bytes) -> Document:
        self._open[path] = self._document(uri, path, data)
        return self._open[path]

    def _document(self, uri: str, path: str, data: bytes | Problem) -> Document:
        source = None if documents.is_report(path) else documents.transcript_source(path)
        if source is None or isinstance(data, Problem):
            return Document(uri, path, data, self._encoding())
        return Transcript(uri, path, data, self._encoding(), source, self._prices_of)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
