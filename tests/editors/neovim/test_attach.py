"""When the server runs, what it is attached to, and that it comes back."""

from __future__ import annotations

import os
import signal

CLIENTS = "#vim.lsp.get_clients({ name = 'rad_lsp' })"
SERVERS = "#require('rad_lsp.server').all()"
ATTACHED = "vim.lsp.get_clients({ name = 'rad_lsp', bufnr = 0 })[1] ~= nil"


def server_pid(nvim):
    (pid,) = nvim.lua("return vim.api.nvim_get_proc_children(vim.fn.getpid())")
    return pid


def test_a_workspace_has_its_server_though_no_report_is_open(nvim):
    assert nvim.lua(f"return {CLIENTS}") == 1
    assert not nvim.lua(f"return {ATTACHED}")


def test_a_folder_that_is_no_workspace_has_none(start, tmp_path):
    nvim = start(cwd=tmp_path)
    nvim.type_command("Rad session")
    nvim.terminal.wait("No workspace: no .radium folder here or above")
    assert nvim.lua("return { require('rad_lsp').status(), " + CLIENTS + " }") == ["", 0]


def test_a_repository_has_one_where_another_agent_is_in_use(start, claude_code, tmp_path):
    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    (repository / "src").mkdir()
    assert start(cwd=repository).lua(f"return {CLIENTS}") == 0
    home = tmp_path / "nvim-1" / ".claude"  # of the next Neovim
    claude_code("from-claude", folder=home, cwd=repository / "src").prompt().answer()
    nvim = start(cwd=repository / "src")
    nvim.status("$0.0045 · n/a")


def test_a_folder_that_agents_work_in_has_one_and_its_subfolders_have_none(
    start, claude_code, tmp_path
):
    folder, home = tmp_path / "plain", tmp_path / "nvim-0"
    (folder / "sub" / "deep").mkdir(parents=True)
    claude_code("one", folder=home / ".claude", cwd=folder).prompt().answer()
    nvim = start(cwd=folder)
    nvim.status("$0.0045 · n/a")
    changes = ("edit sub/a.txt", "lcd sub/deep", "edit b.txt", f"cd {folder}/sub", "edit c.txt")
    for command in changes:
        nvim.command(command)
        nvim.status("$0.0045 · n/a")
    assert nvim.lua(f"return {SERVERS}") == 1
    # Another folder has a server of its own, but no folder that holds the user's home.
    for place, servers in ((tmp_path / "other", 2), (home, 2), (tmp_path, 2)):
        place.mkdir(exist_ok=True)
        nvim.command(f"cd {place} | edit {place}/a.txt")
        nvim.lua("vim.wait(50)")
        assert nvim.lua(f"return {SERVERS}") == servers


def test_a_file_brings_the_server_of_its_workspace(start, sessions, workspace, tmp_path):
    assert sessions
    file = workspace.root / "notes.txt"
    file.touch()
    nvim = start(file, cwd=tmp_path)
    nvim.status("$0.2500 · 92.6%")


def test_enabling_the_server_later_is_soon_enough(start, sessions):
    assert sessions
    nvim = start(extra="enable = vim.lsp.enable; vim.lsp.enable = function() end")
    assert nvim.lua(f"return {CLIENTS}") == 0
    nvim.command("lua enable('rad_lsp')")
    nvim.status("$0.2500 · 92.6%")


def test_reports_are_attached_to_that_server_and_other_files_are_not(nvim, sessions, workspace):
    other = workspace.root / "package.json"
    other.write_text("{}")
    nvim.command(f"edit {other}")
    assert not nvim.lua(f"return {ATTACHED}")
    nvim.command(f"edit {sessions[1]}")
    nvim.wait(ATTACHED)
    assert nvim.lua(f"return {CLIENTS}") == 1
    nvim.terminal.wait("Compare with previous")
    nvim.terminal.wait('"successful_tool_calls": 214 92.6%')
    nvim.terminal.picture("neovim/report")


