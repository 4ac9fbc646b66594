"""The side bar in a real workbench: what was spent, the sessions, and the projects."""

from __future__ import annotations

import time

import pytest

from tests.editors.vscode.workbench import SideBar, eventually, put

HOSTILE = "$(alert) **b** [x](command:workbench.action.quit) \u202egnp <img src=x>"
SESSIONS = 130


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    return tmp_path_factory.mktemp("elsewhere") / "shop"


@pytest.fixture(scope="module")
def agents(tmp_path_factory):
    return tmp_path_factory.mktemp("agents")


@pytest.fixture(scope="module")
def server(serve, program, agents):
    settings = {"radLsp.server.path": str(program), "radLsp.budget.month": 0.001}
    return serve(settings, env={"CLAUDE_CONFIG_DIR": str(agents)})


@pytest.fixture(scope="module")
def work(tmp_path_factory, report):
    """A folder with more sessions than a view shows at once."""
    root = tmp_path_factory.mktemp("workspaces") / "work"
    root.mkdir()
    for number in range(SESSIONS):
        put(root, report(f"old-{number}", 0.25, 1 + number % 3), f"old-{number}")
    return root


@pytest.fixture
def wrote(claude_code, agents, work):
    """A session of Claude Code of just now, in a folder, with a title."""

    def made(session_id, title, cwd=None):
        start = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - 5))
        transcript = claude_code(session_id, cwd or work, start=start, folder=agents)
        transcript.record("ai-title", aiTitle=title)
        return transcript.answer()

    return made


@pytest.fixture
def side_bar(browser, server, work):
    window = browser.open(server.url(work))
    yield SideBar(window).open()
    window.close()


def test_the_views_show_what_was_spent_on_what_and_follow_it(
    side_bar, wrote, work, report, elsewhere, picture
):
    wrote("4c6ddcd3-85b6-48f1-88e1-f428ca458337", HOSTILE)
    wrote("5c6ddcd3-85b6-48f1-88e1-f428ca458337", "Sell more", elsewhere)
    row = side_bar.row("Sessions", "$(alert) **b** [x](co…")
    assert row.locator(".codicon-alert, [href], img").count() == 0
    assert "$0.0045 · running" in row.inner_text()
    spoken = side_bar.spoken("Sessions", "$(alert)")
    assert spoken.startswith("Claude Code · $(alert) **b** [x](command:")
    assert "running, cost $0.0045, model claude-sonnet" in spoken
    assert "\u202e" not in row.inner_text() + spoken
    today = side_bar.spoken("Today", "Today")
    assert today.startswith("Today, cost $0.0045, 1 session")
    assert "warning: " in side_bar.spoken("Today", "Month: $")
    shop = side_bar.row("Projects", "shop")
    eventually(lambda: "1 session" in shop.inner_text())
    shop.locator(".monaco-tl-twistie").click()
    side_bar.row("Projects", "Sell more")
    picture(side_bar.window, "side-bar")
    side_bar.act("Projects", "shop", "Show Report of Project")
    side_bar.window.tab("Report: all projects")
    side_bar.window.frame("Project: shop", "1 of ")

    # What is selected and expanded stays so when a session comes in above.
    row.click()
    side_bar.window.preview("4c6ddcd3")
    old = side_bar.row("Sessions", "old-")
    old.click(modifiers=["Control"])
    put(work, report("coming", 0.5, 1) | {"generated_at": _now()}, "coming")
    wrote("6c6ddcd3-85b6-48f1-88e1-f428ca458337", "Third thing")
    side_bar.row("Sessions", "Third thing")
    assert "selected" in side_bar.row("Sessions", "$(alert)").get_attribute("class")
    side_bar.row("Projects", "Sell more")


def test_actions_take_a_session_along(side_bar, wrote):
    session_id = "7c6ddcd3-85b6-48f1-88e1-f428ca458337"
    wrote(session_id, "Acted on")
    window = side_bar.window
    side_bar.act("Sessions", "Acted on", "Copy Id")
    eventually(lambda: window.clipboard() == session_id)
    side_bar.act("Sessions", "Acted on", "Copy Command to Resume")
    eventually(lambda: window.clipboard() == f"claude --resume {session_id}")
    side_bar.act("Sessions", "Acted on", "Open File")
    window.page.locator(".tab.active", has_text=session_id).wait_for()
    side_bar.act("Sessions", "Acted on", "Compare with…")
    window.pick("Compare from (A)")
    window.preview("compared with", "Claude Code · Acted on")
    side_bar.row("Sessions", "old-").click(button="right")
    menu = window.page.locator(".monaco-menu .action-label")
    menu.get_by_text("Copy Id", exact=True).wait_for()
    assert menu.get_by_text("Copy Command to Resume", exact=True).count() == 0
    window.press("Escape")
    window.press("F1")
    window.page.keyboard.type("rad-lsp: Copy")
    commands = window.page.locator(".quick-input-list .monaco-list-row")
    commands.filter(has_text="Copy Debug Info").wait_for()
    assert not [text for text in commands.all_inner_texts() if "Copy Id" in text]


def test_more_sessions_come_by_the_keyboard_and_the_focus_goes_on(side_bar):
    window = side_bar.window
    side_bar.row("Sessions", "old-").click(modifiers=["Control"])  # selects, and opens nothing
    window.press("End")
    side_bar.row("Sessions", "Show More")
    assert "50 of 13" in side_bar.spoken("Sessions", "Show More")
    window.press("Enter")
    focused = side_bar.pane("Sessions").locator(".monaco-list-row.focused")
    eventually(lambda: "old-" in focused.inner_text())
    window.press("End")
    eventually(lambda: "100 of 13" in (side_bar.spoken("Sessions", "Show More") or ""))


def test_an_empty_folder_says_who_is_looked_for(browser, server, tmp_path, picture):
    window = browser.open(server.url(tmp_path))
    side_bar = SideBar(window).open()
    welcome = side_bar.pane("Sessions").locator(".welcome-view")
    welcome.get_by_text("No sessions in this folder yet").wait_for()
    for agent in ("Radium", "Claude Code", "Codex", "Gemini CLI", "Copilot CLI"):
        assert agent in welcome.inner_text()
    picture(window, "side-bar-empty")
    window.close()


def test_a_missing_server_and_a_missing_folder_are_told_with_a_way_on(browser, serve, tmp_path):
    server = serve({"radLsp.server.path": "/no/such/rad-lsp"}, path="/usr/bin:/bin")
    window = browser.open(server.url(tmp_path), ready=False)
    side_bar = SideBar(window).open()
    today = side_bar.pane("Today").locator(".welcome-view")
    today.get_by_text("Get the Server").wait_for()
    eventually(lambda: side_bar.pane("Sessions").count() == 0)
    window.close()
    window = browser.open(f"http://127.0.0.1:{server.port}/?ew=true", ready=False)
    today = SideBar(window).open().pane("Today").locator(".welcome-view")
    today.get_by_text("Open a folder to see").wait_for()
    window.close()


def _now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
