"""`rad demo`: what rad does, shown on sample reports in a temporary folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from rad_lsp.cli.output import emit, emit_data


@click.command()
@click.option("--keep", is_flag=True, help="Keep the sample workspace, to try things on.")
def demo(*, keep: bool) -> None:
    """Show what rad does, on a sample workspace that it makes and removes.

    Example: rad demo --keep
    """
    import tempfile

    from rad_lsp import temporary

    if keep:
        _show(Path(tempfile.mkdtemp(prefix="rad-demo-")))
        return
    with temporary.folder("demo") as folder:
        _show(folder)


def _show(folder: Path) -> None:
    from rad_lsp.cli import sample

    workspace = folder.resolve()
    reports = sample.write(workspace)
    emit(
        f"A sample workspace with {reports} session reports, one of them corrupt:\n  {workspace}\n"
    )
    _run("What it has cost, and on what", "", workspace)
    _run("Day by day", "stats daily -n 5", workspace)
    _run("The most recent session", "stats session", workspace)
    _run("All sessions, newest first", "stats history", workspace)
    _run("The last session against the one before", "stats compare latest~1 latest", workspace)
    _run("Which model cost how much", "stats model", workspace)
    _run("What was skipped, and why", "doctor", workspace)
    _track(workspace / "tracked")
    _editor(workspace)
    emit("\nTry it on your own sessions: 'rad --all-projects', then 'rad' in a folder of yours.\n")


def _track(folder: Path) -> None:
    """Show an agent that edits files in a git repository, tracked from start to finish."""
    from rad_lsp.cli import sample
    from rad_lsp.service import workspace

    if not sample.repository(folder):
        emit("\nGit is not installed: code changes will be 0.\n")
    workspace.init(folder)
    command = f"session run -- python {sample.AGENT}"
    _run("An agent, tracked while it works in a git repository", command, folder)
    _run("What that cost", "stats model latest", folder)


def _run(title: str, command: str, workspace: Path) -> None:
    import os
    import subprocess

    from rad_lsp import service

    emit(f"\n── {title}\n$ {f'rad {command}'.rstrip()}\n")
    # The user's own environment may name another workspace.
    environment = {**os.environ, service.workspace.VARIABLE: str(workspace)}
    python = [sys.executable, "-P"]  # no module of the folder passes for one of Python's or ours
    arguments = [*python, "-m", "rad_lsp.cli"]
    for word in command.split():
        arguments += python if word == "python" else [word]
    done = subprocess.run(  # noqa: S603
        arguments, cwd=workspace, env=environment, capture_output=True, check=False
    )
    emit_data([done.stdout, done.stderr])


def _editor(workspace: Path) -> None:
    """Show what an editor gets from the server: a status after each change, and answers."""
    from rad_lsp.cli import sample
    from rad_lsp.cli.lsp_client import Client
    from rad_lsp.service import REPORTS_FOLDER

    emit("\n── What an editor shows, from the language server\n$ rad-lsp --stdio\n")
    with Client(workspace) as client:
        status = client.wait_for("stats/status")
        emit(f"Status bar:  {_bar(status)}\n")
        name = sample.add(workspace)
        emit(f"A session ends, its report {name} is written …\n")
        before = status["totals"]["sessions"]
        while status["totals"]["sessions"] == before:
            status = client.wait_for("stats/status")
        emit(f"Status bar:  {_bar(status)}\n")

        emit("\nstats/compare, as Markdown:\n\n")
        pair = {"sessionA": "latest~1", "sessionB": "latest"}
        emit(client.request("stats/compare", pair)["markdown"])

        target = workspace / "sessions.csv"
        written = client.request("stats/export", {"format": "csv", "output": str(target)})
        emit(
            f"\nstats/export: {written['sessions']} sessions, {written['bytes']:,} bytes, "
            f"to {written['uri']}\n"
        )

        report = workspace / REPORTS_FOLDER / name
        line = report.read_text(encoding="utf-8").splitlines().index('    "api_time": {')
        where = {
            "textDocument": {"uri": report.as_uri()},
            "position": {"line": line, "character": 6},
        }
        hover = client.request("textDocument/hover", where)
        emit(f'\nHover on "api_time" in the report:\n  {hover["contents"]["value"]}\n')


def _bar(status: dict[str, Any]) -> str:
    return f"[ {status['text']} ]  severity: {status['severity']}"
