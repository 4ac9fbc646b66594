"""The wire contract: keys, units and nulls."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest

from rad_lsp import service, wire
from rad_lsp.core.cost import Savings
from rad_lsp.core.price import Override
from rad_lsp.pricing import Prices
from rad_lsp.sources import radium
from rad_lsp.sources.radium import Radium
from rad_lsp.store.store import Store

NOW = datetime(2025, 12, 7, 14, tzinfo=UTC)
SUMMARY = [
    "sessionId", "source", "uri", "startTime", "endTime", "generatedAt", "lastActivity",
    "running", "wallTime", "agentActiveTime", "apiTime", "toolTime", "toolCalls",
    "successfulToolCalls", "failedToolCalls", "successRate", "linesAdded", "linesRemoved",
    "filesChanged", "requests", "inputTokens", "outputTokens", "cachedTokens", "cacheHitRate",
    "cost", "modelNames", "brief", "lastActivityText",
]  # fmt: skip
TEXTS = {"brief": "B", "last_activity_text": "L"}


@pytest.fixture(scope="session")
def session(report_bytes):
    """The session of a report with some metrics replaced."""
    return lambda session_id="s", **changes: radium.parse(
        f"/w/{session_id}.json", report_bytes(session_id=session_id, **changes)
    )


@pytest.fixture
def snapshot(workspace):
    """The snapshot of the workspace as it is now."""
    return lambda: Store([Radium(workspace.root)]).refresh()


def sent(struct):
    return json.loads(msgspec.json.encode(struct))


def summary(session, now=NOW):
    """A session as it stands in a list, with texts of the test's own."""
    return wire.summary(session, now, **TEXTS)


def test_a_summary_has_the_contracts_keys_in_their_units(session):
    found = sent(summary(session(wall_time=[1, 500_000_000])))
    assert list(found) == SUMMARY
    assert found["sessionId"] == "s"
    assert found["uri"] == "file:///w/s.json"
    assert found["startTime"] == "2025-12-07T09:00:00.123457Z"
    assert (found["wallTime"], found["toolTime"]) == (1.5, 6215.0)
    assert found["cost"] == 0.1275
    assert found["successRate"] == pytest.approx(92.6406926)
    assert (found["brief"], found["lastActivityText"]) == ("B", "L")


def test_models_are_named_most_tokens_first(session):
    found = sent(summary(session()))
    assert found["modelNames"] == ["gemini-3-pro-preview", "gemini-2.5-flash-lite"]


def test_figures_that_are_not_there_are_null(session):
    found = sent(summary(session(end_time=None, tool_calls=0, model_usage={})))
    assert [key for key in SUMMARY if found[key] is None] == [
        "endTime",
        "successRate",
        "filesChanged",
        "cacheHitRate",
    ]


@pytest.mark.parametrize(("minute", "running"), [(15, True), (20, False)])
def test_a_session_runs_for_ten_minutes_after_its_last_activity(session, minute, running):
    found = summary(session(end_time=None), NOW.replace(hour=13, minute=minute))
    assert found.running is running


def test_times_are_sent_in_utc(session):
    found = sent(summary(session(end_time="2025-12-07T16:00:00+02:00")))
    assert found["endTime"] == found["lastActivity"] == "2025-12-07T14:00:00Z"


def test_the_largest_counts_are_sent_in_full(session):
    found = sent(summary(session(tool_calls=2**64 - 1, wall_time=[2**64 - 1, 0])))
    assert found["toolCalls"] == 18_446_744_073_709_551_615
    assert found["wallTime"] == 2.0**64


def test_a_uri_is_one_whatever_the_name(session):
    assert summary(session("a #\u540d")).uri == "file:///w/a%20%23%E5%90%8D.json"


def _stats(session):
    return wire.stats(session, NOW, **TEXTS, savings=Savings(0.5), text="T", markdown="M")


def test_a_session_in_full_is_a_summary_and_more(session):
    found = sent(_stats(session(failed_tool_calls=99)))
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
    assert (found["text"], found["markdown"]) == ("T", "M")
    assert round(found["apiShare"] + found["toolShare"], 9) == 100


def test_usage_is_rows_and_a_total(workspace, snapshot):
    workspace.add("a")
    workspace.add("b")
    found = sent(wire.usage(service.usage(snapshot(), "engine"), text="T", markdown="M"))
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
        "text": "T",
        "markdown": "M",
    }


def test_a_cost_has_the_contracts_keys_and_null_without_a_price(workspace, snapshot, stored_row):
    rows = [stored_row(model="known", tier="flex", cost=0.002), stored_row(model="new")]
    usage = {"requests": 1, "input_tokens": 1000, "output_tokens": 10, "cached_tokens": 0}
    models = {"known": usage | {"estimated_cost": 0.002}, "new": usage | {"estimated_cost": 0}}
    workspace.add("a", spending=rows, model_usage=models, total_cost=0.002)
    table = service.cost(snapshot(), Prices({"known": Override(1, 100)}))
    found = sent(wire.cost(table, text="T", markdown="M"))
    assert found.pop("rows") == [
        {
            "model": "known",
            "tier": "flex",
            "above": 0,
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
            },
        },
        {
            "model": "new",
            "tier": "",
            "above": 0,
            "requests": 1,
            "cost": None,
            "computed": None,
            "reported": False,
            "charges": [
                {"tokenClass": "input", "tokens": 1000, "rate": None, "cost": None},
                {"tokenClass": "output", "tokens": 10, "rate": None, "cost": None},
            ],
            "price": None,
        },
    ]
    assert found == {
        "sessions": 1,
        "cost": 0.002,
        "reported": None,
        "computed": 0.002,
        "unpriced": 1,
        "estimated": False,
        "text": "T",
        "markdown": "M",
    }


