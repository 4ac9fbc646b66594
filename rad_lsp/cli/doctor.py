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
from rad_lsp.core.errors import BadSettings, NoWorkspace
from rad_lsp.core.wording import counted, only_elsewhere, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rad_lsp.cli.context import Context
    from rad_lsp.service import Snapshot, Workspace

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
    _say(*_versions())
    try:
        lines, healthy = _workspace(context, context.workspace)
    except NoWorkspace as error:
        lines, healthy = [f"Workspace:         none. {error}"], False
    _say("", *lines, *_index(context))
    click_context.exit(0 if healthy else 1)


def _say(*lines: str) -> None:
    """Print lines, of which much comes from files and folders that anyone may have named."""
    emit(*(f"{printable(line)}\n" for line in lines))


def _versions() -> Iterator[str]:
    import platform
    import shutil
    from importlib import metadata

    yield f"rad-lsp:           {__version__}"
    yield f"Python:            {platform.python_version()} ({sys.executable})"
    yield f"System:            {platform.platform()}"
    libraries = ", ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES)
    yield f"Libraries:         {libraries}"
    yield f"Prices:            {_prices()}"
    for name, module in (("rad", "rad_lsp.cli"), ("rad-lsp", "rad_lsp")):
        found = shutil.which(name) or f"none; python -P -m {module} is the same"
        yield f"{name + ' on PATH:':<19}{found}"


def _prices() -> str:
    """How old the price list and its corrections are."""
    from datetime import UTC, datetime

    from rad_lsp import service

    age = service.price_list_age()
    released = "its day of release is not known"
    if age.released is not None:
        days = (datetime.now(UTC).date() - age.released).days
        released = f"released on {age.released} ({counted(days, 'day')} ago)"
    return f"genai-prices {age.version}, {released}; corrections of {age.corrected}"


def _workspace(context: Context, workspace: Workspace) -> tuple[list[str], bool]:
    from collections import Counter

    from rad_lsp import settings
    from rad_lsp.service import RADIUM

    healthy = True
    files = (workspace.root / settings.WORKSPACE_FILE, settings.user_file())
    lines = [
        f"Workspace:         {workspace.root} ({_FOUND[workspace.found]})",
        *(f"Settings:          {file} ({'read' if file.is_file() else 'none'})" for file in files),
    ]
    try:
        lines += [f"  {line}" for line in context.loaded.told()]
        if ignored := context.loaded.ignored:
            lines.append(f"  {ignored}.")
    except BadSettings as error:
        lines.append(f"  {error} Until it is mended, no other command works.")
        healthy = False
        context.settings = settings.Settings()
    lines.append(f"Sessions folder:   {workspace.sessions}")
    begun = time.perf_counter()
    snapshot = context.read()
    elsewhere = context.elsewhere(is_empty=not snapshot.entries)
    if not (snapshot.entries or elsewhere or workspace.marked or context.all_projects):
        raise NoWorkspace
    seconds = time.perf_counter() - begun
    healthy = healthy and not snapshot.skipped
    by_source = Counter(entry.source for entry in snapshot.entries)
    reports = by_source.pop(RADIUM, 0)
    lines.append(f"Reports:           {reports:,}, read in {seconds:.2f} s")
    for source, count in sorted(by_source.items()):
        lines.append(f"{source + ':':<19}{counted(count, 'session')}")
    lines += _advice(workspace, snapshot, elsewhere, seconds)
    healthy = healthy and (not workspace.marked or workspace.sessions.is_dir())
    lines.append(f"Skipped files:     {len(snapshot.skipped):,}")
    for skipped in snapshot.skipped:
        problem = skipped.problem
        where = f" (byte {problem.span[0]:,})" if problem.span else ""
        name = os.path.relpath(skipped.path, workspace.sessions)
        lines.append(f"  {name}: {problem.reason}{where} [{problem.code}]")
    if snapshot.skipped:
        lines.append("  The others still count. Mend these files, or delete them.")
    lines += _warnings(snapshot)
    lines.append(f"Code changes:      {_changes(workspace)}")
    return lines, healthy


def _advice(
    workspace: Workspace, snapshot: Snapshot, elsewhere: int, seconds: float
) -> Iterator[str]:
    """What to do where sessions are missing, or many."""
    if elsewhere:
        yield f"  {only_elsewhere(elsewhere)}"
    if not workspace.marked:
        if not elsewhere:
            yield "  'rad init' makes this a Radium workspace, which tracked sessions need."
    elif not workspace.sessions.is_dir():
        yield "  The sessions folder does not exist. 'rad init' makes it."
    elif not snapshot.entries and not elsewhere:
        yield "  No sessions found: run an agent session in this workspace first."
    if seconds > _SLOW_SECONDS:
        yield (
            "  A large history: 'rad stats history --limit N' prints less, "
            "'rad stats export' lets other programs filter."
        )


def _warnings(snapshot: Snapshot) -> list[str]:
    """The warnings and notes on sessions, each kind after its number."""
    from rad_lsp import service

    warnings: list[str] = []
    notes: list[str] = []
    for entry, entry_problems in service.warned(snapshot):
        for problem in entry_problems:
            kind = notes if problem.severity == "information" else warnings
            kind.append(f"  {entry.id}: {problem.reason} [{problem.code}]")
    lines = [f"Warnings:          {len(warnings):,}", *warnings]
    return [*lines, f"Notes:             {len(notes):,}", *notes] if notes else lines


def _index(context: Context) -> list[str]:
    """The state of the index, the folders of transcripts, and what of them can't be read."""
    from rad_lsp.service import index as indexes

    index = context.machine.index
    if index.trouble:
        lines = [
            f"Index:             in memory only: {index.trouble}",
            "  Each command reads all transcripts anew until that is mended.",
        ]
    else:
        size = f"{index.size / 1e6:.1f} MB"
        health = f"{context.machine.health()}; 'rad index rebuild' makes it new"
        lines = [f"Index:             {index.path}, {size}, {health}"]
    for agent in context.machine.agents():
        there = [str(folder) for folder in agent.folders if os.path.isdir(folder)]  # noqa: PTH112
        lines.append(f"  {agent.name + ':':<17}{', '.join(there) or 'no transcripts here'}")
    if count := indexes.forgotten(context.machine):
        lines.append(f"  Forgotten:       {counted(count, 'session')}, by 'rad index forget'")
    for unread in indexes.unreadable(context.machine):
        reason = unread.reason
        if unread.lines:
            where = f"line {unread.first_line:,}: {reason}" if unread.first_line else ""
            reason = f"{counted(unread.lines, 'line')} skipped ({where})"
        lines.append(f"  {unread.path}: {reason}")
    return lines


def _changes(workspace: Workspace) -> str:
    from rad_lsp.service import workspace as workspaces
    from rad_lsp.tracking.changes import reason_not_counted

    reason = reason_not_counted(workspace.root)
    if reason is not None:
        return f"not counted, so lines stay 0: {reason}"
    root = workspaces.repository_root(workspace.root)
    return f"git repository at {root}; uncommitted changes count, too"
