"""A single report or transcript, such as a document in an editor, without a store."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from rad_lsp import settings, sources
from rad_lsp.core import problems, transcript
from rad_lsp.core.paths import folder_key
from rad_lsp.core.problems import Problem
from rad_lsp.sources import radium
from rad_lsp.store import files

if TYPE_CHECKING:
    from rad_lsp.core.session import Session
    from rad_lsp.core.spending import PriceList
    from rad_lsp.core.transcript import Facts
    from rad_lsp.sources import Parser, Skipped

is_report = radium.is_report
read_report = radium.parse
file_stamp = files.stamp
read_bytes = files.read_whole

_SUFFIX = ".jsonl"


def transcript_source(path: str) -> str | None:
    """The source in whose folders a transcript lies; None when it is no transcript."""
    if not path.endswith(_SUFFIX):
        return None
    for name in sources.AGENTS:
        agent = sources.agent(name, os.environ, settings.home())
        folders = tuple(folder_key(str(folder)) + "/" for folder in agent.folders)
        if folder_key(path).startswith(folders) and not agent.ignores(path):
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
        return self._read.progress.first_skipped

    @property
    def skipped_lines(self) -> int:
        """How many lines can't be read."""
        return self._read.progress.skipped

    def session(self, prices: PriceList) -> Session | Problem:
        """The session that most of the transcript is about, or why there is none."""
        if self._longest is None:
            return Problem(problems.EMPTY, "No session is recorded in this transcript", "warning")
        requests = self._read.requests.values()
        own = [record for record in requests if record.session_id == self.session_id]
        tools = [
            transcript.tool_row(tool)
            for tool in self._read.tools.values()
            if tool is not None and tool.session_id == self.session_id
        ]
        rows = transcript.rows(own, prices)
        return transcript.session(self.source, self._path, [self._longest], rows, tools)

    def session_of_line(self, start: int, end: int, prices: PriceList) -> Session | None:
        """A session of only the requests in the line with these bytes; None without a request."""
        parser = self._parser()
        parser.feed(self._data[:start])
        parser.requests.clear()
        parser.feed(self._data[start:end].rstrip(b"\r\n") + b"\n")
        facts = next((facts for facts in parser.facts.values() if facts.end), None)
        if facts is None or not parser.requests:
            return None
        rows = transcript.rows(parser.requests.values(), prices)
        return transcript.session(self.source, self._path, [facts], rows)

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
