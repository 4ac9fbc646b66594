"""What the features work with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from rad_lsp.server.background import BackgroundTasks
from rad_lsp.server.client import ClientCapabilities
from rad_lsp.server.diagnostics import Diagnostics
from rad_lsp.server.documents import Documents
from rad_lsp.server.edits import Edits
from rad_lsp.server.folders import Folders
from rad_lsp.server.notifier import Notifier
from rad_lsp.server.progress import ProgressReporter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pygls.lsp.server import LanguageServer


class Context:
    """The parts of the server that features use.

    `editor` is what they ask the client by; `stop` ends the process with an exit code; `room` waits
    until the client has read most of what was sent.
    """

    def __init__(
        self,
        editor: LanguageServer,
        stop: Callable[[int], None],
        room: Callable[[], Awaitable[None]],
    ) -> None:
        self.editor = editor
        self.stop = stop
        self.room = room
        self.client = ClientCapabilities()
        self.tasks = BackgroundTasks()
        self.progress = ProgressReporter(self.client, editor.work_done_progress)
        self.documents = Documents(
            lambda: types.PositionEncodingKind(editor.workspace.position_encoding),
            lambda source, name: self.folders.prices_for(source, name),  # noqa: PLW0108  (set below)
        )
        publish = editor.text_document_publish_diagnostics
        self.diagnostics = Diagnostics(self.documents, self.client, publish)
        self.folders = Folders(
            Notifier(
                editor, self.client, self.documents, self.diagnostics, self.progress, self.tasks
            )
        )
        self.edits = Edits(self.documents, self.diagnostics, self.folders, self.tasks)
