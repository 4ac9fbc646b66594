"""`rad stats session`: one session in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rad_lsp.cli.options import json_option, session_id_options, workspace_options
from rad_lsp.cli.output import emit, emit_data, painter, width

if TYPE_CHECKING:
    from rad_lsp.cli.context import Context


@click.command()
@workspace_options
@session_id_options
@json_option
def session(context: Context, session_id: str | None, *, as_json: bool) -> None:
    """Show one session, or the most recent.

    Example: rad stats session latest~1
    """
    from rad_lsp import service

    found = service.session(context.snapshot(named=[session_id]), session_id)
    savings = service.savings(found, context.prices)
    zone = context.settings.zone
    shown = service.one_row_per_model(found, context.prices)
    if as_json:
        from rad_lsp.render import answers, rows

        told = answers.session(shown, context.now, zone, savings)
        emit_data([rows.encode(rows.session(service.stored(found), told))])
    else:
        from rad_lsp.render import text

        emit(text.session(shown, context.now, painter(), savings=savings, zone=zone, width=width()))
