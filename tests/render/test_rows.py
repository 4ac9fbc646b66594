"""What commands print as JSON."""

from __future__ import annotations

import json

import msgspec

from rad_lsp import service
from rad_lsp.core import comparison
from rad_lsp.core import usage as usages
from rad_lsp.render import rows


def test_usage_is_a_row_per_model(snapshot):
    assert rows.usage(service.usage(snapshot("session"), "model")) == [
        {
            "model": "gemini-3-pro-preview",
            "requests": 168,
            "input_tokens": 31_056_954,
            "output_tokens": 44_268,
            "cached_tokens": 12_000,
            "estimated_cost": 0.125,
            "cost": 0.125,
            "cost_is_lower_bound": False,
            "spellings": (),
        },
        {
            "model": "gemini-2.5-flash-lite",
            "requests": 28,
            "input_tokens": 60_389,
            "output_tokens": 2_422,
            "cached_tokens": 5_000,
            "estimated_cost": 0.0025,
            "cost": 0.0025,
            "cost_is_lower_bound": False,
            "spellings": (),
        },
    ]


def test_engines_are_rows_by_engine(snapshot):
    (row,) = rows.usage(service.usage(snapshot("session"), "engine"))
    assert row["engine"] == "gemini"


def test_a_cost_that_is_not_known_is_null_and_a_minimum_is_marked(session, usage, stored_row):
    models = {"new": usage(cost=0), "old": usage(tokens_in=0)}
    spent = [stored_row(model="new"), stored_row(model="old", cost=0.5, lower_bound=1)]
    found = session(model_usage=models, spending=spent)
    new, old = rows.usage(usages.table([found], "model"))
    assert (new["estimated_cost"], new["cost"], new["cost_is_lower_bound"]) == (None, None, False)
    assert (old["estimated_cost"], old["cost"], old["cost_is_lower_bound"]) == (0.5, 0.5, True)


def test_a_comparison_tells_that_a_cost_is_a_lower_bound(session, usage, stored_row):
    spent = [stored_row(model="old", cost=0.5, lower_bound=1)]
    bound = session("b", model_usage={"old": usage()}, spending=spent)
    assert rows.comparison(comparison.between(session("a"), bound))["cost_is_lower_bound"]


def test_a_comparison_has_notes_where_sessions_measure_differently(session):
    other = msgspec.structs.replace(session("b"), api_time_measured=False)
    (note,) = rows.comparison(comparison.between(session("a"), other))["notes"]
    assert note.startswith("API time is measured in session A")


def test_nothing_is_no_rows():
    assert rows.usage(usages.table([], "model")) == []


def test_a_comparison_has_signed_deltas(snapshot):
    found = rows.comparison(service.compare(snapshot("compare"), "3c6", "a1b"))
    assert [*found.items()][:4] == [
        ("session_a", "3c6ddcd3-85b6-48f1-88e1-f428ca458337"),
        ("session_b", "a1b2c3d4-e5f6-7890-abcd-ef1234567890"),
        ("token_delta", -5200),
        ("token_percentage_change", -10.0),
    ]
    assert round(found["cost_delta"], 6) == -0.015
    assert round(found["cost_percentage_change"], 6) == -12.0
    assert found["wall_time_delta_secs"] == -6840
    assert round(found["wall_time_percentage_change"], 4) == -46.2006
    assert found["agent_active_time_delta_secs"] == -4800
    assert found["tool_calls_delta"] == -86
    assert round(found["success_rate_delta"], 4) == 2.5317
    assert (found["lines_added_delta"], found["lines_removed_delta"]) == (-185, -58)
    assert [*found][13:] == [
        "wall_time_delta_seconds",
        "agent_active_time_delta_seconds",
        "cost_is_lower_bound",
        "notes",
    ]


def test_seconds_are_whole_where_they_are(session):
    a, b = session(wall_time=[10, 0], agent_active_time=[0, 0]), session(wall_time=[12, 0])
    found = rows.comparison(comparison.between(a, b))
    assert json.dumps(found["wall_time_delta_secs"]) == "2"
    half = rows.comparison(comparison.between(a, session(wall_time=[9, 500_000_000])))
    assert half["wall_time_delta_secs"] == -0.5


def test_a_percentage_from_zero_is_null(session):
    a = session(total_cost=0, model_usage={}, wall_time=[0, 0], tool_calls=0)
    found = rows.comparison(comparison.between(a, session()))
    assert found["cost_percentage_change"] is None
    assert found["token_percentage_change"] is None
    assert found["wall_time_percentage_change"] is None
    assert found["success_rate_delta"] is None


def test_rows_are_written_with_two_spaces_and_a_line_feed():
    assert rows.encode([{"model": "\u540d", "requests": 2**64 - 1}]) == (
        '[\n  {\n    "model": "\u540d",\n    "requests": 18446744073709551615\n  }\n]\n'.encode()
    )
    assert rows.encode([]) == b"[]\n"
