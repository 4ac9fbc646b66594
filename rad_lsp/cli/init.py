"""`rad init`: make a folder a workspace."""

from __future__ import annotations

from pathlib import Path

import click

from rad_lsp.cli.output import emit
from rad_lsp.core.errors import RadError, reason
from rad_lsp.core.wording import printable


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("-w", "--workspace", type=click.Path(path_type=Path), help="The same as FOLDER.")
def init(folder: Path | None, workspace: Path | None) -> None:
    """Make FOLDER, or the current folder, a workspace.

    Example: rad init
    """
    from rad_lsp.service import REPORTS_FOLDER
    from rad_lsp.service import workspace as workspaces

    if None not in (folder, workspace) and folder != workspace:
        raise click.UsageError("Name the folder once: as FOLDER or with --workspace.")
    root = (workspace or folder or Path()).absolute()
    where = root / REPORTS_FOLDER
    try:
        made = workspaces.init(root)
    except OSError as error:
        why = reason(error)
        raise RadError(f"{where} can't be made: {why}. Choose another folder.") from None
    said = f"Made {where}" if made else f"{where} is there already; nothing changed."
    emit(f"{printable(said)}\n")
