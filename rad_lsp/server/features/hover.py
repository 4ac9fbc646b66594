"""Hover on a report: its session's summary."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.uris import to_fs_path

from rad_lsp.core.problems import Problem
from rad_lsp.render import markdown
from rad_lsp.server.registry import feature
from rad_lsp.sources import radium

if TYPE_CHECKING:
    from rad_lsp.server.app import RadServer


@feature(types.TEXT_DOCUMENT_HOVER)
def hover(ls: RadServer, params: types.HoverParams) -> types.Hover | None:
    """The session's summary, from the open buffer."""
    path = to_fs_path(params.text_document.uri)
    if path is None or not radium.is_report(path):
        return None
    document = ls.workspace.get_text_document(params.text_document.uri)
    found = radium.parse(path, document.source.encode("utf-8", "surrogatepass"))
    if isinstance(found, Problem):
        return None
    value = markdown.session(found, datetime.now(UTC))
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, value))
