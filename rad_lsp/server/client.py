"""The client's capabilities; the server asks nothing else of it."""

from __future__ import annotations

from typing import Any, Final

from lsprotocol import types

OPEN_SESSION: Final = "radLsp.openSession"
OPEN_COMPARISON: Final = "radLsp.openComparison"
EXPORT_SESSION: Final = "radLsp.exportSession"
"""Commands that our own clients run, if they say so in `experimental.radStats`."""


class ClientCapabilities:
    """The client's capabilities; it has none before `initialize`.

    `commands` are the commands that it runs itself, `linked` those of them that a link in Markdown
    can run. `options` are its `initializationOptions`.
    """

    def __init__(self) -> None:
        self._capabilities = types.ClientCapabilities()
        self.commands: frozenset[str] = frozenset()
        self.linked: frozenset[str] = frozenset()
        self.options: Any = None

    def introduce(self, params: types.InitializeParams) -> None:
        """Take the capabilities from the params of `initialize`."""
        self._capabilities = params.capabilities
        self.options = params.initialization_options
        ours = params.capabilities.experimental
        stats = ours.get("radStats") if isinstance(ours, dict) else None
        stats = stats if isinstance(stats, dict) else {}
        commands = stats.get("commands")
        if isinstance(commands, list):
            self.commands = frozenset(name for name in commands if isinstance(name, str))
            # An editor may run the commands of lenses, but follow no links to commands.
            self.linked = self.commands if stats.get("links") is not False else frozenset()

    def _has(self, *names: str) -> bool:
        value: Any = self._capabilities
        for name in names:
            value = getattr(value, name, None)
        return bool(value)

    @property
    def answers_configuration(self) -> bool:
        """`workspace/configuration` can be asked."""
        return self._has("workspace", "configuration")

    @property
    def registers_configuration(self) -> bool:
        """`didChangeConfiguration` can be registered for."""
        return self._has("workspace", "did_change_configuration", "dynamic_registration")

    @property
    def watches_files(self) -> bool:
        """`didChangeWatchedFiles` can be registered for."""
        return self._has("workspace", "did_change_watched_files", "dynamic_registration")

    @property
    def watches_relative_patterns(self) -> bool:
        """Watched files may be named relative to a folder."""
        return self._has("workspace", "did_change_watched_files", "relative_pattern_support")

    @property
    def shows_progress(self) -> bool:
        """`window/workDoneProgress/create` can be asked."""
        return self._has("window", "work_done_progress")

    @property
    def pulls_diagnostics(self) -> bool:
        """Diagnostics of open documents are pulled, so that they need not be pushed."""
        return self._has("text_document", "diagnostic")

    @property
    def refreshes_diagnostics(self) -> bool:
        """Pulled diagnostics can be refreshed."""
        return self.pulls_diagnostics and self._has("workspace", "diagnostics", "refresh_support")

    @property
    def refreshes_lenses(self) -> bool:
        """Code lenses can be refreshed."""
        return self._has("workspace", "code_lens", "refresh_support")

    @property
    def refreshes_hints(self) -> bool:
        """Inlay hints can be refreshed."""
        return self._has("workspace", "inlay_hint", "refresh_support")

    @property
    def nests_symbols(self) -> bool:
        """Document symbols may be a tree."""
        return self._has("text_document", "document_symbol", "hierarchical_document_symbol_support")

    @property
    def deletes_files(self) -> bool:
        """A workspace edit may delete a file."""
        edit = self._capabilities.workspace and self._capabilities.workspace.workspace_edit
        operations = (edit and edit.resource_operations) or []
        return types.ResourceOperationKind.Delete in operations

    @property
    def confirms_edits(self) -> bool:
        """A workspace edit may ask the user to confirm it."""
        return self._has("workspace", "workspace_edit", "change_annotation_support")

    @property
    def reads_markdown(self) -> bool:
        """Hovers may be Markdown."""
        hover = self._capabilities.text_document and self._capabilities.text_document.hover
        formats = (hover and hover.content_format) or []
        return types.MarkupKind.Markdown in formats
