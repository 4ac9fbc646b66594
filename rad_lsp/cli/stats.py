"""`rad stats`: questions about recorded sessions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rad_lsp.cli.options import (
    json_option,
    period_options,
    session_id_options,
    session_ids,
    workspace_options,
)
from rad_lsp.cli.output import emit, emit_all, note, painter
from rad_lsp.core.errors import OutputExists, RadError
from rad_lsp.core.wording import NO_HISTORY, printable

if TYPE_CHECKING:
    from rad_lsp.cli.context import Context
    from rad_lsp.core.period import Period
    from rad_lsp.core.usage import Kind
    from rad_lsp.wire import Format

_FORMATS = ["json", "ndjson", "csv", "markdown"]


@click.group()
def stats() -> None:
    """Answer questions about recorded sessions.

    Example: rad stats history --limit 20
    """


@stats.command()
@workspace_options
@session_id_options
@json_option
def session(context: Context, session_id: str | None, *, as_json: bool) -> None:
    """Show one session, or the most recent.

    Example: rad stats session latest~1
    """
    from rad_lsp import service

    shown = service.session(context.snapshot(), session_id)
    if as_json:
        from rad_lsp.render import export

        emit(export.json_one(shown))
    else:
        from rad_lsp.render import text

        savings = service.savings(shown, context.prices)
        emit(text.session(shown, context.now, painter(), savings=savings))


@stats.command()
@workspace_options
@session_id_options
@period_options
@json_option
def model(context: Context, session_id: str | None, within: Period, *, as_json: bool) -> None:
    """Show usage per model, of one session or of all.

    Example: rad stats model --since 7d
    """
    _usage(context, "model", session_id, within, as_json=as_json)


@stats.command()
@workspace_options
@session_id_options
@period_options
@json_option
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

    snapshot = context.snapshot()
    table = service.usage(snapshot, kind, session_id, within)
    if as_json:
        emit(rows.encode(rows.usage(table)))
    else:
        shown = None if session_id is None else service.session(snapshot, session_id).id
        emit(text.usage(table, shown, painter()))


@stats.command()
@workspace_options
@session_id_options
@period_options
@json_option
def cost(context: Context, session_id: str | None, within: Period, *, as_json: bool) -> None:
    """Explain a cost: tokens, rates and the rule behind them, of one session or of all.

    Example: rad stats cost latest
    """
    from rad_lsp import service
    from rad_lsp.render import cost as explained
    from rad_lsp.render import rows

    snapshot = context.snapshot()
    table = service.cost(snapshot, context.prices, session_id, within)
    if as_json:
        emit(rows.encode(rows.cost(table)))
    else:
        shown = None if session_id is None else service.session(snapshot, session_id).id
        emit(explained.text(table, shown, painter()))


@stats.command()
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

        emit_all(export.json(map(service.stored, page.sessions)))
    elif not page.total:
        emit(NO_HISTORY)
    else:
        from rad_lsp.render import text

        emit(text.history(page, painter()))


@stats.command()
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

    comparison = service.compare(context.snapshot(), a, b)
    if comparison.a.id == comparison.b.id:
        note("Both ids name the same session: name two to see a difference.")
    emit(
        rows.encode(rows.comparison(comparison))
        if as_json
        else text.comparison(comparison, painter())
    )


@stats.command()
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
    snapshot = context.snapshot()
    sessions = service.selected(snapshot, session_id, within)
    if not snapshot.entries:
        note(NO_HISTORY.strip())
    chunks = exports.chunks(
        sessions,
        kind,
        context.now,
        single=session_id is not None,
        per_model=per_model,
        left_out=lambda error: note(f"Left out: {error}"),
    )
    if output is None or output == "-":
        emit_all(chunks)
    else:
        try:
            size = service.write(Path(output), chunks, overwrite=force)
        except OutputExists:
            raise RadError(f"{output} exists. Overwrite it with --force.") from None
        note(f"Wrote {size:,} bytes to {printable(output)}.")
