"""Which program is started as the server: none that is missing, too old, or not trusted."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.editors.vscode.workbench import eventually, server_script


@pytest.fixture(scope="module")
def bare_path():
    """A PATH on which there is no server."""
    assert not shutil.which("rad-lsp", path="/usr/bin:/bin")
    return "/usr/bin:/bin"


def test_missing_server_is_said_once_with_help(
    browser, serve, bare_path, make_workspace, program, tmp_path, picture
):
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\necho rad-lsp 0.0.9\n")
    old.chmod(0o755)
    server = serve({"radLsp.server.path": str(old)}, path=bare_path)

    window = browser.open(server.url(make_workspace("old")), ready=False)
    window.status("Radium: no server".__eq__)
    window.notification(f"rad-lsp at {old} is too old: this extension needs 0.1.0 or newer.")
    window.close()

    server.configure({"radLsp.server.path": "/nowhere/rad-lsp"})
    window = browser.open(server.url(make_workspace("none")), ready=False)
    window.status("Radium: no server".__eq__)
    told = window.notification("rad-lsp, which the figures come from, was not found.")
    picture(window, "no-server")
    names = ["Open Guide", "Choose Python"]
    for name in names:
        assert told.get_by_role("button", name=name).is_visible()
    told.get_by_role("button", name="Open Guide").click()
    window.page.locator(".gettingStartedContainer", has_text="Install the Server").wait_for()

    window.run("Copy Debug Info")
    window.notification("Debug information is on the clipboard.")
    info = eventually(window.clipboard)
    assert "radLsp.server.path: /nowhere/rad-lsp: there is no such program" in info
    assert "ms-python.python: the Python extension is not installed" in info
    assert "PATH: there is no rad-lsp on it" in info

    server.configure({"radLsp.server.path": str(program)})
    window.status("$0.2500 · 92.6%".__eq__)
    window.close()


def test_restricted_mode_runs_nothing_and_takes_no_setting_of_the_folder(
    browser, serve, bare_path, make_workspace, tmp_path, picture
):
    folder = tmp_path / "bin"
    folder.mkdir()
    server_script(folder / "rad-lsp", tmp_path / "own")
    work = make_workspace("untrusted")
    theirs = server_script(work / "theirs", tmp_path / "theirs")
    settings = {
        "radLsp.server.path": str(theirs),
        "radLsp.interpreter": str(theirs),
        "radLsp.statusBar.format": "theirs {cost}",
        "radLsp.budget.session": 0.01,
    }
    (work / ".vscode").mkdir()
    (work / ".vscode" / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    server = serve({}, path=f"{folder}:{bare_path}", trust_all=False)

    window = browser.open(server.url(work))
    window.status("$0.2500 · 92.6%".__eq__)
    window.page.locator(".statusbar-item", has_text="Restricted Mode").wait_for()
    picture(window, "restricted-mode")
    assert (tmp_path / "own").exists()
    assert not (tmp_path / "theirs").exists()

    window.palette("Workspaces: Manage Workspace Trust")
    window.page.get_by_role("button", name="Trust", exact=True).first.click()
    eventually((tmp_path / "theirs").exists)
    window.status("theirs $0.2500".__eq__)
    window.close()
