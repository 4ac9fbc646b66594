"""`rad stats export`: sessions for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rad_lsp.cli.options import period_options, session_id_options, workspace_options
from rad_lsp.cli.output import emit_data, note
from rad_lsp.core.errors import NoWorkspace, OutputExists, RadError
from rad_lsp.core.wording import NO_HISTORY

if TYPE_CHECKING:
    from rad_lsp.cli.context import Context
    from rad_lsp.core.period import Period
    from rad_lsp.wire import Format

_FORMATS = ["json", "ndjson", "csv", "markdown"]


@click.command()
@workspace_options
@session_id_options
@click.option(
    "-o", "--output", metavar="FILE", help="Write to a file instead of stdout; - is stdout."
)
@click.option(
    "--format", "kind", type=click.Choice(_FORMATS), default="json", show_default=True,
    help="json: an array, or one report; ndjson: a report a line; csv: a row per session.",
)  # fmt: skip
@click.option("--per-model", is_flag=True, help="With csv: a row per session and model.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@period_options
def export(
    context: Context,
    session_id: str | None,
    output: str | None,
    kind: Format,
    within: Period,
    *,
    per_model: bool,
    force: bool,
) -> None:
    """Export one session, or all, newest first.

    Example: rad stats export --format csv --output sessions.csv
    """
    from rad_lsp import service
    from rad_lsp.render import export as exports

    if per_model and kind != "csv":
        raise click.UsageError("--per-model goes with --format csv.")
    try:
        snapshot = context.snapshot(named=[session_id])
    except NoWorkspace as error:
        if error.elsewhere and kind == "json" and output in {None, "-"}:
            emit_data(exports.json([]))
        raise
    sessions = service.selected(snapshot, session_id, within)
    if not snapshot.entries:
        note(NO_HISTORY.strip())
    chunks = exports.chunks(
        sessions,
        kind,
        context.now,
        single=session_id is not None,
        per_model=per_model,
        zone=context.settings.zone,
        left_out=lambda error: note(f"Left out: {error}"),
    )
    if output is None or output == "-":
        emit_data(chunks)
    else:
        try:
            size = service.write(
                Path(output), chunks, overwrite=force, workspace=context.workspace.root
            )
        except OutputExists:
            raise RadError(f"{output} exists. Overwrite it with --force.") from None
        note(f"Wrote {size:,} bytes to {output}.")
