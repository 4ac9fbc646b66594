"""`rad stats cost`: what a cost is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rad_lsp.cli.options import json_option, session_id_options, spending_options, workspace_options
from rad_lsp.cli.output import emit, emit_data, painter, width
from rad_lsp.core.errors import NoWorkspace

if TYPE_CHECKING:
    from rad_lsp.cli.context import Context
    from rad_lsp.core.period import Period


@click.command()
@workspace_options
@session_id_options
@spending_options
@json_option
def cost(context: Context, session_id: str | None, within: Period, *, as_json: bool) -> None:
    """Explain a cost: tokens, rates and the rule behind them, of one session or of all.

    Example: rad stats cost latest
    """
    from rad_lsp import service
    from rad_lsp.render import answers, rows
    from rad_lsp.render import cost as explained

    try:
        snapshot = context.snapshot(named=[session_id])
    except NoWorkspace as error:
        if as_json and error.elsewhere:
            nothing = service.cost(service.Snapshot(), context.prices)
            emit_data([rows.encode(rows.answer(answers.cost(nothing, None)))])
        raise
    table = service.cost(snapshot, context.prices, session_id, within)
    if as_json:
        emit_data([rows.encode(rows.answer(answers.cost(table, None)))])
    else:
        shown = None if session_id is None else service.session(snapshot, session_id).id
        emit(explained.text(table, shown, painter(), width=width()))
