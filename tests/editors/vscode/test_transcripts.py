"""Transcripts of other agents in a real workbench: lens, hover, and lines that can't be read."""

from __future__ import annotations

import pytest

from tests.editors.vscode.workbench import put


@pytest.fixture(scope="module")
def claude_folder(tmp_path_factory):
    """A folder that only the environment names: its path does not tell whose it is."""
    return tmp_path_factory.mktemp("agents") / "data [1]"


@pytest.fixture(scope="module")
def server(serve, program, claude_folder):
    settings = {"radLsp.server.path": str(program)}
    return serve(settings, env={"CLAUDE_CONFIG_DIR": str(claude_folder)})


@pytest.fixture
def show(browser, server, workspace):
    """Opens a transcript in a workbench of the workspace that its session worked in."""
    windows = []

    def shown(transcript):
        windows.append(browser.open(server.url(workspace.root, transcript.path)))
        return windows[-1]

    yield shown
    for window in windows:
        window.close()


def test_transcript_shows_its_summary_costs_and_unreadable_lines(
    show, claude_code, claude_folder, picture
):
    transcript = claude_code("shown", folder=claude_folder).prompt()
    transcript.answer(input=2000, output=200).raw(b'{"type":"assistant",\n').answer()
    window = show(transcript)
    page = window.page
    window.status("$0.0135 · n/a".__eq__)
    page.locator(".codelens-decoration a", has_text="$0.0135 · n/a").wait_for()

    page.locator(".squiggly-warning").first.wait_for(state="attached")
    window.press("Control+Shift+m")
    problem = page.locator(".markers-panel .monaco-list-row", has_text="The line can't be read")
    problem.wait_for()
    assert "[Ln 3, Col 1]" in problem.inner_text()
    picture(window, "transcript-problem")
    window.press("Control+Shift+m")

    usage = page.locator(".view-line", has_text='"input_tokens":2000')
    usage.get_by_text("isSidechain").hover()
    hover = page.locator(".monaco-hover", has_text="for what this line tells").first
    hover.wait_for()
    told = hover.inner_text()
    assert "$0.0090 for what this line tells" in told
    assert "2,000 input at $3.00" in told
    assert "genai-prices" in told
    picture(window, "transcript-hover")


def test_transcript_in_front_is_the_session_that_is_shown_also_that_of_another_project(
    show, claude_code, claude_folder, tmp_path
):
    claude_code("newest", folder=claude_folder, start="2026-05-02T12:00:00+00:00").answer().answer()
    mine = claude_code("in-front", folder=claude_folder).answer(output=500)
    other = claude_code("elsewhere", tmp_path, folder=claude_folder).answer(output=900)
    window = show(mine)
    window.run("Show Session")
    window.preview("Claude Code · in-front", "$0.0105")
    window.page.locator(".tab", has_text="in-front.jsonl").click()
    window.run("Show Cost")
    window.preview("Cost of Claude Code · in-front")
    window = show(other)
    window.run("Show Session")
    window.preview("Claude Code · elsewhere", "$0.0165")


def test_transcript_in_the_users_home_is_one_too(show, server, codex, monkeypatch):
    monkeypatch.setenv("HOME", str(server.home))
    window = show(codex("from-codex").answer())
    window.page.locator(".codelens-decoration a", has_text="$0.0110 · n/a").wait_for()


def test_settings_of_sources_and_prices_take_effect_at_once(
    show, server, program, workspace, report, claude_code, claude_folder
):
    put(workspace.root, report("from-radium", 0.25, 1), "from-radium")
    window = show(claude_code("priced", folder=claude_folder).answer())
    window.status("$0.0045 · n/a".__eq__)
    own = {"radLsp.server.path": str(program)}
    price = {"claude-sonnet-4-5-20250929": {"input": 2000, "output": 0}}
    server.configure(own | {"radLsp.prices": price})
    window.status("$2.0000 · n/a".__eq__)
    server.configure(own | {"radLsp.sources": ["radium"]})
    window.status("$0.2500 · 92.6%".__eq__)
    server.configure(own)
    window.status("$0.0045 · n/a".__eq__)
