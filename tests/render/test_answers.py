"""Answers of the wire contract: their keys, units and nulls, and their texts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from rad_lsp import service
from rad_lsp.core import comparison
from rad_lsp.core.cost import Savings
from rad_lsp.core.price import Override
from rad_lsp.pricing import Prices
from rad_lsp.render import answers, markdown, text
from rad_lsp.store.snapshot import Snapshot

NOW = datetime(2025, 12, 7, 14, tzinfo=UTC)
SUMMARY = [
    "sessionId", "source", "uri", "startTime", "endTime", "generatedAt", "lastActivity",
    "running", "wallTime", "agentActiveTime", "apiTime", "toolTime", "toolCalls",
    "successfulToolCalls", "failedToolCalls", "successRate", "linesAdded", "linesRemoved",
    "filesChanged", "requests", "inputTokens", "outputTokens", "cachedTokens", "cacheHitRate",
    "cost", "modelNames", "brief", "lastActivityText", "label", "agent", "title", "shortId",
    "costText", "day", "dayLabel", "timeText", "resume",
]  # fmt: skip


@pytest.fixture
def current(workspace, reports_of):
    """The snapshot of the workspace as it is now."""
    return lambda: reports_of(workspace.root)


def sent(struct):
    return json.loads(msgspec.json.encode(struct))


def test_a_summary_has_the_contracts_keys_in_their_units(session):
    found = sent(answers.summary(session(wall_time=[1, 500_000_000]), NOW, UTC))
    assert list(found) == SUMMARY
    assert found["sessionId"] == "s"
    assert found["uri"] == "file:///w/s.json"
    assert found["startTime"] == "2025-12-07T09:00:00.123457Z"
    assert (found["wallTime"], found["toolTime"]) == (1.5, 6215.0)
    assert found["cost"] == 0.1275
    assert found["successRate"] == pytest.approx(92.6406926)
    assert found["brief"].startswith("$0.1275 · ")
    assert found["lastActivityText"] == "2025-12-07 13:09"


def test_models_are_named_most_tokens_first(session):
    found = sent(answers.summary(session(), NOW, UTC))
    assert found["modelNames"] == ["gemini-3-pro-preview", "gemini-2.5-flash-lite"]


def test_figures_that_are_not_there_are_null(session):
    found = sent(answers.summary(session(end_time=None, tool_calls=0, model_usage={}), NOW, UTC))
    assert [key for key in SUMMARY if found[key] is None] == [
        "endTime",
        "successRate",
        "filesChanged",
        "cacheHitRate",
        "title",
        "resume",
    ]


@pytest.mark.parametrize(("minute", "running"), [(15, True), (20, False)])
def test_a_session_runs_for_ten_minutes_after_its_last_activity(session, minute, running):
    found = answers.summary(session(end_time=None), NOW.replace(hour=13, minute=minute), UTC)
    assert found.running is running


def test_times_are_sent_in_utc(session):
    found = sent(answers.summary(session(end_time="2025-12-07T16:00:00+02:00"), NOW, UTC))
    assert found["endTime"] == found["lastActivity"] == "2025-12-07T14:00:00Z"


def test_the_largest_counts_are_sent_in_full(session):
    found = sent(answers.summary(session(tool_calls=2**64 - 1, wall_time=[2**64 - 1, 0]), NOW, UTC))
    assert found["toolCalls"] == 18_446_744_073_709_551_615
    assert found["wallTime"] == 2.0**64


def test_a_uri_is_one_whatever_the_name(session):
    assert answers.summary(session("a #\u540d"), NOW, UTC).uri == "file:///w/a%20%23%E5%90%8D.json"


def test_a_session_in_full_is_a_summary_and_more(session):
    found = sent(answers.session(session(failed_tool_calls=99), NOW, UTC, Savings(0.5)))
    assert list(found) == [
        *SUMMARY,
        "apiShare",
        "toolShare",
        "approvals",
        "cache",
        "models",
        "engines",
        "warnings",
        "text",
        "markdown",
    ]
    assert found["approvals"] == {"allowed": 40, "denied": 2, "asked": 9}
    assert found["cache"] == {
        "hitRate": pytest.approx(0.0417773, abs=1e-7),
        "cachedTokens": 17_000,
        "creationTokens": 4_000,
        "readTokens": 13_000,
        "savings": 0.5,
    }
    assert found["models"][0] == {
        "name": "gemini-2.5-flash-lite",
        "requests": 28,
        "inputTokens": 60_389,
        "outputTokens": 2_422,
        "cachedTokens": 5_000,
        "cost": 0.0025,
    }
    assert [row["name"] for row in found["engines"]] == ["gemini"]
    assert found["warnings"] == [
        "214 successful and 99 failed tool calls are more than the 231 tool calls counted"
    ]
    assert round(found["apiShare"] + found["toolShare"], 9) == 100


def test_usage_is_rows_and_a_total(workspace, current):
    workspace.add("a")
    workspace.add("b")
    found = sent(answers.usage(service.usage(current(), "engine"), None))
    assert found == {
        "sessions": 2,
        "rows": [found["total"] | {"name": "gemini"}],
        "total": {
            "name": "TOTAL",
            "requests": 392,
            "inputTokens": 62_234_686,
            "outputTokens": 93_380,
            "cachedTokens": 34_000,
            "cost": 0.255,
        },
        "text": found["text"],
        "markdown": found["markdown"],
    }


def test_a_cost_has_the_contracts_keys_and_null_without_a_price(workspace, current, stored_row):
    rows = [stored_row(model="known", tier="flex", cost=0.002), stored_row(model="new")]
    usage = {"requests": 1, "input_tokens": 1000, "output_tokens": 10, "cached_tokens": 0}
    models = {"known": usage | {"estimated_cost": 0.002}, "new": usage | {"estimated_cost": 0}}
    workspace.add("a", spending=rows, model_usage=models, total_cost=0.002)
    table = service.cost(current(), Prices({"known": Override(1, 100)}))
    found = sent(answers.cost(table, None))
    assert found.pop("rows") == [
        {
            "model": "known",
            "tier": "flex",
            "threshold": 0,
            "requests": 1,
            "cost": 0.002,
            "computed": 0.002,
            "reported": False,
            "charges": [
                {"tokenClass": "input", "tokens": 1000, "rate": 1.0, "cost": 0.001},
                {"tokenClass": "output", "tokens": 10, "rate": 100.0, "cost": 0.001},
            ],
            "price": {
                "model": "known",
                "provider": "",
                "origin": "settings",
                "since": None,
                "tier": "",
                "requestFee": 0.0,
                "searchFee": 0.01,
                "rules": [],
            },
            "searches": 0,
            "searchCost": 0.0,
        },
        {
            "model": "new",
            "tier": "",
            "threshold": 0,
            "requests": 1,
            "cost": None,
            "computed": None,
            "reported": False,
            "charges": [
                {"tokenClass": "input", "tokens": 1000, "rate": None, "cost": None},
                {"tokenClass": "output", "tokens": 10, "rate": None, "cost": None},
            ],
            "price": None,
            "searches": 0,
            "searchCost": 0.0,
        },
    ]
    assert found == {
        "sessions": 1,
        "cost": 0.002,
        "reported": None,
        "computed": 0.002,
        "unpriced": 1,
        "estimated": False,
        "costIsLowerBound": True,
        "text": found["text"],
        "markdown": found["markdown"],
    }


def test_a_cost_that_is_not_known_is_null_everywhere(workspace, current, stored_row):
    usage = {"requests": 1, "input_tokens": 1000, "output_tokens": 10, "cached_tokens": 0}
    workspace.add("a", spending=[stored_row()], total_cost=0,
                  model_usage={"m": usage | {"estimated_cost": 0}})  # fmt: skip
    found = current()
    unpriced = found.latest()
    stats = sent(answers.session(unpriced, NOW, UTC, Savings(None)))
    assert (stats["cost"], stats["models"][0]["cost"], stats["cache"]["savings"]) == (None,) * 3
    assert stats["warnings"] == ["No price is known for 1 request to m: not in the cost"]
    figures = service.status(found, NOW, UTC)
    status = sent(answers.status(figures, "", NOW, UTC, template="", links=""))
    assert status["session"]["cost"] is None
    assert (status["totals"]["cost"], status["today"]["cost"]) == (None, None)
    assert status["severity"] == "ok"
    usages = sent(answers.usage(service.usage(found, "model"), None))
    assert usages["total"]["cost"] is None
    compared = sent(answers.comparison(service.compare(found, "a", "a"), NOW, UTC))
    cost = next(metric for metric in compared["metrics"] if metric["name"] == "cost")
    assert (cost["a"], cost["delta"], cost["verdict"]) == (None, None, "unchanged")


def test_a_cost_that_is_a_minimum_says_so_everywhere(workspace, current, stored_row):
    usage = {"requests": 1, "input_tokens": 1000, "output_tokens": 10, "cached_tokens": 0}
    workspace.add("a", spending=[stored_row(cost=0.5, lower_bound=1)], total_cost=0.5,
                  model_usage={"m": usage | {"estimated_cost": 0.5}}, unknown_tool_calls=4,
                  engine_usage={})  # fmt: skip
    found = current()
    summary = sent(answers.summary(found.latest(), NOW, UTC))
    said = {"costIsLowerBound": True, "unknownToolCalls": 4}
    assert list(summary) == [*SUMMARY, *said, "project"]
    assert said.items() <= summary.items()
    assert said.items() <= sent(answers.session(found.latest(), NOW, UTC)).items()
    status = answers.status(
        service.status(found, NOW, UTC),
        "",
        NOW,
        UTC,
        template="{cost} {today_cost} {total_cost} {success_rate}",
        links="",
    )
    assert status.text == "≥ $0.5000 ≥ $0.5000 ≥ $0.5000 92.5% of 227 known"
    assert said.items() <= sent(status)["totals"].items()
    assert sent(status)["today"] == {"sessions": 1, "cost": 0.5, "costIsLowerBound": True}
    usages = sent(answers.usage(service.usage(found, "model"), None))
    assert (usages["total"]["costIsLowerBound"], usages["rows"][0]["costIsLowerBound"]) == (
        True,
        True,
    )
    costs = sent(answers.cost(service.cost(found, Prices({})), None))
    assert costs["costIsLowerBound"] is costs["rows"][0]["costIsLowerBound"] is True


def test_what_is_so_of_most_sessions_is_only_said_of_the_others(session):
    other = msgspec.structs.replace(session("b"), api_time_measured=False, deleted=True)
    summary = sent(answers.summary(other, NOW, UTC))
    assert list(summary) == [*SUMMARY, "apiTimeMeasured", "deleted"]
    assert (summary["apiTimeMeasured"], summary["deleted"]) == (False, True)
    compared = sent(answers.comparison(comparison.between(session("a"), other), NOW, UTC))
    (note,) = compared["notes"]
    assert note.startswith("API time is measured in session A, and active time less tool time in ")
    same = sent(answers.comparison(comparison.between(session("a"), session("b")), NOW, UTC))
    assert "notes" not in same


def test_what_was_skipped_is_named_with_the_reason(workspace, current):
    workspace.add("a")
    path = workspace.raw("b.json", b"")
    found = current()
    answer = sent(answers.history(service.history(found, 10), found, NOW, UTC))
    assert answer["skipped"] == [{"uri": path.as_uri(), "reason": "The file is empty"}]


def test_a_comparison_is_in_seconds(session):
    a, b = session("a", tool_calls=0), session("b", wall_time=[7497, 0])
    found = sent(answers.comparison(comparison.between(a, b), NOW, UTC))
    assert (found["sessionA"]["sessionId"], found["sessionB"]["sessionId"]) == ("a", "b")
    metrics = {metric["name"]: metric for metric in found["metrics"]}
    assert metrics["wallTime"] == {
        "name": "wallTime",
        "label": "Wall time",
        "unit": "seconds",
        "a": 14994.0,
        "b": 7497.0,
        "delta": -7497.0,
        "percent": -50.0,
        "better": "lower",
        "verdict": "improved",
    }
    rate = metrics["successRate"]
    assert (rate["a"], rate["delta"], rate["percent"]) == (None, None, None)
    assert len(metrics) == 14


def test_a_status_has_the_contracts_keys(workspace, current):
    workspace.add("a")
    found = service.status(current(), NOW, UTC)
    assert found.session
    listed = answers.summary(found.session, NOW, UTC)
    status = answers.status(found, "file:///w", NOW, UTC, template="{cost}", links="")
    assert sent(status) == {
        "workspaceUri": "file:///w",
        "session": sent(listed),
        "totals": {
            "sessions": 1,
            "cost": 0.1275,
            "toolCalls": 231,
            "successRate": pytest.approx(92.6406926),
        },
        "today": {"sessions": 1, "cost": 0.1275},
        "skipped": 0,
        "text": "$0.1275",
        "tooltip": status.tooltip,
        "severity": "ok",
        "spoken": "cost $0.1275",
    }


def test_a_status_with_something_wrong_is_a_warning(workspace, current):
    workspace.raw("b.json", b"")
    found = service.status(current(), NOW, UTC)
    status = sent(answers.status(found, "file:///w", NOW, UTC, template="", links=""))
    assert (status["session"], status["skipped"], status["severity"]) == (None, 1, "warning")


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        (UTC, "2025-12-07 13:09"),
        (ZoneInfo("Europe/Berlin"), "2025-12-07 14:09"),
        (ZoneInfo("Asia/Tokyo"), "2025-12-07 22:09"),
    ],
)
def test_last_activity_is_told_in_the_users_zone(session, now, zone, told):
    assert answers.summary(session(), now, zone).last_activity_text == told


@pytest.mark.parametrize("year", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_last_activity_is_told_at_the_ends_of_time(session, now, year):
    for zone in ("Asia/Tokyo", "America/New_York"):
        found = answers.summary(session(end_time=year), now, ZoneInfo(zone))
        assert len(found.last_activity_text) == len("2025-12-07 13:09")


def test_every_answer_lists_a_session_alike(snapshot, now):
    current = snapshot("history")
    newer, older = current.sessions()
    listed = answers.summary(newer, now, UTC)
    assert listed.brief == text.brief(newer, now)
    page = answers.history(service.history(current, 10), current, now, UTC)
    assert page.sessions == (listed, answers.summary(older, now, UTC))
    assert (page.total, page.skipped) == (2, ())
    compared = answers.comparison(service.compare(current, None, "latest"), now, UTC)
    assert (compared.session_a, compared.session_b) == (page.sessions[1], listed)
    figures = service.status(current, now, UTC)
    status = answers.status(figures, "file:///w", now, UTC, template="{cost}", links="L")
    assert status.session == listed
    full = answers.session(newer, now, UTC)
    assert (full.brief, full.last_activity_text) == (listed.brief, listed.last_activity_text)
    assert full.model_names == listed.model_names


def test_texts_are_those_of_the_commands(snapshot, now):
    current = snapshot("history")
    latest = current.latest()
    full = answers.session(latest, now, UTC)
    page = markdown.session(latest, now, name=full.label)
    assert (full.text, full.markdown) == (text.session(latest, now), page)
    table = service.usage(current, "model", latest.id)
    usage = answers.usage(table, latest.id)
    assert usage.text == text.usage(table, latest.id)
    assert usage.markdown == markdown.usage(table, latest.id)
    difference = service.compare(current, None, "latest")
    compared = answers.comparison(difference, now, UTC)
    assert compared.text == text.comparison(difference)
    names = (compared.session_a.label, compared.session_b.label)
    assert compared.markdown == markdown.comparison(difference, names)
    figures = service.status(current, now, UTC)
    status = answers.status(figures, "file:///w", now, UTC, template="{cost}", links="L")
    assert status.session
    tooltip = markdown.tooltip(figures, now, "L", name=status.session.label)
    assert (status.text, status.tooltip) == ("$0.1250", tooltip)


def test_a_status_without_sessions_has_none(now):
    figures = service.status(Snapshot(), now, UTC)
    status = answers.status(figures, "file:///w", now, UTC, template="{cost}", links="")
    assert (status.session, status.text) == (None, "no sessions")
