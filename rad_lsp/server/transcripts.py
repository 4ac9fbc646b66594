"""Transcripts of other agents as documents: what a session, and a request in it, cost."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from rad_lsp import settings, sources
from rad_lsp.core import problems, spending, transcript
from rad_lsp.core.problems import Problem
from rad_lsp.pricing import Prices
from rad_lsp.server.document import Document

if TYPE_CHECKING:
    from rad_lsp.core.document import Pair, Span
    from rad_lsp.core.session import Session
    from rad_lsp.server.positions import Encoding
    from rad_lsp.sources import Parser, Transcripts

SUFFIX = ".jsonl"
SHOWN = 100
"""Lines that can't be read, of which a diagnostic tells."""


def source_of(path: str) -> Transcripts | None:
    """The agent below whose folders a transcript lies; None when it is none."""
    if not path.endswith(SUFFIX):
        return None
    for name in sources.AGENTS:
        source = sources.agent(name, os.environ, settings.home())
        if any(path.startswith(str(folder) + os.sep) for folder in source.folders):
            return source
    return None


class Transcript(Document):
    """A transcript's content, and what it says of its session."""

    def __init__(
        self, uri: str, path: str, data: bytes, encoding: Encoding, source: Transcripts
    ) -> None:
        super().__init__(uri, path, data, encoding)
        self._source = source

    @cached_property
    def content(self) -> Session | Problem:
        """The session that most of the file is about, or why there is none."""
        parser = self._parsed
        known = [facts for facts in parser.facts.values() if facts.end]
        if not known:
            return Problem(problems.EMPTY, "No session is recorded in this transcript", "warning")
        about = max(known, key=lambda facts: facts.end - facts.start)
        requests = [
            seen for seen in parser.requests.values() if seen.session_id == about.session_id
        ]
        billed = spending.tally((seen.request for seen in requests if seen.billed), Prices())
        unfinished = sum(seen.request.requests for seen in requests if not seen.final)
        return transcript.session(
            self._source.name, self.path, [about], billed, unfinished=unfinished
        )

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The lines that can't be read, with their bytes."""
        return tuple(
            Problem(
                problems.NOT_JSON,
                f"The line can't be read: {skipped.reason}",
                "warning",
                span=self._line(skipped.line - 1),
            )
            for skipped in self._parsed.first_skipped[:SHOWN]
        )

    def pairs(self, span: Span | None = None) -> list[Pair]:  # noqa: ARG002
        """None: a transcript is no report."""
        return []

    def pair_at(self, offset: int) -> Pair | None:  # noqa: ARG002
        """None: a transcript is no report."""
        return None

    def session_of(self, line: int) -> Session | None:
        """A session of only the requests that a line, counted from 0, tells of; None for none."""
        start, end = self._line(line)
        parser = self._source.parser(self.path)
        parser.feed(self.data[:start])
        parser.requests.clear()
        parser.feed(self.data[start:end].rstrip(b"\r\n") + b"\n")
        told = parser.requests.values()
        facts = [facts for facts in parser.facts.values() if facts.end]
        if not told or not facts:
            return None
        billed = spending.tally((seen.request for seen in told if seen.billed), Prices())
        return transcript.session(self._source.name, self.path, facts[:1], billed)

    @cached_property
    def _parsed(self) -> Parser:
        parser = self._source.parser(self.path)
        parser.feed(self.data if self.data.endswith(b"\n") else self.data + b"\n")
        return parser

    def _line(self, number: int) -> Span:
        starts = [0]
        while len(starts) <= number + 1 and (end := self.data.find(b"\n", starts[-1]) + 1):
            starts.append(end)
        start = starts[min(number, len(starts) - 1)]
        return start, starts[number + 1] if number + 1 < len(starts) else len(self.data)
