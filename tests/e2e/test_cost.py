"""What a session cost and why: the request, hovers, the tooltip, and prices that change."""

from __future__ import annotations

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

PRICE = '[prices."claude-opus-4-5"]\ninput = 10\noutput = 10\ncache_read = {}\n'


@pytest.fixture
def session(workspace, stored_row):
    """Adds a session of ours: half of 20,000 input tokens came from the cache."""

    def add(session_id, model="claude-opus-4-5", cost: float | None = 0.08, **changes):
        usage = {"requests": 1, "input_tokens": 20_000, "output_tokens": 1_000,
                 "cached_tokens": 10_000, "estimated_cost": cost or 0}  # fmt: skip
        row = stored_row(model=model, input_tokens=20_000, cache_read_tokens=10_000,
                         output_tokens=1_000, cost=cost)  # fmt: skip
        metrics = {
            "model_usage": {model: usage},
            "engine_usage": {},
            "spending": [row],
            "total_cost": cost or 0,
            "total_cached_tokens": 10_000,
            "total_cache_read_tokens": 10_000,
            "total_cache_creation_tokens": 0,
        }
        return workspace.add(session_id, **metrics | changes)

    return add


async def hover(client, path, key, occurrence=0):
    """What a hover says on a key of a report."""
    text = path.read_text(encoding="utf-8")
    index = -1
    for _ in range(occurrence + 1):
        index = text.index(f'"{key}"', index + 1)
    line = text[:index].count("\n")
    character = index - text.rfind("\n", 0, index)
    found = await client.text_document_hover_async(
        types.HoverParams(
            types.TextDocumentIdentifier(path.as_uri()), types.Position(line, character)
        )
    )
    return found.contents


async def test_a_cost_is_explained_with_the_text_of_the_command(client, workspace, session, rad):
    session("one")
    session("two", "mine", None, end_time="2025-12-08T00:00:00Z")
    await client.sessions("two", "one")
    found = await client.ask("stats/cost", {"sessionId": "one"})
    (row,) = found["rows"]
    # 10,000 at $5, 10,000 at $0.50 and 1,000 at $25 per million.
    assert (found["cost"], found["computed"]) == (0.08, pytest.approx(0.08))
    assert [(c["tokenClass"], c["rate"]) for c in row["charges"]] == [
        ("input", 5),
        ("cache_read", 0.5),
        ("output", 25),
    ]
    assert found["text"] == rad("stats", "cost", "one", cwd=workspace.root).stdout
    assert found["markdown"].startswith("## Cost of Radium · one · ")
    for params, sessions, unpriced in (
        (None, 2, 1),
        ({"sessionId": "latest"}, 1, 1),
        # "two" spent what it did on the 7th, and was last active on the 8th.
        ({"since": "2025-12-08"}, 1, 0),
        ({"until": "2025-12-07"}, 2, 1),
        ({"since": "2026-01-01"}, 0, 0),
    ):
        found = await client.ask("stats/cost", params)
        assert (found["sessions"], found["unpriced"]) == (sessions, unpriced), params
    with pytest.raises(JsonRpcException) as caught:
        await client.ask("stats/cost", {"sessionId": "nobody"})
    assert caught.value.data
    assert caught.value.data["kind"] == "SessionNotFound"


async def test_a_hover_on_a_cost_explains_it(client, session):
    path = session("one")
    await client.sessions("one")
    for key in ("total_cost", "estimated_cost"):
        said = (await hover(client, path, key)).value
        assert (
            "claude-opus-4-5, 1 request: 10,000 input at $5.00 + 10,000 cache read at $0.50 + "
            "1,000 output at $25.00 per M = $0.0800"
        ) in said
        assert "*Priced as anthropic/claude-opus-4-5 by genai-prices" in said
        assert "An estimate" not in said


async def test_a_hover_on_sums_says_that_it_is_an_estimate(client, workspace):
    path = workspace.add("sums")
    await client.sessions("sums")
    said = (await hover(client, path, "total_cost")).value
    assert said.startswith("**Cost** $0.1275, as the report has it")
    assert "Reported $0.1250, which counts" in said
    assert "gemini-2.5-flash-lite" in said
    assert "An estimate" in said
    one = (await hover(client, path, "estimated_cost")).value
    assert ("gemini-3-pro" in one) != ("flash-lite" in one)


async def test_a_hover_on_the_cache_tells_what_it_saved(client, session):
    path = session("one")
    await client.sessions("one")
    # 10,000 read x ($5 - $0.50).
    for key in ("total_cached_tokens", "total_cache_creation_tokens", "total_cache_read_tokens"):
        assert (await hover(client, path, key)).value.endswith("Savings $0.0450")
    summary = await hover(client, path, "metrics")
    assert "| Cache savings | $0.0450 |" in summary.value


