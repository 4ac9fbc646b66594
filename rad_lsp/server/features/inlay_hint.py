"""Inlay hints behind the durations and large numbers of a report, in a form for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from rad_lsp.render import figure
from rad_lsp.server.registry import feature

if TYPE_CHECKING:
    from rad_lsp.server.context import Context


@feature(types.TEXT_DOCUMENT_INLAY_HINT)
def inlay_hint(context: Context, params: types.InlayHintParams) -> list[types.InlayHint] | None:
    """Hints for the values in the range that is asked for."""
    document = context.documents.at(params.text_document.uri)
    session = document.session if document else None
    if document is None or session is None:
        return None
    positions = document.positions
    span = positions.offset(params.range.start), positions.offset(params.range.end)
    hints = []
    for pair in document.pairs(span):
        start, end = pair.value
        if span[0] <= end <= span[1]:
            raw = document.data[start:end]
            label = figure.hint(session, pair.path, int(raw) if raw.isdigit() else None)
            if label is not None:
                hints.append(types.InlayHint(positions.position(end), label, padding_left=True))
    return hints
