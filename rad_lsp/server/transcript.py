"""A transcript of another agent as a document: what its session, and a line of it, cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rad_lsp.core import problems
from rad_lsp.core.problems import Problem
from rad_lsp.server.document import Document

if TYPE_CHECKING:
    from collections.abc import Callable

    from rad_lsp.core.document import Pair, Span
    from rad_lsp.core.session import Session
    from rad_lsp.server.positions import Encoding
    from rad_lsp.service import Prices, documents

MAX_SHOWN = 100
"""How many of the lines that can't be read have a diagnostic."""


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
        transcript: documents.Transcript,
        prices_of: Callable[[str, str], Prices],
    ) -> None:
        super().__init__(uri, path, data, encoding)
        self._transcript = transcript
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
        """The lines that can't be read, each with its bytes."""
        return tuple(
            Problem(
                problems.NOT_JSON,
                f"The line can't be read: {skipped.reason}",
                "warning",
                span=self._line(skipped.line - 1),
            )
            for skipped in self._transcript.skipped[:MAX_SHOWN]
        )

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

    def _line(self, number: int) -> Span:
        starts = [0]
        while len(starts) <= number + 1 and (end := self.data.find(b"\n", starts[-1]) + 1):
            starts.append(end)
        start = starts[min(number, len(starts) - 1)]
        return start, starts[number + 1] if number + 1 < len(starts) else len(self.data)
