"""`rad stats model` and `rad stats engine`: usage per model or engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rad_lsp.cli.options import (
    json_rows_option,
    session_id_options,
    spending_options,
    workspace_options,
)
from rad_lsp.cli.output import emit, emit_data, painter, width

if TYPE_CHECKING:
    from rad_lsp.cli.context import Context
    from rad_lsp.core.period import Period
    from rad_lsp.core.usage import Kind


@click.command()
@workspace_options
@session_id_options
@spending_options
@json_rows_option
def model(context: Context, session_id: str | None, within: Period, *, as_json: bool) -> None:
    """Show usage per model, of one session or of all.

    Example: rad stats model --since 7d
    """
    _usage(context, "model", session_id, within, as_json=as_json)


@click.command()
@workspace_options
@session_id_options
@spending_options
@json_rows_option
def engine(context: Context, session_id: str | None, within: Period, *, as_json: bool) -> None:
    """Show usage per engine, of one session or of all.

    Example: rad stats engine latest
    """
    _usage(context, "engine", session_id, within, as_json=as_json)


def _usage(
    context: Context, kind: Kind, session_id: str | None, within: Period, *, as_json: bool
) -> None:
    from rad_lsp import service
    from rad_lsp.render import rows, text

    snapshot = context.snapshot(named=[session_id])
    table = service.usage(snapshot, kind, session_id, within, context.prices)
    if as_json:
        emit_data([rows.encode(rows.usage(table))])
    else:
        shown = None if session_id is None else service.session(snapshot, session_id).id
        emit(text.usage(table, shown, painter(), width=width()))
