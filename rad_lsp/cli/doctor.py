"""`rad doctor`: the state of the workspace, its settings, its reports and the index."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import click

from rad_lsp import __version__
from rad_lsp.cli.options import workspace_options
from rad_lsp.cli.output import emit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rad_lsp.cli.context import Context
    from rad_lsp.service import Snapshot
    from rad_lsp.service.workspaces import Workspace

_LIBRARIES = (
    "pygls",
    "lsprotocol",
    "msgspec",
    "click",
    "gitpython",
    "genai-prices",
    "platformdirs",
    "wcwidth",
)
_SLOW_SECONDS = 2.0
_FOUND = {
    "named": "named with --workspace",
    "environment": "named by $RADIUM_WORKSPACE",
    "nearest": "the nearest .radium folder upward",
    "repository": "the repository; it has no .radium folder",
    "current": "the current folder; it has no .radium folder",
}


@click.command()
@workspace_options
@click.pass_context
def doctor(click_context: click.Context, context: Context) -> None:
    """Check the workspace and its reports; say what is skipped and what to do.

    Exits with 1 when something wants mending.

    Example: rad doctor
    """
    from rad_lsp.core.errors import NoWorkspace

    emit(*(f"{line}\n" for line in _versions()))
    try:
        lines, healthy = _workspace(context, context.workspace)
    except NoWorkspace as error:
        lines, healthy = [f"Workspace:         none. {error}"], False
    emit("\n", *(f"{line}\n" for line in [*lines, *_index(context)]))
    click_context.exit(0 if healthy else 1)


def _versions() -> Iterator[str]:
    import platform
    import shutil
    from importlib import metadata

    yield f"rad-lsp:           {__version__}"
    yield f"Python:            {platform.python_version()} ({sys.executable})"
    yield f"System:            {platform.platform()}"
    libraries = ", ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES)
    yield f"Libraries:         {libraries}"
    yield f"rad on PATH:       {shutil.which('rad') or 'none; python -m rad_lsp.cli is the same'}"
    yield f"rad-lsp on PATH:   {shutil.which('rad-lsp') or 'none; python -m rad_lsp is the same'}"


def _workspace(context: Context, workspace: Workspace) -> tuple[list[str], bool]:
    from collections import Counter

    from rad_lsp import settings
    from rad_lsp.core import wording
    from rad_lsp.core.errors import BadSettings
    from rad_lsp.core.wording import printable
    from rad_lsp.service import RADIUM

    healthy = True
    files = (workspace.root / settings.WORKSPACE_FILE, settings.user_file())
    lines = [
        f"Workspace:         {workspace.root} ({_FOUND[workspace.found]})",
        *(f"Settings:          {file} ({'read' if file.is_file() else 'none'})" for file in files),
        f"Sessions folder:   {workspace.sessions}",
    ]
    try:
        _ = context.settings
    except BadSettings as error:
        lines.append(f"  {error} Until it is mended, no other command works.")
        healthy = False
        context.settings = settings.Settings()
    begun = time.perf_counter()
    snapshot = context.snapshot(quiet=True)
    seconds = time.perf_counter() - begun
    healthy = healthy and not snapshot.skipped
    by_source = Counter(entry.source for entry in snapshot.entries)
    reports = by_source.pop(RADIUM, 0)
    lines.append(f"Reports:           {reports:,}, read in {seconds:.2f} s")
    for source, count in sorted(by_source.items()):
        lines.append(f"{source + ':':<19}{wording.counted(count, 'session')}")
    if not workspace.marked:
        lines.append("  'rad init' makes this a Radium workspace, which tracked sessions need.")
    elif not workspace.sessions.is_dir():
        lines.append("  The sessions folder does not exist. 'rad init' makes it.")
        healthy = False
    elif not snapshot.entries:
        lines.append("  No sessions found: run an agent session in this workspace first.")
    if seconds > _SLOW_SECONDS:
        lines.append(
            "  A large history: 'rad stats history --limit N' prints less, "
            "'rad stats export' lets other programs filter."
        )
    lines.append(f"Skipped files:     {len(snapshot.skipped):,}")
    for skipped in snapshot.skipped:
        problem = skipped.problem
        where = f" (byte {problem.span[0]:,})" if problem.span else ""
        name = printable(os.path.relpath(skipped.path, workspace.sessions))
        lines.append(f"  {name}: {problem.reason}{where} [{problem.code}]")
    if snapshot.skipped:
        lines.append("  The others still count. Mend these files, or delete them.")
    lines += _warnings(snapshot)
    lines.append(f"Code changes:      {_changes(workspace)}")
    return lines, healthy


def _warnings(snapshot: Snapshot) -> list[str]:
    """The warnings and notes on sessions, each kind after its number."""
    from rad_lsp import service
    from rad_lsp.core.wording import printable

    warnings: list[str] = []
    notes: list[str] = []
    for entry, entry_problems in service.warned(snapshot):
        for problem in entry_problems:
            kind = notes if problem.severity == "information" else warnings
            kind.append(f"  {printable(entry.id)}: {problem.reason} [{problem.code}]")
    lines = [f"Warnings:          {len(warnings):,}", *warnings]
    return [*lines, f"Notes:             {len(notes):,}", *notes] if notes else lines


def _index(context: Context) -> list[str]:
    """The state of the index, the folders of transcripts, and what of them can't be read."""
    from rad_lsp.core import wording
    from rad_lsp.core.wording import printable
    from rad_lsp.service import index as indexes
    from rad_lsp.service import sessions

    if why := sessions.not_on_disk(context.machine):
        lines = [
            f"Index:             in memory only: {printable(why)}",
            "  Each command reads all transcripts anew until that is mended.",
        ]
    else:
        state = indexes.state(context.machine)
        lines = [
            (
                f"Index:             {state.path}, {state.size / 1e6:.1f} MB, "
                f"{state.health}; 'rad index rebuild' makes it new"
            )
        ]
    for source, folders in indexes.folders(context.machine).items():
        there = [str(folder) for folder in folders if os.path.isdir(folder)]  # noqa: PTH112
        lines.append(f"  {source + ':':<17}{', '.join(there) or 'no transcripts here'}")
    for unread in indexes.unreadable(context.machine):
        reason = unread.reason
        if unread.lines:
            where = f"line {unread.first_line:,}: {reason}" if unread.first_line else ""
            reason = f"{wording.counted(unread.lines, 'line')} skipped ({printable(where)})"
        lines.append(f"  {printable(unread.path)}: {reason}")
    return lines


def _changes(workspace: Workspace) -> str:
    from rad_lsp.service.workspaces import repository_root
    from rad_lsp.tracking.changes import reason_not_counted

    reason = reason_not_counted(workspace.root)
    if reason is not None:
        return f"not counted, so lines stay 0: {reason}"
    return f"git repository at {repository_root(workspace.root)}; uncommitted changes count, too"
