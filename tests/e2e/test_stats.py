"""The requests of the wire contract, as a client of ours makes them."""

from __future__ import annotations

import json

import pytest
from pygls.exceptions import JsonRpcException

pytestmark = pytest.mark.asyncio(loop_scope="module")

SUMMARY = [
    "sessionId", "source", "uri", "startTime", "endTime", "generatedAt", "lastActivity",
    "running", "wallTime", "agentActiveTime", "apiTime", "toolTime", "toolCalls",
    "successfulToolCalls", "failedToolCalls", "successRate", "linesAdded", "linesRemoved",
    "filesChanged", "requests", "inputTokens", "outputTokens", "cachedTokens", "cacheHitRate",
    "cost", "modelNames", "brief", "lastActivityText", "label", "agent", "title", "shortId",
    "costText", "day", "dayLabel", "timeText", "resume",
]  # fmt: skip
METRICS = [
    "totalTokens", "inputTokens", "outputTokens", "cachedTokens", "cacheHitRate", "cost",
    "wallTime", "agentActiveTime", "apiTime", "toolTime", "toolCalls", "successRate",
    "linesAdded", "linesRemoved",
]  # fmt: skip


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (None, "third"),
        ({}, "third"),
        ({"sessionId": None}, "third"),
        ({"sessionId": "first"}, "first"),
        ({"sessionId": "fi"}, "first"),
        ({"sessionId": "latest"}, "third"),
        ({"sessionId": "latest~0"}, "third"),
        ({"sessionId": "latest~2"}, "first"),
        ({"sessionId": "emoji"}, "emoji"),
    ],
)
async def test_a_session_is_named_by_id_prefix_or_how_recent_it_is(shared, params, expected):
    assert (await shared.ask("stats/session", params))["sessionId"] == expected


async def test_a_session_has_its_figures_and_the_text_of_the_command(shared, library, rad):
    stats = await shared.ask("stats/session", {"uri": library.uri("third")})
    assert list(stats) == [
        *SUMMARY, "project", "apiShare", "toolShare", "approvals", "cache", "models", "engines",
        "warnings", "text", "markdown",
    ]  # fmt: skip
    assert stats["successRate"] == pytest.approx(100 * 214 / 231)
    assert (stats["wallTime"], stats["filesChanged"], stats["source"]) == (14994, 4, "radium")
    assert stats["approvals"] == {"allowed": 40, "denied": 2, "asked": 9}
    printed = rad("stats", "session", "third", cwd=library.root).stdout
    assert stats["text"] == printed.replace("rates: rad stats cost", "rates: see the cost")
    assert stats["uri"] == library.uri("third")
    assert stats["endTime"] == "2025-12-07T10:00:00Z"
    assert stats["brief"] == (
        "$0.1275 · 92.6% · 4h 9m · gemini-3-pro-preview, gemini-2.5-flash-lite"
    )
    assert stats["modelNames"] == ["gemini-3-pro-preview", "gemini-2.5-flash-lite"]


async def test_figures_that_are_not_there_are_null(shared):
    stats = await shared.ask("stats/session", {"sessionId": "second"})
    assert (stats["toolCalls"], stats["successRate"], stats["filesChanged"]) == (0, None, None)


@pytest.mark.parametrize("kind", ["model", "engine"])
async def test_usage_is_of_one_session_of_a_period_or_of_all(shared, kind):
    for params, sessions in (
        ({}, 5),
        ({"sessionId": "first"}, 1),
        ({"since": "2025-12-06", "until": "2025-12-06"}, 1),
        ({"since": "2025-12-08"}, 0),
    ):
        found = await shared.ask(f"stats/{kind}", params)
        assert found["sessions"] == sessions
        assert found["total"]["name"] == "TOTAL"
        assert found["total"]["cost"] == pytest.approx(sum(row["cost"] for row in found["rows"]))
        assert found["total"]["requests"] == sum(row["requests"] for row in found["rows"])


@pytest.mark.parametrize("kind", ["model", "engine"])
async def test_usage_has_the_text_of_the_command(shared, library, rad, kind):
    for params, arguments, of in (
        ({}, (), "5 sessions"),
        ({"sessionId": "fi"}, ("fi",), "Radium · first · "),
        ({"since": "2025-12-06"}, ("--since", "2025-12-06"), "2 sessions"),
    ):
        found = await shared.ask(f"stats/{kind}", params)
        assert found["text"] == rad("stats", kind, *arguments, cwd=library.root).stdout
        assert found["markdown"].startswith(f"## {kind.capitalize()} usage of {of}")
    none = await shared.ask(f"stats/{kind}", {"since": "2025-12-08"})
    assert none["text"] == none["markdown"] == "No session history found.\n"


