"""`stats/report`: sessions as a page of charts, made beside the work on sessions."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rad_lsp import wire
from rad_lsp.server.features.stats import period_of
from rad_lsp.server.registry import request
from rad_lsp.service import report as facts

if TYPE_CHECKING:
    from rad_lsp.render.label import TitleOf
    from rad_lsp.server.context import Context
    from rad_lsp.server.folder import Folder
    from rad_lsp.service.report import Read


@request("stats/report", wire.ReportParams)
async def report(context: Context, params: wire.ReportParams) -> wire.Report:
    """The page, or the data that it shows."""
    folder = context.folders.pick(params.workspace_uri)
    await folder.ready()
    within = period_of(folder, params.since, params.until)
    vega = await asyncio.to_thread(_vega) if params.content == "page" else ""
    await context.room()
    now = datetime.now(UTC)
    arguments = (folder.sessions.root, folder.settings.values, now, within)
    read = await folder.sessions.ask(
        lambda store: store.ask_known(lambda _: facts.read(store, *arguments)),
        all_projects=params.all_projects,
    )
    title_of = context.folders.titles.known.of
    return await asyncio.to_thread(_made, params, folder, read, now, vega, title_of)


def _vega() -> str:
    from rad_lsp.render.report import bundle

    return bundle.javascript()


def _made(
    params: wire.ReportParams,
    folder: Folder,
    read: Read,
    now: datetime,
    vega: str,
    title_of: TitleOf,
) -> wire.Report:
    from rad_lsp.render.report import data, page

    zone = folder.settings.values.zone
    scope = "All projects" if params.all_projects else str(folder.sessions.root)
    found = facts.of(read, zone, folder.settings.prices)
    text = data.text(found, now, zone, scope, title_of)
    if params.content == "data":
        return wire.Report(data=text)
    return wire.Report(html=page.page(text, page.title(scope), vega))
