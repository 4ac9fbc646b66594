"""Hovers on reports and transcripts.

On a figure they explain it, on a line of a transcript its cost; elsewhere they sum up the session.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lsprotocol import types

from rad_lsp import service
from rad_lsp.core import wording
from rad_lsp.render import cost, figure, markdown, text
from rad_lsp.server import links
from rad_lsp.server.documents import Transcript, of
from rad_lsp.server.registry import feature

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from rad_lsp.core.session import Session
    from rad_lsp.server.context import Context
    from rad_lsp.service import Prices


@feature(types.TEXT_DOCUMENT_HOVER)
async def hover(context: Context, params: types.HoverParams) -> types.Hover | None:
    """What is under the cursor, else the session's summary. All figures use the same prices."""
    document = await context.documents.read(params.text_document.uri)
    session = document.session if document else None
    if document is None or session is None:
        return None
    now = datetime.now(UTC)
    prices = context.folders.prices_of(session)
    if isinstance(document, Transcript):
        part = await asyncio.to_thread(document.session_of_line, params.position.line)
        if part is not None:
            why = await _explained(part, prices)
            line = f"**{wording.money(part.money)}** for what this line tells\n\n{why}"
            return types.Hover(_markup(context, line, lambda: markdown.plain(line)))
        counting = context.folders.counting(session.source, session.id)
        session = counting[1] if counting else session
    pair = await of(document, lambda: document.pair_at(document.positions.offset(params.position)))
    folder = context.folders.holding(document.path)
    zone = folder.settings.values.zone if folder else None
    value = figure.hover(session, pair.path, now, zone) if pair else None
    if pair is None or value is None:
        shown = context.folders.shown(session)
        return types.Hover(await _summary(context, shown, prices, now, zone))
    if figure.is_cost(pair.path):
        model = str(pair.path[2]) if pair.path[1] == "model_usage" else None
        value = f"{value}\n\n{await _explained(session, prices, model)}"
    elif figure.is_cache(pair.path):
        savings = await asyncio.to_thread(service.savings, session, prices)
        value = f"{value}  \nSavings {markdown.escape(wording.saved(savings))}"
    content = _markup(context, value, lambda: markdown.plain(value))
    return types.Hover(content, document.positions.range(pair.span))


async def _explained(session: Session, prices: Prices, model: str | None = None) -> str:
    """What the cost of a session, or of one of its models, is made of."""
    rows = await asyncio.to_thread(service.cost_rows, session, prices, model)
    return cost.brief(rows, estimated=not session.spending)


def _links(context: Context, session: Session) -> str:
    """Links to commands on the session, as far as the client follows them."""
    folder = context.folders.holding(session.path)
    if folder is None:
        return ""
    made = links.markdown(
        context.client.linked,
        links.open_session(folder.uri, session.id),
        links.compare_with(folder.uri, session.id),
        links.export(folder.uri, session.id),
    )
    return f"\n{made}\n" if made else ""


async def _summary(
    context: Context, session: Session, prices: Prices, now: datetime, zone: tzinfo | None
) -> types.MarkupContent:
    savings = await asyncio.to_thread(service.savings, session, prices)
    name = context.folders.label(session, zone)
    value = markdown.session(session, now, name=name, savings=savings, zone=zone)
    value += _links(context, session)
    return _markup(context, value, lambda: text.session(session, now, savings=savings, zone=zone))


def _markup(context: Context, value: str, plain: Callable[[], str]) -> types.MarkupContent:
    """Markdown if the client reads it, else the text that `plain` returns."""
    if context.client.reads_markdown:
        return types.MarkupContent(types.MarkupKind.Markdown, value)
    return types.MarkupContent(types.MarkupKind.PlainText, plain())
