"""`rad index`: the index of other agents' transcripts."""

from __future__ import annotations

import click

from rad_lsp.cli.context import Context, Progress
from rad_lsp.cli.groups import Group
from rad_lsp.cli.options import workspace_options
from rad_lsp.cli.output import emit
from rad_lsp.core.wording import counted, printable


@click.group(cls=Group)
def index() -> None:
    """Look after the index of other agents' transcripts.

    Example: rad index rebuild
    """


@index.command()
@workspace_options
def rebuild(context: Context) -> None:
    """Read all transcripts anew. Sessions whose transcript is gone stay.

    Example: rad index rebuild
    """
    from rad_lsp.service import index as indexes

    with Progress() as progress:
        sessions = indexes.rebuild(context.machine, progress)
    index = context.machine.index
    place = printable(str(index.path))
    emit(f"Rebuilt {place}: {counted(sessions, 'session')}, {index.size / 1e6:.1f} MB.\n")