async def test_history_is_paged_newest_first(shared, library):
    found = await shared.ask("stats/history")
    ids = ["third", "second", "first", "emoji", "emoji-compact"]
    assert [session["sessionId"] for session in found["sessions"]] == ids
    assert list(found["sessions"][0]) == [*SUMMARY, "project"]
    assert found["sessions"][0]["project"] == str(library.root)
    assert found["total"] == 5
    assert [skipped["uri"] for skipped in found["skipped"]] == [library.uri("torn")]
    assert found["skipped"][0]["reason"]
    page = await shared.ask("stats/history", {"limit": 2, "offset": 1})
    assert [session["sessionId"] for session in page["sessions"]] == ids[1:3]
    assert page["total"] == 5
    past = await shared.ask("stats/history", {"offset": 99, "limit": 100})
    assert (past["sessions"], past["total"]) == ([], 5)
    early = await shared.ask("stats/history", {"until": "2025-12-05"})
    assert early["total"] == 3


@pytest.mark.parametrize("limit", [0, 101, -1, "5", 1.5])
async def test_a_page_has_1_to_100_sessions(shared, limit):
    with pytest.raises(JsonRpcException) as caught:
        await shared.ask("stats/history", {"limit": limit})
    assert caught.value.code == -32602
    assert "limit" in caught.value.message


async def test_a_comparison_has_every_metric_in_order(shared, library, rad):
    found = await shared.ask("stats/compare", {"sessionA": "latest~2", "sessionB": "third"})
    assert (found["sessionA"]["sessionId"], found["sessionB"]["sessionId"]) == ("first", "third")
    assert [metric["name"] for metric in found["metrics"]] == METRICS
    assert {metric["verdict"] for metric in found["metrics"]} == {"unchanged"}
    text = rad("stats", "compare", "first", "third", cwd=library.root).stdout
    assert found["text"] == text
    found = await shared.ask("stats/compare", {"sessionA": "first", "sessionB": "emoji"})
    verdicts = {metric["name"]: metric["verdict"] for metric in found["metrics"]}
    assert verdicts["inputTokens"] == "improved"
    assert verdicts["cacheHitRate"] == "improved"
    found = await shared.ask("stats/compare", {"sessionA": "emoji", "sessionB": "second"})
    metrics = {metric["name"]: metric for metric in found["metrics"]}
    assert metrics["inputTokens"]["verdict"] == "regressed"
    assert metrics["toolCalls"]["verdict"] == "changed"
    assert metrics["successRate"]["b"] is None
    assert metrics["successRate"]["percent"] is None
    assert [name for name, metric in metrics.items() if metric["better"] == "lower"] == [
        "totalTokens", "inputTokens", "cost", "wallTime", "agentActiveTime", "apiTime", "toolTime",
    ]  # fmt: skip
    assert [name for name, metric in metrics.items() if metric["better"] == "higher"] == [
        "cachedTokens", "cacheHitRate", "successRate",
    ]  # fmt: skip


async def test_without_a_session_a_the_session_before_is_compared(shared):
    for later, before in (("latest", "second"), ("second", "first"), ("first", "emoji")):
        found = await shared.ask("stats/compare", {"sessionB": later})
        assert found == await shared.ask("stats/compare", {"sessionA": before, "sessionB": later})
        assert found["sessionA"]["sessionId"] == before


@pytest.mark.parametrize("kind", ["json", "ndjson", "csv", "markdown"])
async def test_an_export_without_output_is_the_content(shared, kind):
    for params, sessions in (({"sessionId": "third"}, 1), ({}, 5), ({"since": "2025-12-06"}, 2)):
        found = await shared.ask("stats/export", {"format": kind, **params})
        assert list(found) == ["format", "sessions", "bytes", "content"]
        assert (found["format"], found["sessions"]) == (kind, sessions)
        assert found["bytes"] == len(found["content"].encode())
        assert "third" in found["content"]


async def test_an_export_as_json_is_the_report(shared, library):
    found = await shared.ask("stats/export", {"sessionId": "third"})
    assert json.loads(found["content"]) == json.loads(library.text("third"))


async def test_an_open_buffer_wins_over_the_file(shared, library):
    uri = library.uri("first")
    text = library.text("first").replace('"total_cost": 0.1275', '"total_cost": 42')
    shared.opens(uri, text)
    await shared.status(lambda status: status["totals"]["cost"] > 42)
    for params in ({"uri": uri}, {"sessionId": "first"}):
        assert (await shared.ask("stats/session", params))["cost"] == 42
    shared.statuses.clear()
    shared.closes(uri)
    await shared.status(lambda status: status["totals"]["cost"] < 42)
    assert (await shared.ask("stats/session", {"sessionId": "first"}))["cost"] == 0.1275