def test_a_cost_that_is_not_known_is_null_everywhere(workspace, snapshot, stored_row):
    usage = {"requests": 1, "input_tokens": 1000, "output_tokens": 10, "cached_tokens": 0}
    workspace.add("a", spending=[stored_row()], total_cost=0,
                  model_usage={"m": usage | {"estimated_cost": 0}})  # fmt: skip
    found = snapshot()
    unpriced = found.latest()
    texts = {"text": "T", "markdown": "M"}
    stats = sent(wire.stats(unpriced, NOW, savings=Savings(None), **TEXTS, **texts))
    assert (stats["cost"], stats["models"][0]["cost"], stats["cache"]["savings"]) == (None,) * 3
    assert stats["warnings"] == ["No price is known for 1 request to m: not in the cost"]
    figures = service.status(found, NOW, UTC)
    status = sent(wire.status(figures, "", summary(unpriced), text="T", tooltip="P"))
    assert status["session"]["cost"] is None
    assert (status["totals"]["cost"], status["today"]["cost"]) == (None, None)
    assert status["severity"] == "ok"
    usages = sent(wire.usage(service.usage(found, "model"), **texts))
    assert usages["total"]["cost"] is None
    comparison = service.compare(found, "a", "a")
    same = summary(unpriced)
    compared = sent(wire.comparison(comparison, same, same, **texts))
    cost = next(metric for metric in compared["metrics"] if metric["name"] == "cost")
    assert (cost["a"], cost["delta"], cost["verdict"]) == (None, None, "unchanged")


def test_what_was_skipped_is_named_with_the_reason(workspace, snapshot):
    workspace.add("a")
    path = workspace.raw("b.json", b"")
    found = [sent(skipped) for skipped in wire.skipped(snapshot())]
    assert found == [{"uri": path.as_uri(), "reason": "The file is empty"}]


def test_a_comparison_is_in_seconds(session):
    from rad_lsp.core import comparison

    a, b = session("a", tool_calls=0), session("b", wall_time=[7497, 0])
    found = sent(
        wire.comparison(comparison.between(a, b), summary(a), summary(b), text="T", markdown="M")
    )
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


def test_a_status_has_the_contracts_keys(workspace, snapshot):
    workspace.add("a")
    found = service.status(snapshot(), NOW, UTC)
    listed = summary(found.session)
    assert sent(wire.status(found, "file:///w", listed, text="T", tooltip="P")) == {
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
        "text": "T",
        "tooltip": "P",
        "severity": "ok",
    }


def test_a_status_with_something_wrong_is_a_warning(workspace, snapshot):
    workspace.raw("b.json", b"")
    found = service.status(snapshot(), NOW, UTC)
    status = sent(wire.status(found, "file:///w", None, text="T", tooltip="P"))
    assert (status["session"], status["skipped"], status["severity"]) == (None, 1, "warning")


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("stats/session", {"sessionID": "a"}),
        ("stats/session", {"sessionId": 5}),
        ("stats/history", {"limit": 0}),
        ("stats/history", {"limit": 101}),
        ("stats/history", {"limit": "5"}),
        ("stats/history", {"offset": -1}),
        ("stats/compare", {}),
        ("stats/compare", {"sessionA": "a"}),
        ("stats/compare", {"sessionA": 5, "sessionB": "a"}),
        ("stats/cost", {"sessionId": 5}),
        ("stats/cost", {"model": "a"}),
        ("stats/export", {"format": "xml"}),
        ("stats/export", {"overwrite": "yes"}),
    ],
)
def test_params_of_the_wrong_shape_are_refused(method, params):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(params, wire.METHODS[method][0])


def test_params_have_the_contracts_defaults():
    assert msgspec.convert({"sessionB": "b"}, wire.CompareParams).session_a is None
    assert msgspec.convert({}, wire.HistoryParams) == wire.HistoryParams(limit=10, offset=0)
    assert msgspec.convert({}, wire.ExportParams) == wire.ExportParams(
        format="json", overwrite=False
    )
    for method in ("stats/session", "stats/model", "stats/engine", "stats/cost"):
        params = wire.METHODS[method][0]
        assert msgspec.convert({"workspaceUri": None, "sessionId": None}, params) == params()


def test_the_schema_has_every_method(session):
    found = wire.schema()
    assert list(found["requests"]) == [
        "stats/session",
        "stats/model",
        "stats/engine",
        "stats/cost",
        "stats/history",
        "stats/compare",
        "stats/export",
    ]
    assert list(found["notifications"]) == ["stats/status"]
    assert list(found["$defs"]["SessionSummary"]["properties"]) == list(sent(summary(session())))