async def test_a_hover_without_markdown_has_no_marks(connect, workspace):
    path = workspace.add("sums", model_usage={
        "m*x_y": {"requests": 1, "input_tokens": 2, "output_tokens": 0, "cached_tokens": 0,
                  "estimated_cost": 0.1275}})  # fmt: skip
    client = await connect(editor=types.ClientCapabilities())
    await client.sessions("sums")
    found = await hover(client, path, "total_cost")
    assert found.kind == types.MarkupKind.PlainText
    assert found.value.splitlines() == [
        "Cost $0.1275, as the report has it",
        "Its models add up to $0.1275",
        "",
        "m*x_y, 1 request: n/a",
        "No price is known: set one in the settings; Reported $0.1275, which counts",
        "An estimate: the report holds sums, not requests",
    ]


async def test_what_has_no_price_is_null_and_pointed_out_without_alarm(client, session):
    path = session("one", "mine", None)
    status = await client.sessions("one")
    assert (status["session"]["cost"], status["today"]["cost"]) == (None, 0)
    assert (status["totals"]["cost"], status["severity"]) == (None, "ok")
    assert status["text"] == "n/a · 92.6%"
    assert "Note: No price is known for 1 request to mine" in status["tooltip"]
    (found,) = await client.diagnostics_of(path.as_uri(), bool)
    assert (found.severity, found.code) == (types.DiagnosticSeverity.Information, "unpriced")
    text = path.read_text(encoding="utf-8")
    assert found.range.start.line == text[: text.index('"model_usage"')].count("\n")
    stats = await client.ask("stats/session")
    assert (stats["cost"], stats["models"][0]["cost"], stats["cache"]["savings"]) == (None,) * 3
    assert (await hover(client, path, "total_cost")).value.startswith("**Cost** n/a")


async def test_savings_in_the_tooltip_follow_the_prices_in_the_settings(
    client, session, user_settings
):
    session("one")
    await client.status(lambda status: "$0.0450 saved" in status["tooltip"])
    user_settings(PRICE.format(1))
    await client.status(lambda status: "$0.0900 saved" in status["tooltip"])
    stats = await client.ask("stats/session")
    assert stats["cache"]["savings"] == pytest.approx(0.09)
    assert "Priced by your settings" in (await client.ask("stats/cost"))["text"]
    user_settings(PRICE.format(10))
    await client.status(lambda status: "$0.0000 saved" in status["tooltip"])
    (user_settings("")).unlink()
    client.statuses.clear()
    await client.status(lambda status: "$0.0450 saved" in status["tooltip"])


async def test_a_mistake_in_a_price_is_said_and_the_last_good_one_stays(
    client, session, user_settings
):
    session("one")
    user_settings(PRICE.format(1))
    await client.status(lambda status: "$0.0900 saved" in status["tooltip"])
    user_settings(PRICE.format("nan"))
    message = (await client.message()).message
    assert 'prices."claude-opus-4-5".cache_read' in message
    assert (await client.ask("stats/session"))["cache"]["savings"] == pytest.approx(0.09)


async def test_the_first_status_does_not_wait_for_the_prices(connect, session, patched, tmp_path):
    session("one")
    go = tmp_path / "go"
    # As on a machine on which the library takes very long to load.
    env = patched(
        "import sys, time, pathlib\n"
        "class Slow:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        while name == 'genai_prices.types' and not pathlib.Path("
        + repr(str(go))
        + ").exists():\n"
        "            time.sleep(0.01)\n"
        "sys.meta_path.insert(0, Slow())\n"
    )
    client = await connect(env=env)
    status = await client.sessions("one")
    assert "n/a saved" in status["tooltip"]
    assert (await client.ask("stats/history"))["total"] == 1
    go.touch()
    await client.status(lambda status: "$0.0450 saved" in status["tooltip"])


async def test_usage_names_spellings_and_sessions_without_an_engine(client, session):
    session("one", "claude-opus-4-6[1m]")
    session("two", "anthropic/claude-4.6-opus-20260205", end_time="2025-12-08T00:00:00Z")
    await client.sessions("two", "one")
    models, engines, costs = [
        await client.ask(method) for method in ("stats/model", "stats/engine", "stats/cost")
    ]
    spellings = ["anthropic/claude-4.6-opus-20260205", "claude-opus-4-6[1m]"]
    for (row,), name in ((models["rows"], "name"), (costs["rows"], "model")):
        assert (row[name], row["requests"], row["spellings"]) == ("claude-opus-4-6", 2, spellings)
    (row,) = engines["rows"]
    assert (row["name"], engines["withoutEngine"]) == ("", ["two", "one"])
    assert "spellings" not in row
    assert "withoutEngine" not in models
    assert engines["total"] == models["total"]
