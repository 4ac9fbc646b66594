"""Shows what is in open documents, once for many edits that follow each other."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from rad_lsp.server.documents import of

if TYPE_CHECKING:
    from rad_lsp.server.background import BackgroundTasks
    from rad_lsp.server.diagnostics import Diagnostics
    from rad_lsp.server.documents import Document, Documents
    from rad_lsp.server.folders import Folders

_GATHER_SECONDS: Final = 0.02
"""How long edits are gathered before they are shown."""


class Edits:
    """Has the problems of open documents shown, and their sessions counted."""

    def __init__(
        self,
        documents: Documents,
        diagnostics: Diagnostics,
        folders: Folders,
        tasks: BackgroundTasks,
    ) -> None:
        self._documents = documents
        self._diagnostics = diagnostics
        self._folders = folders
        self._tasks = tasks
        self._edited: dict[str, Document] = {}
        self._is_showing = False

    def add(self, document: Document) -> None:
        """Show a document that was opened or edited, soon, and in its newest form only."""
        self._edited[document.path] = document
        if not self._is_showing:
            self._is_showing = True
            self._tasks.start(self._show())

    async def _show(self) -> None:
        try:
            while self._edited:
                await asyncio.sleep(_GATHER_SECONDS)
                edited, self._edited = self._edited, {}
                for document in edited.values():
                    content = await of(document, partial(getattr, document, "content"))
                    if self._documents.is_current(document):
                        for folder in self._folders.all_holding(document.path):
                            folder.edit(document.path, content)
                        await self._diagnostics.push_open(document)
        finally:
            self._is_showing = False
