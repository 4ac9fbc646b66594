"""The extension in a real workbench: figures, commands, reports, and a server that ends."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.editors.vscode.workbench import SESSIONS, eventually, put

WARNING = "rad-lsp, warning: cost $0.2500, success rate 92.6%"
MENU = "Sessions of coding agents"
PAGES = {
    "Today": ("Today", "This week"),
    "Cost of the last 7 days": ("Cost, last 7 days",),
    "Tools": ("Tools",),
    "Plan limits": ("Plan limits",),
    "Budgets": ("Budgets",),
}
"""What the menu leads to, and what stands on the page."""


def style(element, name):
    return element.evaluate("(element, name) => getComputedStyle(element)[name]", name)


def colour(element):
    return style(element, "color")


@pytest.fixture(scope="module")
def server(serve, program):
    return serve({"radLsp.server.path": str(program)})


@pytest.fixture(scope="module")
def work(make_workspace):
    return make_workspace()


@pytest.fixture(scope="module")
def opened(browser, server, work):
    window = browser.open(server.url(work))
    yield window
    window.close()


@pytest.fixture
def window(opened):
    """The workbench with nothing open in it."""
    opened.close_editors()
    return opened


@pytest.fixture
def finish(work, report):
    """A session comes in, and goes at the end of the test."""
    written = []

    def come(session_id, cost, day=3):
        written.append(put(work, report(session_id, cost, day), session_id))
        return written[-1]

    yield come
    for path in written:
        path.unlink(missing_ok=True)


def started(pid_file, after):
    """The process id of the server that is started after another."""

    def other():
        pid = int(pid_file.read_text() or after)
        return pid if pid != after else None

    return eventually(other)


def restart(window, pid_file):
    """Start the window's server afresh; its process id."""
    before = int(pid_file.read_text())
    window.run("Restart Server")
    return started(pid_file, after=before)


def test_status_bar_follows_sessions(window, finish):
    window.status("$0.2500 · 92.6%".__eq__)
    assert window.label() == "rad-lsp: cost $0.2500, success rate 92.6%"
    path = finish("newest", 1.5)
    window.status("$1.5000 · 92.6%".__eq__)
    assert window.label() == "rad-lsp: cost $1.5000, success rate 92.6%"
    path.unlink()
    window.status("$0.2500 · 92.6%".__eq__)


def test_click_opens_a_menu_and_from_it_the_session_in_a_page_that_follows(window, finish, picture):
    window.item.locator("a").first.click()
    rows = window.rows(MENU)
    for row, title in zip(
        rows, ("Show Session", "Show Cost", "Compare with Previous"), strict=False
    ):
        assert title in row
        assert "Radium · newer · 2 Jan" in row
    picture(window, "menu")
    window.pick(MENU, "Show Session")
    page = window.preview("Latest: Radium · newer", "Wall time", "$0.2500", "gemini-3-pro-preview")
    assert "Success rate\t92.6%" in page
    window.tab("Latest: Radium · newer")
    picture(window, "session-page")
    finish("newest", 1.5)
    window.preview("Latest: Radium · newest", "$1.5000")
    window.tab("Latest: Radium · newest")


def test_every_page_of_the_menu_is_reached_by_keyboard_and_links_to_others(window, picture):
    for name, said in PAGES.items():
        window.run("Show Menu")
        window.pick(MENU, name)
        window.preview(*said)
        picture(window, f"page-{name.split()[0].lower()}")
    assert len(window.tabs()) == len(PAGES)
    window.run("Show Session")
    frame = window.frame("Latest: Radium · newer")
    frame.get_by_role("link", name="Cost").click()
    frame = window.frame("Cost of Radium · newer", "USD per M", "gemini-3-pro-preview")
    picture(window, "cost-page")
    # Figures are told with their names, and stand to the right.
    row = frame.get_by_role("row", name="Cost")
    assert row.get_by_role("rowheader").inner_text() == "Cost"
    frame.get_by_role("link", name="Compare with previous").focus()
    window.press("Enter")
    frame = window.frame("compared with")
    verdict = frame.locator(".worse").first
    assert verdict.inner_text() == "✗ regressed"
    assert colour(verdict) != colour(frame.locator("h1"))
    assert style(frame.locator("td.figure").first, "textAlign") == "right"
    picture(window, "comparison-page")
    # The text is found by VS Code's own search.
    window.press("Control+f")
    window.page.locator(".webview-find-widget, .simple-find-part.visible").first.wait_for()


