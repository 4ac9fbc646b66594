"""Session B measured against session A."""

from __future__ import annotations

import pytest

from rad_lsp.core import comparison, figures
from rad_lsp.core.comparison import Metric
from rad_lsp.core.money import Money
from rad_lsp.core.session import Usage

SECOND = 1_000_000_000


@pytest.fixture
def verdict(session):
    """The verdict on a metric when one field goes from a to b."""

    def judged(metric, field, a, b):
        found = comparison.between(session(**{field: a}), session(**{field: b}))
        return found[metric].verdict

    return judged


def test_metrics_come_in_the_order_of_the_wire_contract(session):
    found = comparison.between(session(), session())
    assert [metric.figure.name for metric in found.metrics] == [
        "total_tokens",
        "input_tokens",
        "output_tokens",
        "cached_tokens",
        "cache_hit_rate",
        "cost",
        "wall_time",
        "agent_active_time",
        "api_time",
        "tool_time",
        "tool_calls",
        "success_rate",
        "lines_added",
        "lines_removed",
    ]


def test_what_is_better_is_as_the_wire_contract_says(session):
    found = comparison.between(session(), session())
    better = {metric.figure.name: metric.figure.better for metric in found.metrics}
    assert {name for name in better if better[name] == "lower"} == {
        "total_tokens", "input_tokens", "cost", "wall_time", "agent_active_time", "api_time",
        "tool_time",
    }  # fmt: skip
    assert {name for name in better if better[name] == "higher"} == {
        "cached_tokens", "cache_hit_rate", "success_rate"
    }  # fmt: skip


def test_a_session_compared_with_itself_is_unchanged(session):
    found = comparison.between(session(), session())
    assert {metric.verdict for metric in found.metrics} == {"unchanged"}
    assert {metric.delta for metric in found.metrics} == {0}


def test_both_sessions_are_part_of_the_comparison(session):
    found = comparison.between(session(id="a"), session(id="b"))
    assert (found.a.id, found.b.id) == ("a", "b")


def test_a_delta_is_b_minus_a_and_percent_is_of_a(session):
    found = comparison.between(session(cost=2.0), session(cost=0.5))
    assert found["cost"] == Metric(figures.named("cost"), 2.0, 0.5, -1.5, -75.0, "improved")


def test_a_shorter_time_is_a_negative_delta(session):
    found = comparison.between(session(), session(wall_time=900 * SECOND))["wall_time"]
    assert (found.delta, found.percent) == (-2700 * SECOND, -75.0)


def test_percent_from_zero_is_none(session):
    found = comparison.between(session(tool_calls=0), session())["tool_calls"]
    assert (found.delta, found.percent) == (10, None)


def test_rates_differ_in_percentage_points_only(session):
    found = comparison.between(session(), session(successful_tool_calls=9))["success_rate"]
    assert (found.a, found.b, found.delta, found.percent) == (80, 90, 10, None)


def test_a_figure_that_one_session_lacks_has_no_delta(session):
    found = comparison.between(session(tool_calls=0), session())["success_rate"]
    assert (found.a, found.b, found.delta, found.verdict) == (None, 80, None, "changed")


def test_a_figure_that_both_lack_is_unchanged(session):
    found = comparison.between(session(tool_calls=0), session(tool_calls=0))["success_rate"]
    assert (found.delta, found.verdict) == (None, "unchanged")


def test_tokens_are_those_of_the_models(session):
    found = comparison.between(session(), session(models=(Usage("a", 1, 10, 1),)))
    assert found["input_tokens"].delta == -990
    assert found["output_tokens"].delta == -99
    assert found["total_tokens"].delta == -1089


@pytest.mark.parametrize(
    ("metric", "field", "a", "b", "expected"),
    [
        ("cost", "cost", 1.0, 1.5, "regressed"),
        ("cost", "cost", 1.0, 0.5, "improved"),
        ("cost", "cost", 1.0, 1.00004, "unchanged"),
        ("cost", "cost", -1.0, -2.0, "improved"),
        ("cost", "cost", -1e308, 1e308, "regressed"),
        ("wall_time", "wall_time", 10 * SECOND, 20 * SECOND, "regressed"),
        ("wall_time", "wall_time", 10 * SECOND, 10 * SECOND + 999_999_999, "unchanged"),
        ("api_time", "api_time", 10 * SECOND, 9 * SECOND, "improved"),
        ("tool_time", "tool_time", 0, 18_446_744_073_709_551_615 * SECOND, "regressed"),
        ("cached_tokens", "cached_tokens", 1, 2, "improved"),
        ("cached_tokens", "cached_tokens", 2, 1, "regressed"),
        ("success_rate", "successful_tool_calls", 8, 9, "improved"),
        ("success_rate", "successful_tool_calls", 8, 7, "regressed"),
        ("cache_hit_rate", "cache_read_tokens", 200, 100, "regressed"),
        ("tool_calls", "tool_calls", 10, 20, "changed"),
        ("lines_added", "lines_added", 20, 10, "changed"),
        ("lines_removed", "lines_removed", 20, 20, "unchanged"),
    ],
)
def test_whether_a_change_is_for_the_better(verdict, metric, field, a, b, expected):
    assert verdict(metric, field, a, b) == expected


def test_rates_that_print_alike_are_unchanged(session):
    a = session(tool_calls=100_000, successful_tool_calls=92_600)
    b = session(tool_calls=100_000, successful_tool_calls=92_640)
    assert comparison.between(a, b)["success_rate"].verdict == "unchanged"


def test_the_printed_difference_adds_up():
    assert comparison.printed_difference(92.6406, 95.1724) == 2.6
    assert comparison.printed_difference(95.1724, 92.6406) == -2.6
    assert comparison.printed_difference(None, 5.0) is None
    assert comparison.printed_difference(5.0, None) is None


def test_an_unknown_metric_is_a_key_error(session):
    with pytest.raises(KeyError, match="happiness"):
        comparison.between(session(), session())["happiness"]


def test_a_minimum_is_neither_better_nor_worse(session):
    for usd, *missing in ((0.5, 1), (2.0, 0, 1), (1.0, 1)):
        found = comparison.between(session(), session(money=Money(usd, *missing)))["cost"]
        assert (found.delta, found.verdict, found.partial) == (usd - 1.0, "changed", True)
    assert not comparison.between(session(), session())["cost"].partial


def test_api_time_that_is_measured_in_two_ways_is_neither_better_nor_worse(session):
    a, b = session(), session(api_time=300 * SECOND, api_time_measured=False)
    found = comparison.between(a, b)
    assert found["api_time"].verdict == "changed"
    (note,) = found.notes
    assert note == (
        "API time is measured in session A, and active time less tool time in session B: "
        "the two can't be compared"
    )
    assert comparison.between(b, a).notes[0].startswith("API time is measured in session B, ")
    assert comparison.between(a, a).notes == comparison.between(b, b).notes == ()


def test_a_cost_that_is_not_known_has_no_difference(session):
    found = comparison.between(session(cost=None), session())["cost"]
    assert (found.a, found.b, found.delta, found.percent) == (None, 1.0, None, None)
    assert found.verdict == "changed"
    both = comparison.between(session(cost=None), session(cost=None))["cost"]
    assert (both.delta, both.verdict) == (None, "unchanged")
