"""Diagnostics: pushed for files that are not open, and for open ones to clients that don't pull."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from rad_lsp.sources import RADIUM, radium
from rad_lsp.store import snapshot as snapshots

if TYPE_CHECKING:
    from rad_lsp.core.problems import Problem
    from rad_lsp.server.app import RadServer
    from rad_lsp.server.document import Document
    from rad_lsp.server.folders import Folder

SOURCE: Final = "rad-lsp"

MAX_FILES: Final = 1_000
"""Files whose problems are pushed; the status counts them all."""

_BATCH: Final = 50


class Diagnostics:
    """What was pushed for which file, so that only changes are pushed."""

    def __init__(self, server: RadServer) -> None:
        self._server = server
        self._pushed: dict[str, tuple[int, tuple[Problem, ...]]] = {}
        self._updating = asyncio.Lock()

    def of(self, document: Document) -> list[types.Diagnostic]:
        """A document's diagnostics, with the bytes of each."""
        return [_diagnostic(document, problem) for problem in document.problems]

    async def update(self, folder: Folder) -> None:
        """Push what changed about the files of a folder that are not open."""
        async with self._updating:
            wanted = _wanted(folder)
            is_open = self._server.documents.is_open
            mine = [path for path in self._pushed if folder.holds(path)]
            for path in mine:
                if path not in wanted and not is_open(path):
                    del self._pushed[path]
                    self._push(Path(path).as_uri(), [])
            for number, (path, problems) in enumerate(wanted.items()):
                # The same problem stands elsewhere when the file was written anew.
                known = radium.fingerprint(path), problems
                if not is_open(path) and self._pushed.get(path) != known:
                    self._pushed[path] = known
                    document = self._server.documents.report_at(Path(path).as_uri())
                    if document is not None:
                        found = [_diagnostic(document, problem) for problem in problems]
                        self._push(document.uri, found)
                if number % _BATCH == 0:
                    await asyncio.sleep(0)  # requests go first

    def push_open(self, document: Document) -> None:
        """Push an open document's diagnostics, unless the client pulls them."""
        pulled = self._server.client.pulls_diagnostics
        self._pushed.pop(document.path, None)
        self._push(document.uri, [] if pulled else self.of(document))

    def forget(self, path: str) -> None:
        """A document was closed: what is known of its file is pushed anew by the next update."""
        self._pushed[path] = (0, ())

    def clear(self, uri: str, path: str) -> None:
        """A document outside of all folders was closed: nobody looks after its file."""
        self._pushed.pop(path, None)
        self._push(uri, [])

    def drop(self, folder: Folder) -> None:
        """A folder was removed: clear what was pushed of its files, but for those of others."""
        for path in [path for path in self._pushed if folder.holds(path)]:
            if not self._server.folders.all_holding(path) and not self._server.documents.is_open(
                path
            ):
                self.clear(Path(path).as_uri(), path)

    def _push(self, uri: str, found: list[types.Diagnostic]) -> None:
        params = types.PublishDiagnosticsParams(uri=uri, diagnostics=found)
        self._server.text_document_publish_diagnostics(params)


def _wanted(folder: Folder) -> dict[str, tuple[Problem, ...]]:
    """The problems of a folder's reports, by path."""
    wanted: dict[str, tuple[Problem, ...]] = {}
    for skipped in folder.snapshot.skipped[:MAX_FILES]:
        wanted[skipped.path] = (skipped.problem,)
    for entry, problems in snapshots.warned(folder.snapshot):
        if len(wanted) >= MAX_FILES:
            break
        if entry.source == RADIUM:
            wanted[entry.path] = problems
    return wanted


def _diagnostic(document: Document, problem: Problem) -> types.Diagnostic:
    severity = types.DiagnosticSeverity.Error
    if problem.severity == "warning":
        severity = types.DiagnosticSeverity.Warning
    elif problem.severity == "information":
        severity = types.DiagnosticSeverity.Information
    return types.Diagnostic(
        range=document.positions.range(document.span_of(problem)),
        severity=severity,
        code=problem.code,
        source=SOURCE,
        message=problem.message,
    )
