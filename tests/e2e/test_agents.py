"""Other agents' sessions in the server: counted, followed live, and shown on their transcripts."""

from __future__ import annotations

import re

import pytest
from lsprotocol import types


def text_document(transcript):
    return types.TextDocumentIdentifier(transcript.uri)


async def hover(client, transcript, line):
    params = types.HoverParams(text_document(transcript), types.Position(line, 5))
    return (await client.text_document_hover_async(params)).contents.value


async def test_sessions_of_all_agents_are_counted(connect, workspace, claude_code, codex):
    workspace.add("report")
    claude_code("from-claude").prompt().answer()
    codex("from-codex").answer()
    client = await connect()
    await client.sessions("from-codex", "from-claude", "report")
    found = await client.ask("stats/history")
    assert [(one["sessionId"], one["source"]) for one in found["sessions"]] == [
        ("from-codex", "codex"),
        ("from-claude", "claude-code"),
        ("report", "radium"),
    ]
    session = await client.ask("stats/session", {"sessionId": "from-claude"})
    assert (session["requests"], round(session["cost"], 6)) == (1, 0.0045)
    cost = await client.ask("stats/cost", {"sessionId": "from-codex"})
    assert (cost["estimated"], round(cost["computed"], 6)) == (False, 0.011)


async def test_a_status_follows_each_line_of_a_transcript(connect, claude_code):
    transcript = claude_code("live").prompt().answer()
    client = await connect()
    await client.status(lambda status: status["text"].startswith("$0.0045"))
    transcript.answer()
    await client.status(lambda status: status["text"].startswith("$0.0090"))
    transcript.answer(tools=["call"])
    transcript.result("call", failed=True)
    await client.status(lambda status: status["text"] == "$0.0135 · 0.0%")


async def test_a_cost_that_is_a_minimum_says_so_wherever_it_is_shown(connect, claude_code):
    transcript = claude_code("torn").prompt().answer().answer(stop_reason=None)
    client = await connect()
    status = await client.status(lambda status: status["text"] == "≥ $0.0090 · n/a")
    assert status["session"]["costIsLowerBound"] is True
    assert "≥ $0.0090 in 1 session" in status["tooltip"]
    session = await client.ask("stats/session", {"sessionId": "torn"})
    assert session["brief"].startswith("≥ $0.0090 · ")
    why = "≥: 1 request has no final usage recorded"
    assert session["text"].endswith(f"\n{why}\n")
    assert session["markdown"].endswith(f"\n{why}.\n")
    model = await client.ask("stats/model")
    assert model["total"]["costIsLowerBound"] is True
    assert model["text"].endswith(f"\n{why}\n")
    client.opens(transcript.uri, transcript.path.read_text(encoding="utf-8"))
    (lens, *_) = await client.text_document_code_lens_async(
        types.CodeLensParams(text_document(transcript))
    )
    assert lens.command.title.startswith("≥ $0.0090 · ")
    assert (await hover(client, transcript, 2)).startswith("**≥ $0.0045** for what this line tells")


async def test_a_comparison_says_when_api_time_is_measured_in_two_ways(
    connect, workspace, claude_code
):
    workspace.add("report")
    claude_code("transcript").answer()
    client = await connect()
    await client.sessions("transcript", "report")
    asked = {"sessionA": "report", "sessionB": "transcript"}
    compared = await client.ask("stats/compare", asked)
    assert "apiTimeMeasured" not in compared["sessionA"]
    assert compared["sessionB"]["apiTimeMeasured"] is False
    (note,) = compared["notes"]
    assert note in compared["text"]
    assert f"\n{note}.\n" in compared["markdown"]


async def test_a_first_transcript_is_noticed_though_its_folder_was_not_there(
    connect, workspace, claude_code
):
    client = await connect()
    await client.status(lambda status: status["text"] == "no sessions")
    claude_code("first").prompt().answer()
    workspace.add("a report, which makes the server look everywhere")
    await client.status(lambda status: status["totals"]["sessions"] == 2)


async def test_a_folder_without_reports_has_the_sessions_of_other_agents(
    connect, tmp_path, claude_code
):
    bare = tmp_path / "bare"
    (bare / "below").mkdir(parents=True)
    claude_code("there", bare / "below").prompt().answer()
    claude_code("elsewhere", tmp_path / "bare-not").prompt().answer()
    client = await connect([bare])
    await client.sessions("there", folder=bare)


async def test_sources_in_the_settings_are_those_that_count(connect, workspace, claude_code):
    workspace.add("report")
    claude_code("from-claude").prompt().answer()
    client = await connect(settings={"sources": ["radium"]})
    await client.sessions("report")


