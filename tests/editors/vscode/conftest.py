"""VS Code for tests: skipped and named where it is not installed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.editors.vscode import workbench

REPORTS = {"older": (0.125, 1), "newer": (0.25, 2)}
"""The sessions of a workspace as tests find it: cost, and the day they ended on."""


@pytest.fixture(scope="session")
def installed():
    """VS Code is there; else the test is skipped, or fails where everything is to be tested."""
    reason = workbench.missing()
    if reason and os.environ.get("RAD_LSP_NO_SKIPS"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def vsix(installed, tmp_path_factory):  # noqa: ARG001  (skips)
    """The extension as it is shipped."""
    return workbench.package(tmp_path_factory.mktemp("client") / "vscode")


@pytest.fixture(scope="module")
def browser(installed):  # noqa: ARG001  (skips)
    # By module, as playwright keeps an event loop running, which asynchronous tests can't bear.
    started = workbench.Browser()
    yield started
    started.close()


@pytest.fixture(scope="module")
def serve(vsix, tmp_path_factory):
    """Starts a VS Code server: `serve(settings, path=, env=, trust_all=)`."""
    running = []

    def start(settings, **options):
        home = tmp_path_factory.mktemp("vscode") / "home"
        running.append(workbench.CodeServer(home, vsix, settings, **options))
        return running[-1]

    yield start
    for server in running:
        server.close()


@pytest.fixture(scope="module")
def pid_file(tmp_path_factory):
    return tmp_path_factory.mktemp("server") / "pid"


@pytest.fixture(scope="module")
def program(pid_file):
    """The server as a program that leaves its process id."""
    return workbench.server_script(pid_file.with_name("rad-lsp"), pid_file)


@pytest.fixture(scope="session")
def report(report_dict):
    """A report without contradictions: `report(session_id, cost, day)`."""

    def made(session_id, cost, day):
        used = {"requests": 196, "input_tokens": 31117343, "output_tokens": 46690}
        usage = {**used, "cached_tokens": 17000, "estimated_cost": cost}
        return report_dict(
            session_id=session_id,
            start_time=f"2026-01-0{day}T05:50:06Z",
            end_time=f"2026-01-0{day}T10:00:00Z",
            generated_at=f"2026-01-0{day}T10:00:00Z",
            model_usage={"gemini-3-pro-preview": usage},
            engine_usage={"gemini": usage},
            total_cost=cost,
        )

    return made


@pytest.fixture(scope="module")
def make_workspace(tmp_path_factory, report):
    """A workspace with the sessions in REPORTS, by name."""

    def made(name="work"):
        root = tmp_path_factory.mktemp("workspaces") / name
        root.mkdir()
        for session_id, (cost, day) in REPORTS.items():
            workbench.put(root, report(session_id, cost, day), session_id)
        return root

    return made


@pytest.fixture(scope="session")
def picture():
    """Writes a screenshot into the folder of pictures: `picture(window, name)`."""
    named = os.environ.get("RAD_LSP_SCREENSHOTS")
    folder = Path(named or workbench.REPOSITORY / "build" / "screenshots", "vscode")
    folder.mkdir(parents=True, exist_ok=True)

    def write(window, name):
        window.page.screenshot(path=folder / f"{name}.png", animations="disabled")

    return write
