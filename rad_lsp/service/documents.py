"""A single report or transcript, such as a document in an editor, without a store."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeAlias

from rad_lsp import settings, sources
from rad_lsp.core import problems, spending, transcript
from rad_lsp.core.problems import Problem
from rad_lsp.sources import Parser, Skipped
from rad_lsp.sources.radium import fingerprint, is_report
from rad_lsp.sources.radium import parse as read_report
from rad_lsp.sources.radium import read_bytes as _read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rad_lsp.core.session import Session
    from rad_lsp.core.spending import PriceList
    from rad_lsp.core.transcript import Facts, Seen

__all__ = [
    "Transcript",
    "fingerprint",
    "is_report",
    "read_bytes",
    "read_report",
    "read_transcript",
    "session_id",
    "session_of",
    "session_of_line",
    "skipped_lines",
    "transcript_source",
]

Transcript: TypeAlias = Parser
"""What was read from a transcript."""

_SUFFIX = ".jsonl"


def read_bytes(path: str) -> bytes | Problem | None:
    """A file's bytes, or why they can't be read; None when the file is gone.

    It never waits, and reads no more than a report may hold.
    """
    stored = _read_bytes(path)
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


def read_transcript(source: str, path: str, data: bytes) -> Transcript:
    """What the transcript at `path` says; `data` is its content, saved or not."""
    read = _parser(source, path)
    read.feed(data if data.endswith(b"\n") else data + b"\n")
    return read


def session_id(read: Transcript) -> str:
    """The id of the session that most of a transcript is about; empty when it has none."""
    facts = _longest(read)
    return facts.session_id if facts else ""


def session_of(source: str, path: str, read: Transcript, prices: PriceList) -> Session | Problem:
    """The session that most of a transcript is about, or why there is none."""
    facts = _longest(read)
    if facts is None:
        return Problem(problems.EMPTY, "No session is recorded in this transcript", "warning")
    requests = [seen for seen in read.requests.values() if seen.session_id == facts.session_id]
    return _session(source, path, facts, requests, prices)


def session_of_line(
    source: str, path: str, before: bytes, line: bytes, prices: PriceList
) -> Session | None:
    """A session of only the requests that one line of a transcript tells of; None for none.

    `before` is the content that precedes the line.
    """
    read = _parser(source, path)
    read.feed(before)
    read.requests.clear()
    read.feed(line.rstrip(b"\r\n") + b"\n")
    facts = next((facts for facts in read.facts.values() if facts.end), None)
    if facts is None or not read.requests:
        return None
    return _session(source, path, facts, read.requests.values(), prices)


def skipped_lines(read: Transcript) -> list[Skipped]:
    """The first few lines that can't be read, and why."""
    return read.first_skipped


def _parser(source: str, path: str) -> Parser:
    return sources.agent(source, os.environ, settings.home()).parser(path)


def _longest(read: Transcript) -> Facts | None:
    known = (facts for facts in read.facts.values() if facts.end)
    return max(known, key=lambda facts: facts.end - facts.start, default=None)


def _session(
    source: str, path: str, facts: Facts, requests: Iterable[Seen], prices: PriceList
) -> Session:
    requests = list(requests)
    billed = spending.tally((seen.request for seen in requests if seen.billed), prices)
    unfinished = sum(seen.request.requests for seen in requests if not seen.final)
    return transcript.session(source, path, [facts], billed, unfinished=unfinished)
