"""`rad stats history`: a list of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

from rad_lsp.cli.options import json_rows_option, period_options, workspace_options
from rad_lsp.cli.output import emit, emit_data, note, painter, width
from rad_lsp.core.listing import COLUMNS
from rad_lsp.core.wording import NO_HISTORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from rad_lsp.cli.context import Context
    from rad_lsp.core.period import Period

T = TypeVar("T")


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
@click.option(
    "--columns",
    metavar="NAMES",
    help=f"These columns, separated by commas, of {', '.join(COLUMNS)}.",
)
@click.option(
    "--sort",
    metavar="NAME[:asc|desc]",
    help="By this column; without a direction, the largest or the latest first, texts by the "
    "alphabet. Except by last_activity, that takes all sessions of the period into account.",
)
@click.option(
    "--titles",
    is_flag=True,
    help="With the titles that agents keep, read from the transcripts and never stored.",
)
@period_options
@json_rows_option
def history(
    context: Context,
    limit: int,
    offset: int,
    within: Period,
    *,
    columns: str | None,
    sort: str | None,
    titles: bool,
    as_json: bool,
) -> None:
    """List sessions, newest last activity first.

    Example: rad stats history --limit 20 --since 7d --sort cost
    """
    from rad_lsp import service
    from rad_lsp.core import listing
    from rad_lsp.core.period import ALWAYS
    from rad_lsp.service import sessions

    if as_json and (columns is not None or titles):
        raise click.UsageError("--columns and --titles go with the table, not with --json.")
    if limit > service.MAX_LIMIT:
        note(f"--limit is {service.MAX_LIMIT} at most; use --offset for older sessions.")
        limit = service.MAX_LIMIT
    names = () if columns is None else _parsed(listing.columns, columns, "--columns")
    order = None if sort is None else _parsed(listing.order, sort, "--sort")
    newest = sessions.newest(offset + limit) if within == ALWAYS and order is None else None
    page = service.history(context.snapshot(newest), limit, offset, within, order)
    if as_json:
        from rad_lsp.render import answers, rows

        zone = context.settings.zone
        summaries = (answers.summary(session, context.now, zone) for session in page.sessions)
        listed = map(rows.session, map(service.stored, page.sessions), summaries)
        emit_data([rows.encode(list(listed))])
    elif not page.total:
        emit(NO_HISTORY)
    else:
        from rad_lsp.render import history as table

        named = None
        if titles or "title" in names:
            named = sessions.titles(context.machine, page.sessions)
        zone = context.settings.zone
        emit(table.text(page, painter(), columns=names, titles=named, zone=zone, width=width()))


def _parsed(parse: Callable[[str], T], text: str, option: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=f"'{option}'") from None
