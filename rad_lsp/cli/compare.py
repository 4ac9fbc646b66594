"""`rad stats compare`: two sessions against each other."""

from __future__ import annotations

import click

from rad_lsp.cli.options import Context, json_option, session_ids, workspace_options
from rad_lsp.cli.output import emit, note, painter


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

    found = service.compare(context.snapshot(), a, b)
    if found.a.id == found.b.id:
        note("Both ids name the same session: name two to see a difference.")
    emit(rows.encode(rows.comparison(found)) if as_json else text.comparison(found, painter()))