def test_page_survives_a_reload_of_its_window_and_says_what_goes_wrong(
    browser, server, work, report
):
    window = browser.open(server.url(work))
    try:
        put(work, report("passing", 3, 4), "passing")
        window.open_report("passing.json")
        window.run("Show Session")
        window.preview("Radium · passing", "$3.0000")
        window.reload()
        window.preview("Radium · passing", "$3.0000")
        window.tab("Radium · passing")
        (work / SESSIONS / "passing.json").unlink()
        frame = window.frame("Radium · passing", "$3.0000", "No session 'passing' found")
        frame.get_by_role("button", name="Retry").click()
        put(work, report("passing", 4, 4), "passing")
        window.preview("Radium · passing", "$4.0000")
    finally:
        (work / SESSIONS / "passing.json").unlink(missing_ok=True)
        window.close()


def test_tooltip_has_links(window, picture):
    window.page.mouse.move(600, 300)
    window.item.hover()
    tooltip = window.page.locator(".monaco-hover", has_text="All: $0.3750 in 2 sessions").first
    tooltip.wait_for()
    assert tooltip.locator("a").all_inner_texts() == [
        "Open session",
        "Cost",
        "Compare with previous",
        "Export",
    ]
    picture(window, "tooltip")
    tooltip.locator("a", has_text="Compare with previous").click()
    window.preview("A: Radium · older", "B: Radium · newer")


def test_history_opens_a_session(window, picture):
    window.run("Show History")
    first, second = window.rows("Sessions")
    assert first.startswith("Radium · newer · 2 Jan ")
    assert "$0.2500 · 92.6% · 4h 9m · gemini-3-pro-preview" in first
    assert second.startswith("Radium · older · 1 Jan ")
    picture(window, "history")
    window.pick("Sessions", "older")
    window.preview("Radium · older", "$0.1250")


def test_history_copies_an_id_and_compares_by_buttons(window):
    window.run("Show History")
    window.rows("Sessions")
    window.page.locator(".quick-input-list [aria-label='Copy id']").first.click()
    eventually(lambda: window.clipboard() == "newer")
    window.run("Show History")
    window.rows("Sessions")
    window.page.locator(".quick-input-list [aria-label='Compare with…']").first.click()
    window.pick("Compare from (A)")
    window.preview("compared with", "A: Radium · older", "B: Radium · newer")


def test_sessions_are_compared_by_two_picks(window, picture):
    window.run("Compare Sessions…")
    assert "newer" in window.pick("Compare from (A)")
    assert "older" in window.pick("Compare to (B)")
    page = window.preview("A: Radium · newer", "B: Radium · older")
    assert "Cost\t$0.2500\t$0.1250\t-$0.1250 (-50.0%)\t✓ improved" in page
    picture(window, "comparison")


def test_latest_session_is_compared_with_the_previous_one(window, finish):
    window.run("Compare with Previous")
    window.preview("A: Radium · older", "B: Radium · newer")
    finish("newest", 1.5)
    window.preview("A: Radium · newer", "B: Radium · newest")


def test_oldest_session_has_none_to_be_compared_with(window):
    window.open_report("older.json")
    window.run("Compare with Previous")
    window.notification("There is no session of the same agent before 'older'.")


def test_sessions_are_exported_to_a_file(window, work):
    target = work / "sessions.csv"
    window.run("Export Sessions…")
    window.pick("Export: format", "CSV")
    window.pick("Export: which sessions", "All sessions")
    box = window.page.locator(".quick-input-widget input[type='text']").first
    eventually(lambda: box.input_value() == str(target))
    window.press("Enter")
    eventually(target.exists)
    window.notification("Sessions exported: 2")
    header, *rows = eventually(target.read_text).splitlines()
    assert "session" in header
    assert [row.split(",")[0] for row in rows] == ["newer", "older"]


