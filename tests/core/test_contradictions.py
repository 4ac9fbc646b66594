"""Contradicting figures are pointed out, never mended."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rad_lsp.core import contradictions
from rad_lsp.core.money import Money
from rad_lsp.core.session import Usage
from rad_lsp.core.tool_calls import ToolCalls


@pytest.fixture
def codes(session):
    """The codes of the warnings about a session."""
    return lambda stem="s", **changes: [
        problem.code for problem in contradictions.find(session(**changes), stem)
    ]


def test_a_session_without_contradictions_has_no_warnings(session):
    assert contradictions.find(session(), "s") == ()


def test_a_warning_names_the_key_and_is_no_error(session):
    (problem,) = contradictions.find(session(failed_tool_calls=3), "s")
    assert problem.severity == "warning"
    assert problem.path == ("metrics", "tool_calls")
    assert problem.message == (
        "8 successful and 3 failed tool calls are more than the 10 tool calls counted"
    )


def test_calls_that_are_still_pending_are_no_contradiction(codes):
    assert codes(failed_tool_calls=1) == []


def test_more_ended_calls_than_calls_are_pointed_out(codes):
    assert codes(successful_tool_calls=9) == ["tool-calls-mismatch"]


def test_an_end_before_the_start_is_pointed_out(session):
    early = session(end_time=datetime(2025, 12, 7, 8, 59, 59, tzinfo=UTC))
    (problem,) = contradictions.find(early, "s")
    assert (problem.code, problem.path) == ("end-before-start", ("metrics", "end_time"))


def test_a_session_that_runs_or_ends_at_its_start_is_no_contradiction(codes):
    assert codes(end_time=None) == []
    assert codes(end_time=datetime(2025, 12, 7, 9, tzinfo=UTC)) == []


@pytest.mark.parametrize("cost", [1.0, 1.01, 0.991])
def test_a_total_cost_within_one_percent_of_the_models_is_fine(codes, cost):
    assert codes(cost=cost) == []


@pytest.mark.parametrize("cost", [1.02, 0.98, 0.0, -1.0])
def test_a_total_cost_over_one_percent_off_is_pointed_out(codes, cost):
    assert codes(cost=cost) == ["cost-mismatch"]


def test_a_cost_warning_shows_both_figures(session):
    (problem,) = contradictions.find(session(cost=-1234.5), "s")
    assert problem.path == ("metrics", "total_cost")
    assert problem.message == (
        "The total cost of -$1,234.5000 differs from the models' $1.0000 by over 1%"
    )


def test_a_cost_without_models_is_no_contradiction(codes):
    assert codes(models=(), cost=5.0) == []


def test_a_cost_of_zero_everywhere_is_no_contradiction(codes):
    assert codes(models=(Usage("a", 1),), cost=0.0) == []


def test_a_cost_that_is_not_known_is_no_contradiction(codes):
    models = (Usage("a", 3, money=Money(None)), Usage("b", 1, money=Money(0.25)))
    assert codes(cost=None) == codes(models=models, cost=0.25) == []


def test_requests_without_a_price_are_told_for_information(session):
    found = session(models=(Usage("a", 3, money=Money(0.0, 0, 2)),), cost=0.0)
    (problem,) = contradictions.find(found, "s")
    assert (problem.code, problem.severity) == ("unpriced", "information")
    assert problem.path == ("metrics", "model_usage")
    assert problem.message == "No price is known for 2 requests to a: not in the cost"


def test_a_file_named_otherwise_is_pointed_out(session):
    (problem,) = contradictions.find(session(), "copy of s")
    assert (problem.code, problem.path) == ("id-mismatch", ("metrics", "session_id"))


def test_a_name_that_the_file_system_stores_decomposed_is_the_same(codes):
    assert codes(id="\u00fcn\u00efcode", stem="u\u0308ni\u0308code") == []


def test_all_contradictions_are_found_at_once(codes):
    assert codes(
        tool_calls=0, end_time=datetime(2025, 1, 1, tzinfo=UTC), cost=9.0, stem="other"
    ) == ["tool-calls-mismatch", "end-before-start", "cost-mismatch", "id-mismatch"]


def test_more_calls_by_name_than_the_total_are_pointed_out(session):
    rows = (ToolCalls(0, "bash", failed=2), ToolCalls(0, "edit", failed=1))
    (problem,) = contradictions.find(session(calls_by_tool=rows), "s")
    assert (problem.code, problem.path) == ("tool-calls-mismatch", ("metrics", "calls_by_tool"))
    assert problem.message == (
        "The failed tool calls by name are more than the total: none are counted by name"
    )
    assert contradictions.find(session(calls_by_tool=rows[:1]), "s") == ()
