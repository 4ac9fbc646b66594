"""`rad index`: the index of other agents' transcripts."""

from __future__ import annotations

import click

from rad_lsp.cli.options import Context, workspace_options
from rad_lsp.cli.output import emit


@click.group()
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
    from rad_lsp.core.wording import counted

    found = context.machine.index
    found.rebuild()
    context.read_transcripts()
    sources = {source.name for source in context.machine.agents()}
    sessions = counted(len(found.entries(sources, None)), "session")
    database = context.machine.database
    emit(f"Rebuilt {database.path}: {sessions}, {database.size / 1e6:.1f} MB.\n")
