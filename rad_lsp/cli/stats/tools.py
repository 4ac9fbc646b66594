"""`rad stats tools`: what became of tool calls, by tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rad_lsp.cli.options import json_option, session_id_options, spending_options, workspace_options
from rad_lsp.cli.output import emit, emit_data, painter, width

if TYPE_CHECKING:
    from rad_lsp.cli.context import Context
    from rad_lsp.core.period import Period
    from rad_lsp.core.tools import Tools


@click.command()
@workspace_options
@session_id_options
@spending_options
@json_option
def tools(context: Context, session_id: str | None, within: Period, *, as_json: bool) -> None:
    """Show tool calls by tool, of one session or of all: how they ended and how long they took.

    Tools of an MCP server are below it. Calls without a time of their own count at the last
    activity of their session.

    Example: rad stats tools --since 7d
    """
    from rad_lsp import service
    from rad_lsp.render import tools as rendered
    from rad_lsp.service import tools as asked

    session = None
    if session_id is not None:
        session = service.session(context.snapshot(quiet=True), session_id)
    show_empty = _print_json if as_json else None
    table = context.ask(lambda sums: asked.ask(sums, within, session), show_empty)
    if as_json:
        _print_json(table)
    else:
        emit(rendered.as_text(table, painter(), width=width()))


def _print_json(tools: Tools) -> None:
    from rad_lsp.render import rows
    from rad_lsp.render import tools as rendered

    emit_data([rows.encode(rows.answer(rendered.answer(tools)))])
