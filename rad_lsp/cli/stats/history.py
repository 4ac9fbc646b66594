"""`rad stats history`: a list of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rad_lsp.cli.options import json_option, period_options, workspace_options
from rad_lsp.cli.output import emit, emit_data, note, painter, width
from rad_lsp.core.wording import NO_HISTORY

if TYPE_CHECKING:
    from rad_lsp.cli.context import Context
    from rad_lsp.core.period import Period


@click.command()
@workspace_options
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How many sessions, 100 at most.",
)
@click.option(
    "--offset", type=click.IntRange(min=0), default=0, help="How many of the newest to leave out."
)
@period_options
@json_option
def history(context: Context, limit: int, offset: int, within: Period, *, as_json: bool) -> None:
    """List sessions, newest last activity first.

    Example: rad stats history --limit 20 --since 7d
    """
    from rad_lsp import service
    from rad_lsp.core.period import ALWAYS
    from rad_lsp.service import sessions

    if limit > service.MAX_LIMIT:
        note(f"--limit is {service.MAX_LIMIT} at most; use --offset for older sessions.")
        limit = service.MAX_LIMIT
    newest = sessions.newest(offset + limit) if within == ALWAYS else None
    page = service.history(context.snapshot(newest), limit, offset, within)
    if as_json:
        from rad_lsp.render import export

        emit_data(export.json(map(service.stored, page.sessions)))
    elif not page.total:
        emit(NO_HISTORY)
    else:
        from rad_lsp.render import text

        emit(text.history(page, painter(), width=width()))
