"""`stats/trend` and `stats/tools`: sums over time and by tool, which the index makes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rad_lsp import service, wire
from rad_lsp.render import tools as rendered_tools
from rad_lsp.render import trend as rendered
from rad_lsp.server.features.stats import period_of, snapshot_of
from rad_lsp.server.registry import request
from rad_lsp.service import tools as asked_tools
from rad_lsp.service import trend as asked

if TYPE_CHECKING:
    from rad_lsp.server.context import Context


@request("stats/trend", wire.TrendParams)
async def trend(context: Context, params: wire.TrendParams) -> wire.TrendResult:
    """What was spent and done by hour, day, week or month."""
    folder = context.folders.pick(params.workspace_uri)
    await folder.ready()
    settings, prices = folder.settings.values, folder.settings.prices
    question = asked.Question(
        params.unit,
        datetime.now(UTC),
        settings.zone,
        period_of(folder, params.since, params.until),
        params.count,
        params.split,
        settings.week_start,
    )
    found = await folder.sessions.ask(
        lambda store: store.ask_known(lambda sums: asked.ask(sums, question, prices)),
        all_projects=params.all_projects,
    )
    return rendered.answer(found)


@request("stats/tools", wire.ToolsParams)
async def tools(context: Context, params: wire.ToolsParams) -> wire.ToolsResult:
    """What became of tool calls, by tool."""
    folder, snapshot = await snapshot_of(context, params)
    session = params.session_id and service.session(snapshot, params.session_id)
    within = period_of(folder, params.since, params.until)
    found = await folder.sessions.ask(
        lambda store: store.ask_known(lambda sums: asked_tools.ask(sums, within, session or None)),
        all_projects=params.all_projects,
    )
    return rendered_tools.answer(found)
