"""What sessions are called: their label, with a title once it was read, and the one before."""

from __future__ import annotations

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.e2e.conftest import HOSTILE, OUR_COMMANDS, capabilities_of, harmless

EARLY, LATE = "2026-03-02T12:00:00+00:00", "2026-03-04T12:00:00+00:00"


async def test_a_status_names_its_session_by_title_and_follows_it(connect, claude_code):
    transcript = claude_code("a").prompt().record("ai-title", aiTitle="Fix the test").answer()
    client = await connect()
    status = await client.status(lambda status: status["session"]["title"] == "Fix the test")
    label = status["session"]["label"]
    assert label.startswith("Claude Code · Fix the test · ")
    assert status["tooltip"].startswith(f"**{label}**")
    transcript.record("custom-title", customTitle="My own").answer()
    await client.status(lambda status: " · My own · " in status["session"]["label"])
    session = await client.ask("stats/session")
    assert session["markdown"].startswith("## Claude Code · My own · ")
    assert "| Session ID | a |" in session["markdown"]


async def test_history_reads_titles_when_it_is_asked_to(connect, claude_code, codex):
    claude_code("first", start=EARLY).prompt().record("ai-title", aiTitle="Older").answer()
    claude_code("second", start=LATE).prompt().record("ai-title", aiTitle="Newer").answer()
    codex("third").answer()
    client = await connect()
    await client.status(lambda status: (status["session"] or {}).get("title"))
    found = (await client.ask("stats/history"))["sessions"]
    assert [one["title"] for one in found] == ["Newer", None, None]
    found = (await client.ask("stats/history", {"titles": True}))["sessions"]
    assert [one["title"] for one in found] == ["Newer", None, "Older"]
    assert [one["agent"] for one in found] == ["Claude Code", "Codex", "Claude Code"]
    assert [one["costText"] for one in found] == ["$0.0045", "$0.0110", "$0.0045"]
    assert found[1]["label"].startswith("Codex · third · ")
    assert (await client.ask("stats/history"))["sessions"] == found


async def test_the_session_before_is_one_of_the_same_agent(connect, claude_code, codex):
    claude_code("first", start=EARLY).prompt().answer()
    codex("between").answer()
    newest = claude_code("last", start=LATE).prompt().answer()
    capabilities = capabilities_of("visual-studio-code")
    capabilities.experimental = {"radStats": {"version": 1, "commands": OUR_COMMANDS}}
    client = await connect(editor=capabilities)
    status = await client.sessions("last", "between", "first")
    assert "%22sessionA%22%3A%20%22first%22" in status["tooltip"]
    compared = await client.ask("stats/compare", {"sessionB": "last"})
    assert compared["sessionA"]["sessionId"] == "first"
    names = [compared[which]["label"] for which in ("sessionA", "sessionB")]
    assert "A: {}  \nB: {}".format(*names) in compared["markdown"]
    lenses = await client.text_document_code_lens_async(
        types.CodeLensParams(types.TextDocumentIdentifier(newest.uri))
    )
    (lens,) = [one for one in lenses if one.command.title == "Compare with previous"]
    assert lens.command.arguments[0]["sessionA"] == "first"
    with pytest.raises(JsonRpcException) as caught:
        await client.ask("stats/compare", {"sessionB": "between"})
    assert caught.value.data
    assert caught.value.data["kind"] == "NoPreviousSession"


async def test_an_answer_about_a_session_is_headed_by_its_label(connect, claude_code):
    claude_code("a").prompt().answer()
    client = await connect()
    label = (await client.ask("stats/session"))["label"]
    for method, heading in (
        ("stats/cost", "Cost of"),
        ("stats/model", "Model usage of"),
        ("stats/engine", "Engine usage of"),
    ):
        found = await client.ask(method, {"sessionId": "a"})
        assert found["markdown"].startswith(f"## {heading} {label}\n")


async def test_a_hostile_title_is_shown_in_harmless_letters(connect, claude_code):
    claude_code("a").prompt().record("ai-title", aiTitle=f"*a* | {HOSTILE}").answer()
    client = await connect()
    status = await client.status(lambda status: status["session"]["title"])
    assert harmless([status["session"]["title"], status["session"]["label"], status["tooltip"]])
    assert status["tooltip"].startswith("**Claude Code · \\*a\\* \\| ")
    session = await client.ask("stats/session")
    assert session["markdown"].startswith("## Claude Code · \\*a\\* \\| ")
