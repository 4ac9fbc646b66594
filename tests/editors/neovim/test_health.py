"""`:checkhealth rad_lsp`, the help, and what is said when the server is not installed."""

from __future__ import annotations

import os
import re
import shutil
import sys


def health(nvim):
    nvim.command("checkhealth rad_lsp")
    nvim.wait("vim.bo.filetype == 'checkhealth' and vim.fn.search('rad_lsp: log', 'nw') > 0")
    return "\n".join(nvim.lines())


def test_all_is_well(nvim):
    said = health(nvim)
    assert "ERROR" not in said
    assert "WARNING" not in said
    assert "Its protocol is version 1, and 1 is needed" in said
    assert "Status: $0.2500 · 92.6%" in said
    nvim.terminal.picture("neovim/checkhealth")


def test_what_is_skipped_is_named(start, sessions, workspace):
    assert sessions
    torn = workspace.raw("torn.json", b'{"metrics": {')
    nvim = start()
    nvim.status("$0.2500 · 92.6%")
    said = health(nvim)
    assert "WARNING 1 file skipped: see the list of problems" in said
    assert re.search(rf"WARNING {torn}: \w+", said)


def test_a_server_that_is_not_installed(start):
    nvim = start(command=["rad-lsp-of-nowhere"])
    nvim.status("rad-lsp not found")
    assert "ERROR `rad-lsp-of-nowhere` is not on the PATH" in health(nvim)
    nvim.type_command("Rad session")
    nvim.terminal.wait("rad-lsp: `rad-lsp-of-nowhere` is not on the PATH (:checkhealth rad_lsp)")


def test_a_server_whose_interpreter_is_gone_is_not_said_to_be_missing(start, tmp_path):
    program = tmp_path / "rad-lsp"
    program.write_text("#!/gone/bin/python\n", encoding="utf-8")
    program.chmod(0o755)
    nvim = start(command=[str(program)])
    nvim.status("rad-lsp broken")
    reason = f"`{program}` can't run: its interpreter `/gone/bin/python` is gone"
    assert f"ERROR {reason}" in health(nvim)
    # A program that was installed anew is started without a restart of the editor.
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -m rad_lsp\n", encoding="utf-8")
    nvim.command("doautocmd FocusGained")
    nvim.wait("require('rad_lsp').status() == 'no sessions'")


def test_a_server_in_the_workspace_is_not_taken_from_the_path(
    start, sessions, workspace, tmp_path, monkeypatch
):
    assert sessions
    ran = tmp_path / "ran"
    program = workspace.root / "rad-lsp"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n", encoding="utf-8")
    program.chmod(0o755)
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "rad-lsp").symlink_to(program)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    nvim = start(command=["rad-lsp"])
    nvim.status("rad-lsp not found")
    assert "ERROR `rad-lsp` is not on the PATH but in this workspace" in health(nvim)
    assert not ran.exists()


def test_help(start, tmp_path):
    from tests.editors.neovim.editor import PLUGIN

    help_ = shutil.copytree(PLUGIN / "doc", tmp_path / "plugin" / "doc")
    nvim = start()
    nvim.command(f"helptags {help_}")
    nvim.command(f"set runtimepath+={help_.parent}")
    text = (help_ / "rad_lsp.txt").read_text(encoding="utf-8")
    for tag in {*re.findall(r"\*([^\s*]+)\*", text), *re.findall(r"\|([^\s|]+)\|", text)}:
        nvim.command(f"help {tag}")
    assert all(len(line) <= 80 for line in text.splitlines())
