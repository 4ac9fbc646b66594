"""The client's capabilities; the server asks nothing else of it."""

from __future__ import annotations

from typing import Any, Final

from lsprotocol import types

OPEN_SESSION: Final = "radLsp.openSession"
OPEN_COMPARISON: Final = "radLsp.openComparison"
SHOW_COST: Final = "radLsp.showCost"
EXPORT_SESSION: Final = "radLsp.exportSession"
SHOW_NOTICE: Final = "radLsp.showNotice"
"""Commands that our own clients run, if they say so in `experimental.radStats`."""


class ClientCapabilities:
    """The client's capabilities; it has none before `initialize`.

    `commands` are the commands that it runs itself, `linked` those of them that a link in Markdown
    can run. `options` are its `initializationOptions`.
    """

    def __init__(self) -> None:
        self.commands: frozenset[str] = frozenset()
        self.linked: frozenset[str] = frozenset()
        self.introduce(types.InitializeParams(types.ClientCapabilities()))

    def introduce(self, params: types.InitializeParams) -> None:
        """Take the capabilities from the params of `initialize`."""

        def has(path: str) -> bool:
            return bool(_at(params.capabilities, path))

        self.options = params.initialization_options
        self.answers_configuration = has("workspace.configuration")
        settings = "workspace.did_change_configuration"
        self.registers_configuration = has(f"{settings}.dynamic_registration")
        files = "workspace.did_change_watched_files"
        self.watches_files = has(f"{files}.dynamic_registration")
        self.watches_relative_patterns = has(f"{files}.relative_pattern_support")
        self.answers_messages = has("window.show_message.message_action_item")
        self.shows_progress = has("window.work_done_progress")
        # Diagnostics of open documents that are pulled need not be pushed.
        self.pulls_diagnostics = has("text_document.diagnostic")
        self.refreshes_diagnostics = self.pulls_diagnostics and has(
            "workspace.diagnostics.refresh_support"
        )
        self.refreshes_lenses = has("workspace.code_lens.refresh_support")
        self.refreshes_hints = has("workspace.inlay_hint.refresh_support")
        symbols = "text_document.document_symbol"
        self.nests_symbols = has(f"{symbols}.hierarchical_document_symbol_support")
        edits = _at(params.capabilities, "workspace.workspace_edit.resource_operations") or []
        self.deletes_files = types.ResourceOperationKind.Delete in edits
        self.confirms_edits = has("workspace.workspace_edit.change_annotation_support")
        formats = _at(params.capabilities, "text_document.hover.content_format") or []
        self.reads_markdown = types.MarkupKind.Markdown in formats
        stats = _dict(_dict(params.capabilities.experimental).get("radStats"))
        commands = stats.get("commands")
        if isinstance(commands, list):
            self.commands = frozenset(name for name in commands if isinstance(name, str))
            # An editor may run the commands of lenses, but follow no links to commands.
            self.linked = self.commands if stats.get("links") is not False else frozenset()


def _at(value: Any, path: str) -> Any:
    """The capability with a dotted name; None where it is not given."""
    for name in path.split("."):
        value = getattr(value, name, None)
    return value


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
