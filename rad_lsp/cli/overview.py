"""`rad` alone: what today, this week and this month cost, on what, and what is left."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NoReturn

import click

from rad_lsp.cli.options import json_option, workspace_options
from rad_lsp.cli.output import emit, emit_answer, note, painter, width

if TYPE_CHECKING:
    from rad_lsp.cli.context import Context
    from rad_lsp.service import Store
    from rad_lsp.service.overview import Overview

_WATCH_SECONDS: Final = 2.0


@click.command()
@workspace_options
@json_option
@click.option("--watch", is_flag=True, help="Go on, and show it anew whenever something changes.")
def overview(context: Context, *, as_json: bool, watch: bool) -> None:
    """Show today, this week and this month, and what is left; the same as 'rad' alone.

    Each is compared with as much of the day, week or month before as has passed of this one. In a
    folder with sessions, that folder comes first, and all projects beside it.

    Example: rad overview --all-projects
    """
    if watch:
        _watch(context, as_json=as_json)
    found = _ask(context, *_stores(context))
    if ignored := context.loaded.ignored:
        note(f"{ignored}.")
    if what := context.machine.index.notice or context.machine.index.trouble:
        note(f"{what}.")
    emit_answer(_shown(context, found, as_json=as_json, indent=2), as_json=as_json)


def _stores(context: Context) -> tuple[Store, Store]:
    """The sessions of the folder, and those of all projects: one store where these are asked for.

    The folder's have those that a status line adds up, on later days as well.
    """
    from rad_lsp import service
    from rad_lsp.core.period import Period
    from rad_lsp.service import sessions

    settings = context.settings
    period = service.status_period(context.now, settings.zone, settings.budget, settings.week_start)
    here = context.store(sessions.recent(Period(period.since), ""))
    if context.all_projects:
        return here, here
    everywhere = sessions.open_store(
        context.machine,
        context.workspace.root,
        settings.sources,
        settings.prices,
        everywhere=True,
        selection=sessions.newest(1),
    )
    return here, everywhere


def _ask(context: Context, here: Store, everywhere: Store) -> Overview:
    from rad_lsp.cli.context import Progress
    from rad_lsp.service import overview

    with Progress() as progress:
        here.refresh(progress=progress)
    root, settings = context.workspace.root, context.settings
    return here.ask_known(
        lambda _: overview.ask(here, everywhere, root, settings, context.prices, context.now)
    )


def _shown(context: Context, found: Overview, *, as_json: bool, indent: int) -> str:
    from rad_lsp.render import overview as shown

    folder = str(context.workspace.root)
    if as_json:
        from rad_lsp.render import rows

        return rows.encode(
            rows.answer(shown.answer(found, context.now, folder)), indent=indent
        ).decode()
    return shown.text(found, context.now, context.settings.zone, folder, painter(), width=width())


def _watch(context: Context, *, as_json: bool) -> NoReturn:
    """Show it at once and after each change, until Ctrl-C; on a terminal in place."""
    from rad_lsp.cli.watch import watch

    stores = _stores(context)
    is_first = True

    def ask() -> str:
        context.now = datetime.now(UTC)
        return _shown(context, _ask(context, *stores), as_json=as_json, indent=-1)

    def show(answer: str) -> None:
        nonlocal is_first
        if width() is not None and not as_json:
            click.clear()
        elif not (is_first or as_json):
            emit("\n")
        is_first = False
        emit_answer(answer, as_json=as_json)

    watch(_WATCH_SECONDS, ask, show)
