"""`rad stats compare`: two sessions side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rad_lsp.cli.options import json_option, session_ids, workspace_options
from rad_lsp.cli.output import emit, emit_data, note, painter

if TYPE_CHECKING:
    from rad_lsp.cli.context import Context


@click.command()
@workspace_options
@click.argument("a", metavar="SESSION_A", shell_complete=session_ids)
@click.argument("b", metavar="SESSION_B", shell_complete=session_ids)
@json_option
def compare(context: Context, a: str, b: str, *, as_json: bool) -> None:
    """Compare session B with session A.

    Example: rad stats compare latest~1 latest
    """
    from rad_lsp import service
    from rad_lsp.render import rows, text

    comparison = service.compare(context.snapshot(named=[a, b]), a, b)
    if comparison.a.id == comparison.b.id:
        note("Both ids name the same session: name two to see a difference.")
    if as_json:
        emit_data([rows.encode(rows.comparison(comparison))])
    else:
        emit(text.comparison(comparison, painter()))
