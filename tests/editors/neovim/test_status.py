"""The status line, its warnings, and the event for those who draw their own."""

from __future__ import annotations


def test_a_report_that_is_written_is_on_the_status_line(nvim, write):
    write()
    nvim.status("$0.5000 · 92.6%")


def test_no_sessions_yet(start, workspace):
    assert workspace.root
    start().status("no sessions")


def test_a_warning_stands_out(start, sessions, workspace):
    assert sessions
    workspace.raw("torn.json", b'{"metrics": {')
    nvim = start()
    nvim.status("$0.2500 · 92.6%")
    drawn = nvim.lua("return vim.api.nvim_eval_statusline(vim.o.statusline, { highlights = true })")
    assert "RadStatusWarning" in [part["group"] for part in drawn["highlights"]]
    link = nvim.lua("return vim.api.nvim_get_hl(0, { name = 'RadStatusWarning' }).link")
    assert link == "IncSearch"
    nvim.terminal.picture("warning")


def test_the_text_is_ready_for_any_status_line(nvim):
    both = nvim.lua("return { require('rad_lsp').status(), require('rad_lsp').get().text }")
    assert both == ["$0.2500 · 92.6%%", "$0.2500 · 92.6%"]


def test_a_change_is_announced(nvim, write):
    nvim.lua("""
      vim.api.nvim_create_autocmd('User', {
        pattern = 'RadStatus',
        callback = function(event) vim.g.heard = event.data end,
      })
    """)
    write()
    heard = nvim.wait("(vim.g.heard or {}).status and vim.g.heard")
    assert heard["state"] == "ready"
    assert heard["status"]["session"]["sessionId"] == "third"


def test_settings_reach_the_server(start, sessions):
    assert sessions
    format_ = "settings = { radLsp = { statusBar = { format = 'spent {cost}' } } }"
    start(extra=f"vim.lsp.config('rad_lsp', {{ {format_} }})").status("spent $0.2500")
