"""What the features work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lsprotocol import types
    from pygls.workspace import Workspace

    from rad_lsp.server.background import BackgroundTasks
    from rad_lsp.server.client import ClientCapabilities
    from rad_lsp.server.diagnostics import Diagnostics
    from rad_lsp.server.documents import Documents
    from rad_lsp.server.folders import Folders
    from rad_lsp.server.progress import ProgressReporter


class Editor(Protocol):
    """What features ask of the client; pygls's server does it."""

    @property
    def workspace(self) -> Workspace:
        """The workspace as the client described it in `initialize`."""

    def window_show_message(self, params: types.ShowMessageParams) -> None:
        """Show a message to the user."""

    async def workspace_configuration_async(
        self, params: types.ConfigurationParams
    ) -> Sequence[Any | None]:
        """The client's settings."""

    async def client_register_capability_async(self, params: types.RegistrationParams) -> None:
        """Register for events."""


@dataclass(frozen=True)
class Context:
    """The parts of the server that features use. `stop` ends the process with an exit code."""

    client: ClientCapabilities
    documents: Documents
    diagnostics: Diagnostics
    folders: Folders
    progress: ProgressReporter
    tasks: BackgroundTasks
    editor: Editor
    stop: Callable[[int], None]