def test_transcripts_of_other_agents_are_attached_too(nvim, sessions, claude_code, tmp_path):
    assert sessions
    home = tmp_path / "nvim-0" / ".claude"  # of this Neovim
    older = {"start": "2026-01-01T12:00:00+00:00"}
    transcript = claude_code("from-claude", folder=home, **older).prompt().answer()
    nvim.command(f"edit {transcript.path}")
    nvim.wait(ATTACHED)
    nvim.terminal.wait("$0.0045 · n/a")
    nvim.command("Rad session")
    nvim.wait("vim.api.nvim_buf_get_name(0) == 'rad://session/from-claude'")
    nvim.command(f"close | edit {transcript.path.with_name('other.txt')}")
    assert not nvim.lua(f"return {ATTACHED}")


def test_transcripts_in_folders_that_the_environment_names_are_attached_too(
    start, sessions, claude_code, tmp_path, monkeypatch
):
    assert sessions
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", f"{tmp_path / 'one'}, {tmp_path / 'two (2)'}/")
    transcript = claude_code("from-claude", folder=tmp_path / "two (2)").prompt().answer()
    nvim = start()
    nvim.command(f"edit {transcript.path}".replace(" (", r"\ ("))
    nvim.wait(ATTACHED)
    nvim.terminal.wait("$0.0045 · n/a")
    nvim.command(f"edit {tmp_path / 'one' / 'other.jsonl'}")
    assert not nvim.lua(f"return {ATTACHED}")


def test_lenses_follow_the_sessions(start, workspace, write):
    report = workspace.add("first")
    nvim = start(report)
    nvim.terminal.wait("Export")
    assert "Compare" not in nvim.terminal.text
    write()
    nvim.terminal.wait("Compare with…")


def test_hover_and_diagnostics_of_a_report(nvim, workspace):
    torn = workspace.raw("torn.json", b'{"metrics": {')
    nvim.command(f"edit {torn}")
    nvim.wait("#vim.diagnostic.get(0) == 1")
    nvim.command(f"edit {workspace.sessions / 'second.json'}")
    nvim.wait(ATTACHED)
    nvim.command("call search('total_cost') | lua vim.lsp.buf.hover()")
    nvim.terminal.wait("Cost $0.2500")


def test_a_server_that_is_killed_comes_back_and_has_its_reports(nvim, sessions, write):
    nvim.command(f"edit {sessions[1]}")
    nvim.wait(ATTACHED)
    before = server_pid(nvim)
    nvim.command("let g:states = 0 | autocmd User RadStatus let g:states += 1")
    os.kill(before, signal.SIGKILL)
    nvim.wait("require('rad_lsp').status() == 'rad-lsp restarting'")
    nvim.wait(ATTACHED)
    write()
    nvim.status("$0.5000 · 92.6%")
    assert server_pid(nvim) != before
    assert nvim.lua("return vim.g.states") >= 3


def test_a_server_that_dies_at_its_start_is_told_of_once_with_its_reason(start, tmp_path):
    program = tmp_path / "rad-lsp"
    program.write_text("#!/bin/sh\necho begin >&2\necho 'no module rad_lsp' >&2\nexit 3\n")
    program.chmod(0o755)
    at_once = "local later = vim.defer_fn; vim.defer_fn = function(f) return later(f, 0) end"
    nvim = start(command=[str(program)], extra=at_once)
    nvim.status("rad-lsp stopped")
    nvim.terminal.wait("rad-lsp: The server does not start: no module rad_lsp")
    messages = nvim.lua("return vim.fn.execute('messages')")
    assert messages.strip() == "rad-lsp: The server does not start: no module rad_lsp"
    assert nvim.lua("return require('rad_lsp').highlight()") == "RadStatusError"
    nvim.command("checkhealth rad_lsp")
    nvim.terminal.wait("ERROR The server does not start: no module rad_lsp")


def test_a_server_that_says_nothing_at_its_death_is_told_of_too(start):
    start(command=["false"]).terminal.wait("The server does not start: its exit code is 1")


def test_a_server_that_was_stopped_stays_stopped(nvim):
    nvim.command("lua vim.lsp.enable('rad_lsp', false)")
    nvim.wait(f"{CLIENTS} == 0")
    nvim.wait("require('rad_lsp').status() == ''")
    nvim.command("lua vim.lsp.enable('rad_lsp')")
    nvim.status("$0.2500 · 92.6%")