def test_model_usage_is_a_table(window):
    window.run("Model Usage")
    page = window.preview("Model usage", "Input tokens")
    assert "gemini-3-pro-preview\t392\t62,234,686\t93,380\t34,000\t$0.3750" in page


def test_log_and_debug_information_name_the_server(window, program):
    window.run("Copy Debug Info")
    window.notification("Debug information is on the clipboard.")
    told = eventually(window.clipboard)
    assert f"radLsp.server.path: {program}: rad-lsp" in told
    assert "state: running" in told
    window.run("Show Log")
    channel = window.page.locator(".part.panel select").first
    eventually(lambda: channel.evaluate("e => e.selectedOptions[0].text") == "rad-lsp")
    window.press("Control+j")


def test_report_shows_lenses_hints_and_hovers(window, picture):
    window.open_report("newer.json")
    page = window.page
    lens = page.locator(".codelens-decoration a", has_text="Compare with previous")
    lens.wait_for()
    assert page.locator(".codelens-decoration a", has_text="$0.2500").count() == 1
    page.locator(".view-line", has_text="4h 9m 54s").first.wait_for()
    page.locator(".view-line", has_text="92.6%").first.wait_for()
    page.get_by_text('"tool_time"').hover()
    page.locator(".monaco-hover", has_text="1h 43m 35s, 59.8%").first.wait_for()
    picture(window, "report")
    window.press("Escape")
    lens.click()
    window.preview("A: Radium · older", "B: Radium · newer")


def test_report_has_commands_in_its_title_bar(window):
    window.open_report("older.json")
    window.page.locator(".editor-actions [aria-label^='Show Session']").first.click()
    window.preview("Radium · older", "$0.1250")


def test_report_has_commands_in_the_explorers_menu(window):
    window.open_report("older.json")
    window.page.locator(".explorer-folders-view .monaco-list-row", has_text="older.json").click(
        button="right"
    )
    # A menu takes no mouse clicks in its first moments, but keys at once.
    window.page.locator(".context-view .action-label", has_text="Model Usage").hover()
    window.press("Enter")
    window.preview("Model usage of Radium · older", "$0.1250")


def test_lens_exports_that_session(window, work):
    window.open_report("older.json")
    window.page.locator(".codelens-decoration a", has_text="Export").click()
    window.pick("Export: format", "NDJSON")
    box = window.page.locator(".quick-input-widget input[type='text']").first
    target = work / "session-older.ndjson"
    eventually(lambda: box.input_value() == str(target))
    window.press("Enter")
    eventually(target.exists)
    (line,) = eventually(target.read_text).splitlines()
    assert "older" in json.dumps(json.loads(line))


def test_broken_report_is_marked_warned_of_and_deleted_by_a_quick_fix(window, work, picture):
    broken = work / SESSIONS / "broken.json"
    broken.write_text('{"metrics": ', encoding="utf-8")
    eventually(lambda: window.label() == WARNING)
    window.open_report("broken.json")
    window.page.locator(".squiggly-error").first.wait_for(state="attached")
    picture(window, "broken-report")
    # What is about the file says what is wrong with it; all else goes on.
    window.run("Show Session")
    told = window.notification("broken.json")
    told.get_by_role("button", name="Show Latest Session").click()
    window.preview("Latest: Radium · newer")
    window.open_report("broken.json")
    window.run("Export Sessions…")
    window.pick("Export: format", "CSV")
    assert "Latest session" in window.rows("Export: which sessions")[0]
    window.press("Escape")
    window.run("Show Today")
    window.preview("Today", "This week")
    window.open_report("broken.json")
    window.quick_fixes("Delete the unreadable report")
    window.press("Enter")
    # What needs the user's consent is not ticked.
    window.page.locator(".part.panel .monaco-checkbox, .part.panel [type='checkbox']").first.click()
    window.page.get_by_role("button", name="Apply").first.click()
    eventually(lambda: not broken.exists())
    eventually(lambda: window.label() == "rad-lsp: cost $0.2500, success rate 92.6%")


