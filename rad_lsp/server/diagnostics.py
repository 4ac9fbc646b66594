"""Diagnostics that the server pushes.

They are pushed for files that are not open, and for open ones if the client does not pull them.
"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from rad_lsp import service
from rad_lsp.server.documents import of
from rad_lsp.service import documents

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rad_lsp.core.problems import Problem
    from rad_lsp.server.client import ClientCapabilities
    from rad_lsp.server.documents import Document, Documents
    from rad_lsp.server.folder_sessions import FolderSessions

SOURCE: Final = "rad-lsp"

MAX_FILES: Final = 1_000
"""How many files of a folder have their problems pushed. The status counts all of them."""


class Diagnostics:
    """Remembers what was pushed for which file, and pushes only changes."""

    def __init__(
        self,
        documents: Documents,
        client: ClientCapabilities,
        publish: Callable[[types.PublishDiagnosticsParams], None],
    ) -> None:
        self._documents = documents
        self._client = client
        self._publish = publish
        self._pushed: dict[str, tuple[int, tuple[Problem, ...]]] = {}
        self._updating = asyncio.Lock()

    def of(self, document: Document) -> list[types.Diagnostic]:
        """A document's diagnostics, each with its range."""
        return _diagnostics(document, document.problems)

    async def update(self, sessions: FolderSessions) -> None:
        """Push what changed about the files of a folder that are not open."""
        async with self._updating:
            wanted = await asyncio.to_thread(_wanted, sessions)
            is_open = self._documents.is_open
            mine = [path for path in self._pushed if sessions.holds(path)]
            for path in mine:
                if path not in wanted and not is_open(path):
                    del self._pushed[path]
                    self._push(Path(path).as_uri(), [])
            for path, current in wanted.items():
                if is_open(path) or self._pushed.get(path) == current:
                    continue
                uri = Path(path).as_uri()
                found = await asyncio.to_thread(self._of_file, uri, current[1])
                if found is not None and not is_open(path):
                    self._pushed[path] = current
                    self._push(uri, found)

    def _of_file(self, uri: str, problems: tuple[Problem, ...]) -> list[types.Diagnostic] | None:
        document = self._documents.at(uri)
        return None if document is None else _diagnostics(document, problems)

    async def push_open(self, document: Document) -> None:
        """Push an open document's diagnostics, unless the client pulls them."""
        found = (
            [] if self._client.pulls_diagnostics else await of(document, partial(self.of, document))
        )
        if self._documents.is_current(document):
            self._pushed.pop(document.path, None)
            self._push(document.uri, found)

    def forget(self, path: str) -> None:
        """After a document was closed: let the next update push the diagnostics of its file."""
        self._pushed[path] = (0, ())

    def clear(self, uri: str, path: str) -> None:
        """After a document outside of all folders was closed: clear its diagnostics."""
        self._pushed.pop(path, None)
        self._push(uri, [])

    def drop(self, removed: FolderSessions, others: Sequence[FolderSessions]) -> None:
        """After a folder was removed: clear the diagnostics of its files.

        Files that are open, or that lie in one of the `others`, keep theirs.
        """
        for path in [path for path in self._pushed if removed.holds(path)]:
            if not self._documents.is_open(path) and not any(o.holds(path) for o in others):
                self.clear(Path(path).as_uri(), path)

    def _push(self, uri: str, diagnostics: list[types.Diagnostic]) -> None:
        self._publish(types.PublishDiagnosticsParams(uri=uri, diagnostics=diagnostics))


def _wanted(sessions: FolderSessions) -> dict[str, tuple[int, tuple[Problem, ...]]]:
    """The problems of a folder's files, by path, each with the stamp of its file.

    A file that was written again may have the same problem in another place.
    """
    wanted: dict[str, tuple[Problem, ...]] = {}
    for skipped in sessions.snapshot.skipped[:MAX_FILES]:
        wanted[skipped.path] = (skipped.problem,)
    for entry, problems in sessions.overall.warned:
        if len(wanted) >= MAX_FILES:
            break
        if entry.source == service.RADIUM:
            wanted[entry.session.path] = problems
    return {path: (documents.file_stamp(path), problems) for path, problems in wanted.items()}


def _diagnostics(document: Document, problems: Sequence[Problem]) -> list[types.Diagnostic]:
    return [
        types.Diagnostic(
            range=document.positions.range(span),
            severity=types.DiagnosticSeverity[problem.severity.capitalize()],
            code=problem.code,
            source=SOURCE,
            message=problem.message,
        )
        for problem, span in document.located(problems)
    ]
