"""`:Rad`, every subcommand of it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

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


def colours(nvim):
    """The lines of the current buffer that have a highlight group, and which."""
    marks = nvim.lua(
        "return vim.api.nvim_buf_get_extmarks(0, -1, 0, -1, { details = true, type = 'highlight' })"
    )
    return [(line, details["hl_group"]) for _, line, _, details in marks]


def test_session_shows_the_most_recent_one_in_a_window_that_q_closes(nvim):
    nvim.command("Rad session")
    nvim.terminal.wait("gemini-3-pro-preview          196 ")
    nvim.terminal.wait("Radium · second · 2 Jan 10:00")
    nvim.terminal.picture("neovim/session")
    assert (title(nvim), floating(nvim)) == ("rad://session/second", True)
    assert nvim.lua("return { vim.bo.filetype, vim.bo.modifiable }") == ["rad", False]
    assert (0, "RadHeading") in colours(nvim)
    text = "\n".join(nvim.lines())
    assert "|" not in text
    assert "rates: see the cost" in text
    nvim.terminal.type("q")
    nvim.wait("vim.api.nvim_win_get_config(0).relative == ''")


def test_session_takes_an_id(nvim):
    nvim.command("Rad session fir")
    nvim.wait("vim.api.nvim_buf_get_name(0) == 'rad://session/first'")


def test_a_session_that_is_not_there_is_told(nvim):
    nvim.type_command("Rad session nowhere")
    nvim.terminal.wait("rad-lsp: No session")


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
    assert "1: Radium · second · 2 Jan 10:00  $0.2500" in nvim.terminal.text
    nvim.terminal.type("2\r")
    nvim.wait("vim.api.nvim_buf_get_name(0) == 'rad://session/first'")


def test_history_goes_through_vim_ui_select_page_by_page(nvim, answers):
    nvim.command("lua require('rad_lsp').setup({ page = 1 })")
    answers(2, 2)
    nvim.command("Rad history")
    nvim.wait("vim.api.nvim_buf_get_name(0) == 'rad://session/first'")
    one, both = nvim.lua("return vim.g.asked")
    assert one["items"][1] == "1 older…"
    assert [item.split()[2] for item in both["items"]] == ["second", "first"]
    assert both["items"][1] == (
        "Radium · first · 1 Jan 10:00   $0.1250 · 92.6% · 4h 9m · gemini-3-pro-preview"
    )


def test_compare_two_sessions(nvim):
    nvim.command("Rad compare first second")
    nvim.wait("vim.api.nvim_buf_get_name(0) == 'rad://compare/first..second'")
    nvim.terminal.wait("Delta: +0.1250 (+100.0%)")
    nvim.terminal.wait("Radium · first · 1 Jan 10:00 → Radium · second · 2 Jan 10:00")
    nvim.terminal.picture("neovim/compare")
    lines = nvim.lines()
    (regressed,) = [lines[line] for line, group in colours(nvim) if group == "RadRegressed"]
    assert regressed == "  Delta: +0.1250 (+100.0%)"


@pytest.mark.parametrize("of", ["", " second", " latest"])
def test_compare_with_the_previous_session(nvim, of):
    nvim.command(f"Rad compare previous{of}")
    nvim.wait("vim.api.nvim_buf_get_name(0) == 'rad://compare/first..second'")


def test_the_oldest_session_has_none_to_be_compared_with(nvim):
    nvim.type_command("Rad compare previous first")
    nvim.terminal.wait("rad-lsp: There is no session of the same agent before 'first'.")


def test_compare_asks_for_what_is_missing(nvim, answers):
    answers(1, 1)
    nvim.command("Rad compare")
    nvim.wait("vim.api.nvim_buf_get_name(0) == 'rad://compare/first..second'")
    prompts = [asked["prompt"] for asked in nvim.lua("return vim.g.asked")]
    assert prompts == ["Compare which session?", "Compare with which session?"]


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


PAGES = {
    "today": ("overview/all", "Today"),
    "session first": ("session/first", "Interaction Summary"),
    "cost": ("cost/second", "Cost (Session: second)"),
    "cost first": ("cost/first", "Cost (Session: first)"),
    "cost all": ("cost/all", "Cost (All Sessions)"),
    "cost everywhere": ("cost/everywhere", "Cost (All Sessions)"),
    "tools first": ("tools/first", "Tool Usage"),
    "tools everywhere": ("tools/everywhere", "Tool Usage"),
    "model": ("model/all", "Aggregated Model Usage (All Sessions)"),
    "model first": ("model/first", "Model Usage (Session: first)"),
    "limits": ("limits/all", "No plan limits are recorded."),
    "budget": ("budget", "No budget is set. :help rad_lsp-budget"),
}


def test_pages_show_the_text_of_the_server(nvim):
    for command, (name, text) in PAGES.items():
        nvim.command(f"Rad {command}")
        nvim.wait("vim.api.nvim_buf_get_name(0) == ...", f"rad://{name}")
        shown = "\n".join(nvim.lines())
        assert text in shown
        assert "| " not in shown
        assert "rad stats" not in shown
        nvim.command("close")


def test_a_workspace_without_sessions_says_so_and_what_to_do(start, workspace):
    nvim = start()
    nvim.status("no sessions")
    assert workspace.root
    said = ": use an agent there, or see :Rad history everywhere"
    for command in (
        "session",
        "history",
        "compare",
        "compare previous",
        "cost",
        "cost all",
        "tools",
        "model",
    ):
        nvim.command("messages clear")
        nvim.command(f"silent Rad {command}")
        nvim.wait("vim.fn.execute('messages'):find(..., 1, true)", said)
    assert nvim.lua("return #vim.api.nvim_list_wins()") == 1


def test_a_single_session_has_none_to_be_compared_with(start, workspace):
    workspace.add("only")
    nvim = start()
    nvim.status("$0.1275 · 92.6%")
    nvim.lua(CHOOSE)
    nvim.lua("_G.answers = { 1 }")
    nvim.type_command("Rad compare")
    nvim.terminal.wait("rad-lsp: There is no other session to compare with yet")


def test_the_report_is_for_the_user_alone_and_is_opened(start, workspace, tmp_path, monkeypatch):
    workspace.add("second")
    opened = tmp_path / "opened"
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\necho "$1" > {opened}\n', encoding="utf-8")
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{opener.parent}:{os.environ['PATH']}")
    nvim = start()
    nvim.status("$0.1275 · 92.6%")
    nvim.command("Rad report")
    nvim.terminal.wait(lambda: text_of(opened), opened)
    page = Path(text_of(opened).strip())
    assert "second" in text_of(page)
    assert (page.stat().st_mode & 0o777, page.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    opener.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    nvim.command("messages clear")
    nvim.command("silent Rad report everywhere")
    said = nvim.wait("vim.fn.execute('messages'):match('No browser[^\\n]+')")
    assert re.fullmatch(
        r"No browser could be opened \(xdg-open ended with 3\): open .*html yourself", said
    )


def test_a_report_without_the_extra_says_what_to_install(start, workspace):
    workspace.add("second")
    code = 'import sys; sys.modules["vl_convert"] = None; import rad_lsp.__main__ as m; m.main()'
    nvim = start(command=[sys.executable, "-c", code])
    nvim.status("$0.1275 · 92.6%")
    nvim.command("silent Rad report")
    said = "rad-lsp: Charts need vl-convert, which is not installed."
    nvim.wait("vim.fn.execute('messages'):find(..., 1, true)", said)


def test_maps_run_subcommands(nvim):
    nvim.command("nmap <Space>c <Plug>(rad-compare-previous)")
    nvim.terminal.type(" c")
    nvim.wait("vim.api.nvim_buf_get_name(0) == 'rad://compare/first..second'")


def test_the_session_in_front_is_meant_unless_another_is_named(nvim, sessions):
    nvim.command(f"edit {sessions[0]}")
    for command, name in (
        ("session", "session/first"),
        ("cost", "cost/first"),
        ("session second", "session/second"),
    ):
        nvim.command(f"Rad {command}")
        nvim.wait("vim.api.nvim_buf_get_name(0) == ...", f"rad://{name}")
        nvim.command("close")
    nvim.type_command("Rad compare previous")
    nvim.terminal.wait("There is no session of the same agent before 'first'.")


def test_commands_work_with_a_torn_report_in_front_and_say_what_is_wrong_with_it(nvim, sessions):
    torn = sessions[0].with_name("torn.json")
    torn.write_bytes(b'{"metrics": {')
    nvim.command(f"edit {torn}")
    for command, name in (
        ("session", "session/second"),
        ("cost", "cost/second"),
        ("compare previous", "compare/first..second"),
        ("tools", "tools/all"),
    ):
        nvim.command("messages clear")
        nvim.command(f"silent Rad {command}")
        nvim.wait("vim.api.nvim_buf_get_name(0) == ...", f"rad://{name}")
        said = nvim.lua("return vim.fn.execute('messages')")
        assert command == "tools" or re.search(r"rad-lsp: .*torn\.json can't be read: ", said)
        nvim.command("close")
    torn.unlink()


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
        ("Rad dance", '"dance" is no subcommand: see :help :Rad'),
        ("Rad session a b", ":Rad session takes one argument at most"),
    ],
)
def test_wrong_use_is_told(nvim, command, said):
    nvim.type_command(command)
    nvim.terminal.wait(said)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("Rad c", ["compare", "cost"]),
        ("Rad t", ["today", "tools"]),
        ("Rad re", ["report", "restart"]),
        ("Rad report ", ["everywhere"]),
        ("Rad tools s", ["second"]),
        ("Rad cost a", ["all"]),
        ("Rad limits ", []),
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
