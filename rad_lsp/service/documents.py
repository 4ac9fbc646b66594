"""A single report or transcript, such as a document in an editor, without a store."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from rad_lsp import settings, sources
from rad_lsp.core import problems, spending, transcript
from rad_lsp.core.problems import Problem
from rad_lsp.sources import radium

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rad_lsp.core.session import Session
    from rad_lsp.core.spending import PriceList
    from rad_lsp.core.transcript import Facts, Seen
    from rad_lsp.sources import Parser, Skipped

is_report = radium.is_report
read_report = radium.parse
fingerprint = radium.fingerprint

_SUFFIX = ".jsonl"


def read_bytes(path: str) -> bytes | Problem | None:
    """A file's bytes, or why they can't be read; None when the file is gone.

    It never waits, and reads no more than a report may hold.
    """
    stored = radium.read_bytes(path)
    return None if stored is None else stored[1]


def transcript_source(path: str) -> str | None:
    """The source in whose folders a transcript lies; None when it is no transcript."""
    if not path.endswith(_SUFFIX):
        return None
    for name in sources.AGENTS:
        folders = sources.agent(name, os.environ, settings.home()).folders
        if any(path.startswith(str(folder) + os.sep) for folder in folders):
            return name
    return None


class Transcript:
    """What the transcript at `path` says. `data` is its content, saved or not."""

    def __init__(self, source: str, path: str, data: bytes) -> None:
        self.source = source
        self._path = path
        self._data = data

    @property
    def session_id(self) -> str:
        """The id of the session that most of the transcript is about; empty when it has none."""
        return self._longest.session_id if self._longest else ""

    @property
    def skipped(self) -> list[Skipped]:
        """The first few lines that can't be read, and why."""
        return self._read.first_skipped

    def session(self, prices: PriceList) -> Session | Problem:
        """The session that most of the transcript is about, or why there is none."""
        if self._longest is None:
            return Problem(problems.EMPTY, "No session is recorded in this transcript", "warning")
        requests = self._read.requests.values()
        own = [seen for seen in requests if seen.session_id == self.session_id]
        return self._session(self._longest, own, prices)

    def session_of_line(self, start: int, end: int, prices: PriceList) -> Session | None:
        """A session of only the requests in the line with these bytes; None without a request."""
        parser = self._parser()
        parser.feed(self._data[:start])
        parser.requests.clear()
        parser.feed(self._data[start:end].rstrip(b"\r\n") + b"\n")
        facts = next((facts for facts in parser.facts.values() if facts.end), None)
        if facts is None or not parser.requests:
            return None
        return self._session(facts, parser.requests.values(), prices)

    def _session(self, facts: Facts, requests: Iterable[Seen], prices: PriceList) -> Session:
        requests = list(requests)
        billed = spending.tally((seen.request for seen in requests if seen.billed), prices)
        unfinished = sum(seen.request.requests for seen in requests if not seen.final)
        return transcript.session(self.source, self._path, [facts], billed, unfinished=unfinished)

    @cached_property
    def _longest(self) -> Facts | None:
        known = (facts for facts in self._read.facts.values() if facts.end)
        return max(known, key=lambda facts: facts.end - facts.start, default=None)

    @cached_property
    def _read(self) -> Parser:
        parser = self._parser()
        parser.feed(self._data if self._data.endswith(b"\n") else self._data + b"\n")
        return parser

    def _parser(self) -> Parser:
        return sources.agent(self.source, os.environ, settings.home()).parser(self._path)
