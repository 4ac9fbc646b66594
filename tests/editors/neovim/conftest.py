"""Neovim for tests: skipped and named where it is not installed."""

from __future__ import annotations

import os
import sys
import uuid
from pathlib import Path
from typing import NoReturn

import pytest


def missing(what, how) -> NoReturn:
    """Skip, or fail where everything is to be tested."""
    reason = f"{what} is not installed: {how}"
    if os.environ.get("RAD_LSP_NO_SKIPS"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def nvim_program():
    if sys.platform == "win32":
        pytest.skip("Neovim is driven through a pty, which Windows has not")
    from tests.editors.neovim import editor

    return editor.find() or missing("Neovim 0.11", editor.HOW)


@pytest.fixture
def start(nvim_program, workspace, tmp_path):
    """Starts Neovim in the test's workspace: `start(*files, command=, extra=)`."""
    from tests.editors.neovim.editor import Neovim

    started = []

    def begin(*files, cwd=workspace.root, **options):
        home = tmp_path / f"nvim-{len(started)}"
        started.append(Neovim(nvim_program, cwd, home, *files, **options))
        return started[-1]

    yield begin
    for neovim in started:
        neovim.close()


@pytest.fixture
def nvim(start, sessions):
    """Neovim with a workspace of two sessions, whose status is on the screen."""
    assert sessions
    neovim = start()
    neovim.status("$0.2500 · 92.6%")
    return neovim


@pytest.fixture
def sessions(workspace, report_bytes):
    """Two reports: `first`, and `second`, which is more recent."""
    return two_sessions(workspace.sessions, report_bytes)


def two_sessions(folder, report_bytes):
    reports = {"first": figures(cost=0.125, day=1), "second": figures(cost=0.25, day=2)}
    for session_id, metrics in reports.items():
        data = report_bytes(session_id=session_id, **metrics)
        Path(folder, f"{session_id}.json").write_bytes(data)
    return [Path(folder, f"{session_id}.json") for session_id in reports]


def figures(*, cost, day):
    """What a report says of a session of that day, without a contradiction."""
    used = {"requests": 196, "input_tokens": 31117343, "output_tokens": 46690}
    usage = {**used, "cached_tokens": 17000, "estimated_cost": cost}
    return {
        "start_time": f"2026-01-0{day}T05:50:06Z",
        "end_time": f"2026-01-0{day}T10:00:00Z",
        "generated_at": f"2026-01-0{day}T10:00:00Z",
        "model_usage": {"gemini-3-pro-preview": usage},
        "engine_usage": {"gemini": usage},
        "total_cost": cost,
    }


@pytest.fixture
def write(workspace, report_bytes):
    """Writes the report of one more, the most recent session, as Radium does; returns its path."""

    def written(session_id="third", cost=0.5):
        data = report_bytes(session_id=session_id, **figures(cost=cost, day=3))
        path = workspace.sessions / f"{session_id}.json"
        temporary = path.with_suffix(f".tmp.{uuid.uuid4()}")
        temporary.write_bytes(data)
        return temporary.replace(path)

    return written
