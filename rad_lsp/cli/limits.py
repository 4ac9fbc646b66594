"""`rad limits`: what agents record of plan limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rad_lsp.cli.context import Progress
from rad_lsp.cli.options import json_option, workspace_options
from rad_lsp.cli.output import emit, emit_data, painter, width

if TYPE_CHECKING:
    from rad_lsp.cli.context import Context


@click.command()
@workspace_options
@json_option
def limits(context: Context, *, as_json: bool) -> None:
    """Show what is used of plan limits, as the agents record it, and when it runs out.

    Limits are those of your accounts: sessions count wherever they worked. Where an agent records
    no limit, its running block of 5 hours is shown instead, as an estimate.

    Example: rad limits --source codex
    """
    from rad_lsp.render import answers, rows
    from rad_lsp.render import limits as rendered
    from rad_lsp.service import limits as plans

    settings = context.settings
    with Progress() as progress:
        overview = plans.overview(
            context.machine, context.now, settings.prices, settings.sources, progress
        )
    if as_json:
        emit_data([rows.encode(rows.answer(answers.limits(overview, context.now, settings.zone)))])
    else:
        emit(rendered.text(overview, settings.zone, painter(), width=width()))