def test_settings_take_effect_at_once(window, server, program):
    own = {"radLsp.server.path": str(program)}
    server.configure(own | {"radLsp.statusBar.format": "{tool_calls} calls"})
    window.status("231 calls".__eq__)
    server.configure(own | {"radLsp.budget.session": 0.2})
    eventually(lambda: window.label() == WARNING)
    server.configure(own | {"radLsp.statusBar.visibility": "never"})
    eventually(lambda: not window.item.is_visible())
    server.configure(own)
    window.status("$0.2500 · 92.6%".__eq__)


def test_active_editors_folder_counts(browser, server, make_workspace, report):
    one, two = make_workspace("one"), make_workspace("two")
    put(two, report("other", 7, 4), "other")
    (one / "first.txt").write_text("1")
    (two / "second.txt").write_text("2")
    file = one.parent / "both.code-workspace"
    folders = [{"path": str(one)}, {"path": str(two)}]
    file.write_text(json.dumps({"folders": folders}), encoding="utf-8")
    window = browser.open(server.url(file, workspace=True), ready=False)
    try:
        window.wait_for_folders(file)
        window.status("$0.2500 · 92.6%".__eq__)
        window.open_report("second.txt")
        window.status("$7.0000 · 92.6%".__eq__)
        window.open_report("first.txt")
        window.status("$0.2500 · 92.6%".__eq__)
    finally:
        window.close()


def test_folder_without_sessions_says_so_until_there_is_one(browser, server, tmp_path, report):
    window = browser.open(server.url(tmp_path))
    try:
        window.status("no sessions".__eq__)
        for title in ("Show History", "Compare Sessions…", "Show Session"):
            window.run(title)
            told = window.notification(f"No sessions in {tmp_path.name} yet.")
            assert told.get_by_role("button", name="Sessions of All Projects").is_visible()
            window.palette("Notifications: Clear All Notifications")
        put(tmp_path, report("first", 3, 1), "first")
        window.status("$3.0000 · 92.6%".__eq__)
    finally:
        window.close()


def test_show_more_leaves_the_focus_where_it_was(browser, server, tmp_path, report):
    for number in range(60):
        made = report(f"s{number:02}", 1, 1)
        made["metrics"]["end_time"] = f"2026-01-01T10:{number:02}:00Z"
        put(tmp_path, made, f"s{number:02}")
    window = browser.open(server.url(tmp_path))
    try:
        window.run("Show History")
        window.rows("Sessions")
        window.press("ArrowUp", "Enter")  # the last, which is "Show more"
        focused = window.page.locator(".quick-input-list .monaco-list-row.focused")
        # The first 50 were there before: s59 to s10.
        eventually(lambda: "s09" in focused.inner_text())
        window.press("ArrowUp")
        eventually(lambda: "s10" in focused.inner_text())
    finally:
        window.close()


def test_server_is_restarted_by_command(window, pid_file):
    restart(window, pid_file)
    window.status("$0.2500 · 92.6%".__eq__)


def test_server_that_is_killed_is_restarted_and_given_up_at_the_fifth_time(
    window, pid_file, picture
):
    # Now the file names this window's server, and no crash of before counts.
    pid = restart(window, pid_file)
    for _ in range(4):
        os.kill(pid, signal.SIGKILL)
        pid = started(pid_file, after=pid)
        window.status("$0.2500 · 92.6%".__eq__)
    os.kill(pid, signal.SIGKILL)
    window.status("rad-lsp: server stopped".__eq__)
    assert window.label() == "rad-lsp, warning: server stopped"
    told = window.notification("not started again")
    picture(window, "server-stopped")
    assert told.get_by_role("button", name="Show Log").is_visible()
    window.item.locator("a").first.click()
    window.status("$0.2500 · 92.6%".__eq__)
