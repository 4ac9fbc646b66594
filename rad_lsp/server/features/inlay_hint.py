"""Inlay hints behind the durations and large numbers of a report, in a form for people."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lsprotocol import types

from rad_lsp.render import figure
from rad_lsp.server.documents import of
from rad_lsp.server.registry import feature

if TYPE_CHECKING:
    from rad_lsp.core.session import Session
    from rad_lsp.server.context import Context
    from rad_lsp.server.documents import Document


@feature(types.TEXT_DOCUMENT_INLAY_HINT)
async def inlay_hint(
    context: Context, params: types.InlayHintParams
) -> list[types.InlayHint] | None:
    """Hints for the values in the range that is asked for."""
    document = await context.documents.read(params.text_document.uri)
    session = document.session if document else None
    if document is None or session is None:
        return None
    return await of(document, partial(_hints, document, session, params.range))


def _hints(document: Document, session: Session, within: types.Range) -> list[types.InlayHint]:
    positions = document.positions
    span = positions.offset(within.start), positions.offset(within.end)
    hints = []
    for pair in document.pairs(span):
        start, end = pair.value
        if span[0] <= end <= span[1]:
            raw = document.data[start:end]
            label = figure.hint(session, pair.path, int(raw) if raw.isdigit() else None)
            if label is not None:
                hints.append(types.InlayHint(positions.position(end), label, padding_left=True))
    return hints
