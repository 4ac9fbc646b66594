"""`:Rad`, every subcommand of it."""

from __future__ import annotations

import pytest

from tests.conftest import SESSIONS
from tests.editors.neovim.conftest import two_sessions

CHOOSE = """
vim.ui.select = function(items, options, on_choice)
  vim.g.asked = vim.list_extend(vim.g.asked or {}, {
    { prompt = options.prompt, items = vim.tbl_map(options.format_item or tostring, items) },
  })
  local index = table.remove(_G.answers, 1)
  on_choice(items[index], index)
end
vim.ui.input = function(options, on_input)
  on_input(table.remove(_G.answers, 1))
end
"""


RESET = """
ui_select, ui_input = ui_select or vim.ui.select, ui_input or vim.ui.input
vim.ui.select, vim.ui.input = ui_select, ui_input
vim.g.asked = nil
require('rad_lsp').setup()
vim.cmd('silent! tabonly! | silent! only! | enew! | silent! %bwipeout!')
"""


@pytest.fixture(scope="module")
def shared(nvim_program, report_bytes, tmp_path_factory):
    """One Neovim for all: what its commands show does not depend on what they showed before."""
    from tests.editors.neovim.editor import Neovim

    root = tmp_path_factory.mktemp("workspace")
    folder = root / SESSIONS
    folder.mkdir(parents=True)
    reports = two_sessions(folder, report_bytes)
    neovim = Neovim(nvim_program, root, tmp_path_factory.mktemp("nvim"))
    neovim.status("$0.2500 · 92.6%")
    yield neovim, reports
    neovim.close()


@pytest.fixture
def nvim(shared):
    shared[0].lua(RESET)
    return shared[0]


@pytest.fixture
def sessions(shared):
    return shared[1]


@pytest.fixture
def answers(nvim):
    """Answers what `vim.ui` will ask; what it asked is in `vim.g.asked`."""
    nvim.lua(CHOOSE)
    return lambda *given: nvim.lua("_G.answers = ...", list(given))


def text_of(file):
    return file.read_text(encoding="utf-8") if file.exists() else ""


def floating(nvim):
    return nvim.lua("return vim.api.nvim_win_get_config(0).relative") == "editor"


def title(nvim):
    return nvim.call("nvim_buf_get_name", 0)


def test_session_shows_the_most_recent_one_in_a_window_that_q_closes(nvim):
    nvim.command("Rad session")
    nvim.terminal.wait("| gemini-3-pro-preview |      196 |")
    nvim.terminal.picture("neovim/session")
    assert (title(nvim), floating(nvim)) == ("rad://session/second", True)
    assert nvim.lua("return { vim.bo.filetype, vim.bo.modifiable }") == ["markdown", False]
    nvim.terminal.type("q")
    nvim.wait("vim.api.nvim_win_get_config(0).relative == ''")


def test_session_takes_an_id(nvim):
    nvim.command("Rad session fir")
    nvim.wait("vim.api.nvim_buf_get_name(0) == 'rad://session/first'")


def test_a_session_that_is_not_there_is_told(nvim):
    nvim.type_command("Rad session nowhere")
    nvim.terminal.wait("rad: No session")


def test_a_result_is_shown_once(nvim):
    for _ in range(2):
        nvim.command("Rad session")
        nvim.wait("vim.api.nvim_buf_get_name(0) == 'rad://session/second'")
    assert nvim.lua("return #vim.api.nvim_list_wins()") == 2


@pytest.mark.parametrize(("view", "layout"), [("split", "col"), ("vsplit", "row"), ("tab", "leaf")])
def test_results_are_shown_where_the_user_wants_them(nvim, view, layout):
    nvim.command(f"lua require('rad_lsp').setup({{ view = '{view}' }})")
    nvim.command("Rad session")
    nvim.wait("vim.api.nvim_buf_get_name(0) == 'rad://session/second'")
    assert nvim.lua("return vim.fn.winlayout()")[0] == layout
    assert not floating(nvim)


def test_a_mistake_in_the_options_is_told(nvim):
    nvim.type_command("lua require('rad_lsp').setup({ view = 'ceiling' })")
    nvim.terminal.wait(
        "rad_lsp: view: expected float, split, vsplit, tab or a function, got ceiling"
    )


def test_history_by_the_built_in_list(nvim):
    nvim.lua("vim.schedule(function() vim.cmd('Rad history') end)")
    nvim.terminal.wait("Type number and <Enter>")
    nvim.terminal.picture("neovim/history")
    assert "1: second" in nvim.terminal.text
    nvim.terminal.type("2\r")
    nvim.terminal.wait("Session first")


def test_history_goes_through_vim_ui_select_page_by_page(nvim, answers):
    nvim.command("lua require('rad_lsp').setup({ page = 1 })")
    answers(2, 2)
    nvim.command("Rad history")
    nvim.wait("vim.api.nvim_buf_get_name(0) == 'rad://session/first'")
    one, both = nvim.lua("return vim.g.asked")
    assert one["items"][1] == "1 older…"
    assert [item.split()[0] for item in both["items"]] == ["second", "first"]
    assert both["items"][1] == (
        "first         2026-01-01 10:00  $0.1250 · 92.6% · 4h 9m · gemini-3-pro-preview"
    )


