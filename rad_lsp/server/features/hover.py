"""Hover on a report: the figure under the cursor, elsewhere its session's summary."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lsprotocol import types

from rad_lsp.core import wording
from rad_lsp.render import cost, figure, markdown, text
from rad_lsp.server import links
from rad_lsp.server.registry import feature
from rad_lsp.server.transcripts import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable

    from rad_lsp.core.session import Session
    from rad_lsp.server.app import RadServer


@feature(types.TEXT_DOCUMENT_HOVER)
async def hover(ls: RadServer, params: types.HoverParams) -> types.Hover | None:
    """The figure under the cursor, or the session's summary beside it."""
    document = ls.documents.report_at(params.text_document.uri)
    session = document.session if document else None
    if document is None or session is None:
        return None
    now = datetime.now(UTC)
    if isinstance(document, Transcript):
        told = await asyncio.to_thread(document.session_of, params.position.line)
        if told is not None:
            why = cost.brief(await ls.folders.cost(told), estimated=not told.spending)
            line = f"**{wording.money(told.cost)}** for what this line tells\n\n{why}"
            return types.Hover(_markup(ls, line, lambda: markdown.plain(line)))
        known = ls.folders.known(session)
        session = known[1] if known else session
    pair = document.pair_at(document.positions.offset(params.position))
    folder = ls.folders.holding(document.path)
    zone = folder.settings.zone if folder else None
    value = figure.hover(session, pair.path, now, zone) if pair else None
    if pair is None or value is None:
        return types.Hover(await _summary(ls, session, now))
    if figure.is_cost(pair.path):
        model = str(pair.path[2]) if pair.path[1] == "model_usage" else None
        rows = await ls.folders.cost(session, model)
        value = f"{value}\n\n{cost.brief(rows, estimated=not session.spending)}"
    elif figure.is_cache(pair.path):
        value = f"{value}  \nSavings {wording.saved(await ls.folders.savings(session))}"
    content = _markup(ls, value, lambda: markdown.plain(value))
    return types.Hover(content, document.positions.range(pair.span))


def _links(ls: RadServer, session: Session) -> str:
    """What can be done with the session, by links that the client follows."""
    folder = ls.folders.holding(session.path)
    if folder is None:
        return ""
    made = links.markdown(
        ls.client.linked,
        links.open_session(folder.uri, session.id),
        links.compare_with(folder.uri, session.id),
        links.export(folder.uri, session.id),
    )
    return f"\n{made}\n" if made else ""


async def _summary(ls: RadServer, session: Session, now: datetime) -> types.MarkupContent:
    savings = await ls.folders.savings(session)
    value = markdown.session(session, now, savings=savings) + _links(ls, session)
    return _markup(ls, value, lambda: text.session(session, now, savings=savings))


def _markup(ls: RadServer, value: str, plain: Callable[[], str]) -> types.MarkupContent:
    """Markdown where the client reads it, else the same without marks."""
    if ls.client.reads_markdown:
        return types.MarkupContent(types.MarkupKind.Markdown, value)
    return types.MarkupContent(types.MarkupKind.PlainText, plain())