async def test_a_transcript_has_its_sessions_summary_in_a_lens_and_hovers(connect, claude_code):
    transcript = claude_code("shown").prompt().answer().answer()
    client = await connect()
    await client.sessions("shown")
    client.opens(transcript.uri, transcript.path.read_text(encoding="utf-8"))
    lenses = await client.text_document_code_lens_async(
        types.CodeLensParams(text_document(transcript))
    )
    assert lenses[0].range.start == types.Position(0, 0)
    assert lenses[0].command.title.startswith("$0.0090 · n/a")
    assert "## Claude Code · shown · " in await hover(client, transcript, 0)


async def test_hover_on_a_usage_tells_its_cost_and_why(connect, claude_code):
    transcript = claude_code("priced").prompt().answer(input=2000, output=200).answer()
    client = await connect()
    await client.sessions("priced")
    client.opens(transcript.uri, transcript.path.read_text(encoding="utf-8"))
    told = await hover(client, transcript, 1)
    assert told.startswith("**$0.0090** for what this line tells")
    assert "2,000 input at $3.00" in told
    assert "genai-prices" in told


PRICES = """[prices."claude-sonnet-4-5-20250929"]
input = {}
output = 10000
cache_read = 100
"""


def amounts(text):
    """All amounts of money in a text, but for rates, which have two decimals."""
    return set(re.findall(r"\$[\d,]+\.\d{4}", text))


@pytest.fixture
def price(user_settings):
    """Sets the price of input, in USD per million tokens, in the user's settings."""
    return lambda dollars: user_settings(PRICES.format(dollars))


async def test_every_figure_on_a_transcript_follows_the_prices_in_the_settings(
    connect, claude_code, price
):
    # At $1,000, $10,000 and $100 per million: 2 + 2 + 0.1 and 1 + 1; the cache saved 0.9.
    transcript = claude_code("priced").prompt()
    transcript.answer(input=2000, output=200, read=1000).answer()
    price(1000)
    client = await connect()
    await client.status(lambda status: status["text"].startswith("$6.1000"))
    client.opens(transcript.uri, transcript.path.read_text(encoding="utf-8"))
    line = await hover(client, transcript, 1)
    assert line.startswith("**$4.1000** for what this line tells")
    assert "Priced by your settings" in line
    assert amounts(line) == {"$4.1000"}
    assert amounts(await hover(client, transcript, 2)) == {"$2.0000"}
    assert amounts(await hover(client, transcript, 0)) == {"$6.1000", "$0.9000"}
    for params in ({"sessionId": "priced"}, {"uri": transcript.uri}):
        session = await client.ask("stats/session", params)
        assert (round(session["cost"], 6), round(session["cache"]["savings"], 6)) == (6.1, 0.9)
        assert amounts(session["markdown"]) == {"$6.1000", "$0.9000"}
    (lens, *_) = await client.text_document_code_lens_async(
        types.CodeLensParams(text_document(transcript))
    )
    assert amounts(lens.command.title) == {"$6.1000"}
    price(2000)
    await client.status(lambda status: status["text"].startswith("$9.1000"))
    assert amounts(await hover(client, transcript, 1)) == {"$6.1000"}
    assert amounts(await hover(client, transcript, 0)) == {"$9.1000", "$1.9000"}


async def test_a_transcript_of_another_folder_has_the_prices_of_the_first_one(
    connect, workspace, tmp_path, claude_code, price
):
    workspace.add("report")
    elsewhere = claude_code("elsewhere", tmp_path / "elsewhere").prompt().answer()
    price(1000)
    client = await connect()
    await client.sessions("report")
    client.opens(elsewhere.uri, elsewhere.path.read_text(encoding="utf-8"))
    assert amounts(await hover(client, elsewhere, 1)) == {"$2.0000"}
    assert amounts(await hover(client, elsewhere, 0)) == {"$2.0000"}
    (lens,) = await client.text_document_code_lens_async(
        types.CodeLensParams(text_document(elsewhere))
    )
    assert amounts(lens.command.title) == {"$2.0000"}


async def test_lines_that_can_not_be_read_are_diagnostics_where_they_stand(connect, claude_code):
    transcript = claude_code("torn").prompt().raw(b'{"type":"assistant",\n').answer()
    client = await connect(editor="emacs")
    await client.sessions("torn")
    client.opens(transcript.uri, transcript.path.read_text(encoding="utf-8"))
    (found,) = await client.diagnostics_of(transcript.uri, bool)
    assert found.severity == types.DiagnosticSeverity.Warning
    assert (found.range.start.line, found.range.start.character) == (1, 0)
    fixes = await client.text_document_code_action_async(
        types.CodeActionParams(
            text_document(transcript), found.range, types.CodeActionContext([found])
        )
    )
    assert not fixes


async def test_other_files_of_lines_are_left_alone(connect, claude_code, tmp_path):
    claude_code("a").prompt().answer()
    client = await connect()
    await client.sessions("a")
    other = (tmp_path / "other.jsonl").as_uri()
    client.opens(other, '{"type":"assistant"}\n')
    params = types.HoverParams(types.TextDocumentIdentifier(other), types.Position(0, 1))
    assert await client.text_document_hover_async(params) is None
