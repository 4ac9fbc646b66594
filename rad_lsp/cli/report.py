"""`rad report`: sessions as a page of charts, or as one chart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rad_lsp.cli.options import spending_options, workspace_options
from rad_lsp.cli.output import emit_data, note
from rad_lsp.core.errors import NoSessions, OutputExists, RadError

if TYPE_CHECKING:
    from rad_lsp.cli.context import Context
    from rad_lsp.core.period import Period
    from rad_lsp.render.label import TitleOf
    from rad_lsp.render.report.drawing import Kind
    from rad_lsp.service.report import Report


@click.command()
@workspace_options
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write to a file, - is stdout; without it, to report.html in your data folder.",
)
@click.option("--open", "shows", is_flag=True, help="Open it in the browser.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.option("--chart", metavar="NAME", help="Only this chart, such as cost-by-day, as a picture.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["png", "svg"]),
    help="With --chart: the kind of picture.  [default: png]",
)
@click.option(
    "--titles",
    "titled",
    is_flag=True,
    help="With the titles that agents keep, which may quote what you wrote.",
)
@spending_options
def report(
    context: Context,
    output: str | None,
    chart: str | None,
    kind: Kind | None,
    within: Period,
    *,
    shows: bool,
    force: bool,
    titled: bool,
) -> None:
    """Make a page of charts and tables: one file, which needs no network.

    Cost by day, model and project, budgets, tools, cache and time; drag over days or click a mark
    to see only what it stands for.

    Example: rad report --all-projects --open
    """
    if kind and chart is None:
        raise click.UsageError("--format goes with --chart.")
    if shows and output == "-":
        raise click.UsageError("--open needs a file, and --output - writes none.")
    if chart is None:
        content = _page(context, within, titled=titled)
    else:
        content = _picture(context, chart, kind or "png", within, titled=titled)
    if output == "-":
        emit_data([content])
        return
    name = "report.html" if chart is None else f"{chart}.{kind or 'png'}"
    path = _write(context, output, name, content, force=force)
    if shows:
        _open(path)


def _page(context: Context, within: Period, *, titled: bool) -> bytes:
    from rad_lsp.render.report import bundle, data, page

    script = bundle.javascript()  # where it is missing, nothing is read in vain
    found = _facts(context, within)
    scope = "All projects" if context.all_projects else str(context.workspace.root)
    title_of = _titles(context, found, titled=titled)
    text = data.text(found, context.now, context.settings.zone, scope, title_of)
    return page.page(text, page.title(scope), script).encode("utf-8", "backslashreplace")


def _picture(context: Context, chart: str, kind: Kind, within: Period, *, titled: bool) -> bytes:
    from rad_lsp.render.report import drawing

    drawn = drawing.Drawing(chart, kind)
    found = _facts(context, within)
    title_of = _titles(context, found, titled=titled)
    return drawn.picture(found, context.settings.zone, title_of)


def _facts(context: Context, within: Period) -> Report:
    from rad_lsp.service import report as reports

    store = context.store()
    snapshot = context.snapshot(store=store)
    if not snapshot.entries:
        raise NoSessions
    settings = context.settings
    arguments = (context.workspace.root, settings, context.now, within)
    read = store.ask_known(lambda _: reports.read(store, *arguments))
    found = reports.of(read, settings.zone, context.prices)
    if not found.sessions:
        raise RadError("No session was active then: choose another time with --since and --until.")
    return found


def _titles(context: Context, found: Report, *, titled: bool) -> TitleOf:
    from rad_lsp.service import sessions

    titles = sessions.titles(context.machine, found.sessions) if titled else {}
    return lambda session: titles.get(session.id, "")


def _write(context: Context, output: str | None, name: str, content: bytes, *, force: bool) -> Path:
    """Write it where it was asked for; else to the user's data folder, over that from before."""
    from rad_lsp import places, service, settings

    if output is None:
        path = settings.data_folder() / name
        places.make_folder(path.parent)
        service.write(path, [content], overwrite=True)
    else:
        path = Path(output)
        try:
            service.write(path, [content], overwrite=force, workspace=context.workspace.root)
        except OutputExists:
            raise RadError(f"{output} exists. Overwrite it with --force.") from None
    note(f"Wrote {len(content):,} bytes to {path}.")
    return path


def _open(path: Path) -> None:
    import webbrowser

    if not webbrowser.open(path.absolute().as_uri()):
        raise RadError(f"No browser was found. Open {path} in one.")
