"""Which program is started as the server: none that is missing, too old, or not trusted."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.editors.vscode.workbench import eventually, put, server_script


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
    window.status("rad-lsp: no server".__eq__)
    window.notification(
        f"The rad-lsp server at {old} is too old: this extension needs 0.1.0 or newer."
    )
    window.close()

    server.configure({"radLsp.server.path": "/nowhere/rad-lsp"})
    window = browser.open(server.url(make_workspace("none")), ready=False)
    window.status("rad-lsp: no server".__eq__)
    told = window.notification("The rad-lsp server, which the figures come from, was not found.")
    picture(window, "no-server")
    names = ["Open Guide", "Choose Python", "Not Again"]
    for name in names:
        assert told.get_by_role("button", name=name).is_visible()
    told.get_by_role("button", name="Open Guide").click()
    guide = window.page.locator(".gettingStartedContainer", has_text="Install the Server")
    guide.get_by_role("button", name="Copy Install Command").click()
    window.notification("pipx install --force . is on the clipboard.")
    assert window.clipboard() == "pipx install --force ."

    window.run("Copy Debug Info")
    window.notification("Debug information is on the clipboard.")
    info = eventually(window.clipboard)
    assert "radLsp.server.path: /nowhere/rad-lsp: there is no such program" in info
    assert "ms-python.python: the Python extension is not installed" in info
    assert "PATH: there is no rad-lsp on it" in info

    window.close()

    window = browser.open(server.url(make_workspace("another")), ready=False)
    window.status("rad-lsp: no server".__eq__)
    window.item.locator("a").first.click()
    told = window.notification("The rad-lsp server, which the figures come from, was not found.")
    # What the user asked for alone: nothing was said of this folder by itself.
    assert told.get_by_role("button", name="Not Again").count() == 0
    assert window.notifications() == 1

    server.configure({"radLsp.server.path": str(program)})
    window.status("$0.2500 · 92.6%".__eq__)
    window.close()


def test_server_that_is_not_whole_says_why_in_one_message(
    browser, serve, bare_path, make_workspace, tmp_path, picture
):
    script = tmp_path / "rad-lsp"
    python = tmp_path / "removed" / "python"
    script.write_text(f"#!{python}\nimport rad_lsp\n")
    script.chmod(0o755)
    server = serve({"radLsp.server.path": str(script)}, path=bare_path)

    window = browser.open(server.url(make_workspace("gone")), ready=False)
    window.status("rad-lsp: no server".__eq__)
    told = window.notification(
        f"The rad-lsp server at {script} cannot be started: its interpreter, {python}, is gone."
    )
    told.get_by_role("button", name="Not Again").click()
    told.wait_for(state="detached")

    # It answers to --version, and dies when it is started.
    dying = tmp_path / "dying"
    dying.write_text(
        "#!/bin/sh\n"
        'case "$*" in *--version*) echo rad-lsp 0.1.0; exit;; esac\n'
        "echo \"ModuleNotFoundError: No module named 'pygls'\" >&2; exit 1\n"
    )
    dying.chmod(0o755)
    server.configure({"radLsp.server.path": str(dying)})
    window.status("rad-lsp: server stopped".__eq__)
    told = window.notification(
        "The server does not start. It said: ModuleNotFoundError: No module named 'pygls'"
    )
    picture(window, "server-does-not-start")
    assert window.notifications() == 1
    told.get_by_role("button", name="Show Log").click()
    channel = window.page.locator(".part.panel select").first
    eventually(lambda: channel.evaluate("e => e.selectedOptions[0].text") == "rad-lsp")
    window.press("Control+j")

    # Whoever has said that once, is told of no other server that is missing.
    server.configure({"radLsp.server.path": "/nowhere/rad-lsp"})
    window.status("rad-lsp: no server".__eq__)
    window.run("Copy Debug Info")
    window.notification("Debug information is on the clipboard.")
    assert window.notifications() == 1
    window.close()


def test_folder_that_is_added_later_starts_the_server_with_its_first_session(
    browser, serve, bare_path, program, tmp_path, report
):
    settings = {
        "radLsp.server.path": str(program),
        "radLsp.statusBar.visibility": "relevant",
    }
    server = serve(settings, path=bare_path)
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    (two / "second.txt").write_text("2")
    file = tmp_path / "both.code-workspace"

    def write(*folders):
        listed = [{"path": str(folder)} for folder in folders]
        file.write_text(json.dumps({"folders": listed}), encoding="utf-8")

    write(one)
    window = browser.open(server.url(file, workspace=True), ready=False)
    window.run("Copy Debug Info")
    window.notification("Debug information is on the clipboard.")
    assert "state: idle" in eventually(window.clipboard)

    write(one, two)
    window.open_report("second.txt")
    put(two, report("first", 3, 1), "first")
    window.status("$3.0000 · 92.6%".__eq__)
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
