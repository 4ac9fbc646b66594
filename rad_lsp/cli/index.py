"""`rad index`: the index of other agents' transcripts."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from rad_lsp.cli.context import Context, Progress
from rad_lsp.cli.groups import Group
from rad_lsp.cli.options import (
    json_option,
    session_ids,
    source_names,
    workspace_option,
    workspace_options,
)
from rad_lsp.cli.output import emit, emit_data, note
from rad_lsp.core.errors import RadError
from rad_lsp.core.wording import counted, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rad_lsp.service.index import Forgotten

_UNTOUCHED: Final = "No transcript and no report was touched."


@click.group(cls=Group)
def index() -> None:
    """Look after the index of other agents' transcripts.

    Example: rad index rebuild
    """


@index.command()
@workspace_options
def rebuild(context: Context) -> None:
    """Read all transcripts anew. Sessions whose transcript is gone stay.

    What 'rad index forget' has forgotten counts again where its file is still there.

    Example: rad index rebuild
    """
    from rad_lsp.service import index as indexes

    with Progress() as progress:
        sessions = indexes.rebuild(context.machine, progress)
    index = context.machine.index
    place = printable(str(index.path))
    emit(f"Rebuilt {place}: {counted(sessions, 'session')}, {index.size / 1e6:.1f} MB.\n")


@index.command()
@click.argument("ids", metavar="[ID]...", nargs=-1, shell_complete=session_ids)
@click.option(
    "--source",
    "sources",
    metavar="NAME",
    multiple=True,
    shell_complete=source_names,
    help="All sessions of this source, such as claude-code; can be given several times.",
)
@click.option(
    "--folder",
    "folders",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path),
    help="All sessions that worked in this folder or below it; it need not exist any more.",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
@workspace_option
def forget(
    workspace: Path | None,
    ids: tuple[str, ...],
    sources: tuple[str, ...],
    folders: tuple[Path, ...],
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Forget sessions: those with an ID, or those of a source, a folder, or both.

    They count nowhere any more, even when their files grow, and what the index has of them is
    overwritten; it keeps only their ids and the paths of their files, by which it knows them. No
    transcript and no report is touched. 'rad index rebuild' reads again what is still there.

    Example: rad index forget --folder ~/work/secret
    """
    from rad_lsp.service import SOURCES
    from rad_lsp.service import index as indexes

    if bool(ids) == bool(sources or folders):
        raise click.UsageError("Name sessions: either each by its ID, or by --source and --folder.")
    if unknown := [name for name in sources if name not in SOURCES]:
        raise click.BadParameter(
            f"{unknown[0]!r} is no source; known are {', '.join(SOURCES)}.", param_hint="'--source'"
        )
    context = Context(workspace, all_projects=True)
    machine, root = context.machine, context.workspace.root
    if ids:
        chosen = indexes.found_by_id(machine, root, ids)
    else:
        within = [Path(os.path.abspath(one)) for one in folders] if folders else None  # noqa: PTH100
        chosen = indexes.found_within(machine, root, sources or SOURCES, within)
    found = indexes.by_folder(chosen)
    if not found:
        raise RadError("The index has no such session. 'rad stats history' lists what it has.")
    if not yes:
        _ask(found)
    traces = indexes.forget(machine, chosen)
    if as_json:
        from rad_lsp.render import rows

        emit_data([rows.encode([rows.answer(one) for one in found])])
    else:
        emit("Forgot:\n", *_lines(found), f"{_UNTOUCHED}\n")
    if traces:
        note(f"Some of it may still be in free space of {machine.index.path}: {traces}.")


def _ask(found: Sequence[Forgotten]) -> None:
    """Let the user confirm what is to be forgotten. Raises RadError where that is not done."""
    if not sys.stdin.isatty():
        raise RadError(
            f"{counted(sum(one.sessions for one in found), 'session')} would be forgotten. "
            "Add --yes, as nobody can be asked here."
        )
    click.echo("To be forgotten:\n" + "".join(_lines(found)), nl=False, err=True)
    if not click.confirm("Forget them?", err=True):
        raise RadError("Nothing was forgotten.")


def _lines(found: Sequence[Forgotten]) -> list[str]:
    return [
        f"  {counted(one.sessions, 'session')} of {one.source} in "
        f"{printable(one.folder) or 'a folder that is not known'}\n"
        for one in found
    ]