def test_compare_two_sessions(nvim):
    nvim.command("Rad compare first second")
    nvim.wait("vim.api.nvim_buf_get_name(0) == 'rad://compare/first..second'")
    nvim.terminal.wait("+$0.1250 (+100.0%)")
    nvim.terminal.picture("neovim/compare")


@pytest.mark.parametrize("of", ["", " second", " latest"])
def test_compare_with_the_previous_session(nvim, of):
    nvim.command(f"Rad compare previous{of}")
    nvim.wait("vim.api.nvim_buf_get_name(0) == 'rad://compare/first..second'")


def test_the_oldest_session_has_none_to_be_compared_with(nvim):
    nvim.type_command("Rad compare previous first")
    nvim.terminal.wait("rad: There is no session before 'first'.")


def test_compare_asks_for_what_is_missing(nvim, answers):
    answers(1, 1)
    nvim.command("Rad compare")
    nvim.wait("vim.api.nvim_buf_get_name(0) == 'rad://compare/first..second'")
    prompts = [asked["prompt"] for asked in nvim.lua("return vim.g.asked")]
    assert prompts == ["Compare which session?", "Compare second with"]


@pytest.mark.parametrize(
    ("lens", "given", "shown"),
    [
        ("$0.2500", [], "session/second"),
        ("Compare with previous", [], "compare/first..second"),
        ("Compare with…", [1], "compare/first..second"),
    ],
)
def test_lenses_run_here(nvim, sessions, answers, lens, given, shown):
    answers(*given)
    nvim.command(f"edit {sessions[1]}")
    nvim.wait("#vim.lsp.codelens.get(0) == 4")
    nvim.lua(
        """
        local wanted = ...
        for _, lens in ipairs(vim.lsp.codelens.get(0)) do
          if vim.startswith(lens.command.title, wanted) then
            vim.lsp.get_clients({ name = 'rad_lsp' })[1]:exec_cmd(lens.command, { bufnr = 0 })
          end
        end
        """,
        lens,
    )
    nvim.wait(f"vim.api.nvim_buf_get_name(0) == 'rad://{shown}'")


def test_export_to_a_file(nvim, tmp_path):
    file = tmp_path / "all.csv"
    nvim.command(f"Rad export all {file}")
    nvim.terminal.wait(lambda: text_of(file).count("\n") == 3, file)
    nvim.terminal.wait("Exported 2 sessions to")


def test_export_asks_before_it_overwrites(nvim, answers, tmp_path):
    file = tmp_path / "one.json"
    file.write_text("mine")
    answers(2, 1)
    nvim.command(f"Rad export first {file}")
    nvim.wait("#(vim.g.asked or {}) == 1")
    assert file.read_text() == "mine"
    nvim.command(f"Rad export first {file}")
    nvim.terminal.wait(lambda: '"session_id": "first"' in text_of(file), file)
    nvim.command(f"Rad! export second {file}")
    nvim.terminal.wait(lambda: '"session_id": "second"' in text_of(file), file)
    assert len(nvim.lua("return vim.g.asked")) == 2


def test_export_into_a_buffer(nvim, answers):
    answers(3, "")
    nvim.command("Rad export")
    nvim.wait("vim.bo.filetype == 'csv'")
    assert len(nvim.lines()) == 3


def test_export_to_a_file_that_is_asked_for(nvim, answers, tmp_path):
    file = tmp_path / "sessions.md"
    answers(4, str(file))
    nvim.command("Rad export second")
    nvim.terminal.wait(lambda: "second" in text_of(file), file)


@pytest.mark.parametrize(("of", "heading"), [("", "2 sessions"), ("first", "Radium · first")])
def test_model_shows_usage(nvim, of, heading):
    nvim.command(f"Rad model {of}")
    nvim.terminal.wait(f"Model usage of {heading}")
    nvim.terminal.wait("| gemini-3-pro-preview ")
    assert f"rad://model/{of or 'all'}" == title(nvim)


def test_restart_brings_a_new_server(nvim):
    client = "vim.lsp.get_clients({ name = 'rad_lsp' })[1]"
    before = nvim.lua(f"return {client}.id")
    nvim.command("Rad restart")
    nvim.wait(f"{client} and {client}.id ~= ...", before)
    nvim.wait("require('rad_lsp').get() ~= nil")
    nvim.status("$0.2500 · 92.6%")


def test_log_opens_the_log(nvim):
    nvim.command("Rad log")
    assert title(nvim) == nvim.lua("return vim.lsp.log.get_filename()")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("Rad dance", '"dance" is no subcommand; known are compare, export, history'),
        ("Rad session a b", ":Rad session takes 1 arguments at most"),
    ],
)
def test_wrong_use_is_told(nvim, command, said):
    nvim.type_command(command)
    nvim.terminal.wait(said)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("Rad ", ["compare", "export", "history", "log", "model", "restart", "session"]),
        ("Rad c", ["compare"]),
        ("Rad session ", ["second", "first", "latest", "latest~1"]),
        ("Rad compare first s", ["second"]),
        ("Rad compare p", ["previous"]),
        ("Rad compare first p", []),
        ("Rad! export a", ["all"]),
        ("Rad session first ", []),
    ],
)
def test_completion(nvim, typed, offered):
    assert nvim.call("nvim_call_function", "getcompletion", [typed, "cmdline"]) == offered
