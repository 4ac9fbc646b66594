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
    nvim.terminal.picture("neovim/warning")


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
    # The prices that came for the session before may have been announced meanwhile.
    third = "vim.g.heard.status.session.sessionId == 'third'"
    heard = nvim.wait(f"(vim.g.heard or {{}}).status and {third} and vim.g.heard")
    assert heard["state"] == "ready"


def test_settings_reach_the_server(start, sessions):
    assert sessions
    format_ = "settings = { radLsp = { statusBar = { format = 'spent {cost}' } } }"
    start(extra=f"vim.lsp.config('rad_lsp', {{ {format_} }})").status("spent $0.2500")


VISIBILITY = """
vim.lsp.config('rad_lsp', {{ settings = {{ radLsp = {{ statusBar = {{ visibility = '{}' }} }} }} }})
"""
SAYS = "require('rad_lsp').status()"


def test_a_status_that_is_not_wanted_is_never_seen(start, sessions):
    assert sessions
    nvim = start(extra=VISIBILITY.format("never"))
    nvim.wait("(require('rad_lsp').get() or {}).text == '$0.2500 · 92.6%'")
    assert nvim.lua(f"return {SAYS}") == ""


def test_a_status_is_relevant_where_there_are_sessions(start, write):
    nvim = start(extra=VISIBILITY.format("relevant"))
    nvim.wait("(require('rad_lsp').get() or {}).text == 'no sessions'")
    assert nvim.lua(f"return {SAYS}") == ""
    write()
    nvim.status("$0.5000 · 92.6%")


def test_a_warning_is_relevant_without_sessions(start, workspace):
    workspace.raw("torn.json", b'{"metrics": {')
    start(extra=VISIBILITY.format("relevant")).status("no sessions")


def test_a_server_that_is_missing_is_not_seen_either_where_the_status_is_never_wanted(start):
    nvim = start(command=["rad-lsp-of-nowhere"], extra=VISIBILITY.format("never"))
    nvim.wait("(require('rad_lsp.server').find() or {}).state == 'missing'")
    assert nvim.lua(f"return {SAYS}") == ""


def test_hovers_have_neither_links_nor_tables_of_markdown(nvim, sessions):
    nvim.command(f"edit {sessions[1]}")
    nvim.wait("vim.lsp.get_clients({ name = 'rad_lsp', bufnr = 0 })[1] ~= nil")
    nvim.command("call cursor(1, 1) | lua vim.lsp.buf.hover()")
    nvim.terminal.wait("Interaction Summary")
    shown = "\n".join(
        line
        for window in nvim.call("nvim_list_wins")
        for line in nvim.lua(
            "return vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(...), 0, -1, false)", window
        )
    )
    assert "command:" not in shown
    assert "| " not in shown
    assert "command:" not in nvim.lua("return require('rad_lsp').get().tooltip")
