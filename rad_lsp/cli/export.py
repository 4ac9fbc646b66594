"""`rad stats export`: sessions for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rad_lsp.cli.options import (
    Context,
    period_options,
    refuse_period_of_one,
    session_id_options,
    workspace_options,
)
from rad_lsp.cli.output import emit_all, note
from rad_lsp.cli.usage import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rad_lsp.core.session import Session
    from rad_lsp.render.export import Format

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
    since: str | None,
    until: str | None,
    *,
    per_model: bool,
    force: bool,
) -> None:
    """Export one session, or all, newest first.

    Example: rad stats export --format csv --output sessions.csv
    """
    from rad_lsp import service

    refuse_period_of_one(session_id, since, until)
    if per_model and kind != "csv":
        raise click.UsageError("--per-model goes with --format csv.")
    period = context.period(since, until)
    snapshot = context.snapshot()
    one = None if session_id is None else service.session(snapshot, session_id)
    sessions: Iterable[Session] = (
        (entry.session for entry in service.entries(snapshot, period)) if one is None else [one]
    )
    if not snapshot.entries:
        note(NOTHING.strip())
    chunks = _chunks(context, sessions, kind, single=one is not None, per_model=per_model)
    if output is None or output == "-":
        emit_all(chunks)
    else:
        size = service.write(Path(output), chunks, overwrite=force)
        note(f"Wrote {size:,} bytes to {output}.")


def _chunks(
    context: Context, sessions: Iterable[Session], kind: Format, *, single: bool, per_model: bool
) -> Iterator[bytes]:
    from rad_lsp import service
    from rad_lsp.render import export, markdown

    if kind == "json":
        if single:
            return export.json_one(service.stored(next(iter(sessions))))
        return export.json(_stored(sessions))
    if kind == "ndjson":
        return export.ndjson(_stored(sessions))
    if kind == "markdown":
        if single:
            return iter([markdown.session(next(iter(sessions)), context.now).encode("utf-8")])
        return export.markdown_sessions(sessions)
    make = export.csv_models if per_model else export.csv_sessions
    return make(sessions, context.now)


def _stored(sessions: Iterable[Session]) -> Iterator[bytes]:
    """Stored reports; one that went away or broke since it was listed is named and left out."""
    from rad_lsp import service
    from rad_lsp.core.errors import SessionUnreadable

    for session in sessions:
        try:
            yield service.stored(session)
        except SessionUnreadable as error:
            note(f"Left out: {error}")
