"""`rad demo`: the product on sample reports, in a temporary folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rad_lsp.cli.output import emit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@click.command()
@click.option("--keep", is_flag=True, help="Keep the sample workspace, to try things on.")
def demo(*, keep: bool) -> None:
    """Show what rad does, on a sample workspace that it makes and removes.

    Example: rad demo --keep
    """
    import tempfile

    from rad_lsp.cli import sample

    if keep:
        _show(Path(tempfile.mkdtemp(prefix="rad-demo-")), sample.write)
        return
    # Files that a killed server still holds must not spoil the end of the show on Windows.
    with tempfile.TemporaryDirectory(prefix="rad-demo-", ignore_cleanup_errors=True) as folder:
        _show(Path(folder), sample.write)


def _show(folder: Path, write: Callable[[Path], int]) -> None:
    workspace = folder.resolve()
    reports = write(workspace)
    emit(
        f"A sample workspace with {reports} session reports, one of them corrupt:\n  {workspace}\n"
    )
    _run("The most recent session", ["stats", "session"], workspace)
    _run("All sessions, newest first", ["stats", "history"], workspace)
    _run(
        "The last session against the one before",
        ["stats", "compare", "latest~1", "latest"],
        workspace,
    )
    _run("Which model cost how much", ["stats", "model"], workspace)
    _run("What was skipped, and why", ["doctor"], workspace)
    _editor(workspace)
    emit("\nTry it on your own sessions: cd into a Radium workspace, then 'rad stats session'.\n")


def _run(title: str, arguments: Sequence[str], workspace: Path) -> None:
    import os
    import subprocess

    from rad_lsp.store.workspace import VARIABLE

    emit(f"\n── {title}\n$ rad {' '.join(arguments)}\n")
    # The samples are shown, whatever workspace the user's environment names.
    environment = {**os.environ, VARIABLE: str(workspace)}
    command = [sys.executable, "-m", "rad_lsp.cli", *arguments]
    done = subprocess.run(command, cwd=workspace, env=environment, capture_output=True, check=False)  # noqa: S603
    emit(done.stdout, done.stderr)


def _editor(workspace: Path) -> None:
    from rad_lsp.cli.lsp_client import Client

    emit("\n── What an editor's status bar shows\n$ rad-lsp --stdio\n")
    with Client(workspace) as client:
        status = client.wait_for("stats/status")
        emit(f"[ {status['text']} ]  severity: {status['severity']}\n")
