"""Every derived figure, by the table of the session format."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from rad_lsp.core import figures
from rad_lsp.core.session import Usage

U64_MAX = 18_446_744_073_709_551_615


def test_success_rate_is_the_share_of_tool_calls_that_succeeded(session):
    assert figures.success_rate(session(tool_calls=231, successful_tool_calls=214)) == (
        pytest.approx(92.640692640692)
    )


def test_a_refused_tool_call_is_not_a_failure(session):
    found = session(tool_calls=1, successful_tool_calls=1, failed_tool_calls=0, approvals_denied=5)
    assert figures.success_rate(found) == 100


def test_without_tool_calls_there_is_no_success_rate(session):
    assert figures.success_rate(session(tool_calls=0, successful_tool_calls=0)) is None


def test_no_success_is_a_rate_of_zero(session):
    assert figures.success_rate(session(successful_tool_calls=0)) == 0


def test_a_success_rate_above_100_is_shown_as_it_is(session):
    assert figures.success_rate(session(tool_calls=4, successful_tool_calls=5)) == 125


def test_tokens_and_requests_are_summed_over_models(session):
    found = session()
    assert figures.input_tokens(found) == 1000
    assert figures.output_tokens(found) == 100
    assert figures.total_tokens(found) == 1100
    assert figures.requests(found) == 4


def test_models_are_named_most_tokens_first_then_by_name(session):
    models = (Usage("b", 9), Usage("a", 0), Usage("few", 0, 1), Usage("most", 0, 0, 2))
    assert figures.model_names(session(models=models)) == ("most", "few", "a", "b")
    assert figures.model_names(session(models=())) == ()


def test_engines_are_not_counted_besides_models(session):
    found = session(models=())
    assert (figures.total_tokens(found), figures.requests(found)) == (0, 0)


def test_token_sums_go_beyond_64_bits(session):
    found = session(models=(Usage("a", 0, U64_MAX), Usage("b", 0, U64_MAX, 1)))
    assert figures.total_tokens(found) == 36_893_488_147_419_103_231


@pytest.mark.parametrize(
    ("cached", "created", "read", "expected"),
    [
        (17_000, 4_000, 13_000, 13_000),
        (17_000, 4_000, 0, 0),
        (17_000, 0, 13_000, 13_000),
        (17_000, 0, 0, 17_000),
        (0, 0, 0, 0),
    ],
)
def test_cached_tokens_count_as_read_when_they_are_not_split(
    session, cached, created, read, expected
):
    found = session(cached_tokens=cached, cache_creation_tokens=created, cache_read_tokens=read)
    assert figures.cache_read_tokens(found) == expected


def test_a_cache_had_to_do_with_a_session_that_read_or_wrote_it(session):
    nothing = dict.fromkeys(("cached_tokens", "cache_creation_tokens", "cache_read_tokens"), 0)
    assert not figures.has_cache(session(**nothing))
    for name in nothing:
        assert figures.has_cache(session(**{**nothing, name: 1}))


def test_cache_hit_rate_is_the_share_of_input_that_was_read_from_the_cache(session):
    assert figures.cache_hit_rate(session()) == 11


def test_without_input_there_is_no_cache_hit_rate(session):
    assert figures.cache_hit_rate(session(models=())) is None


def test_api_and_tool_share_are_of_the_active_time(session):
    assert (figures.api_share(session()), figures.tool_share(session())) == (40, 60)


def test_without_active_time_there_are_no_shares(session):
    idle = session(agent_active_time=0)
    assert (figures.api_share(idle), figures.tool_share(idle)) == (None, None)


def test_an_ended_session_was_last_active_at_its_end(session):
    assert figures.last_activity(session()) == datetime(2025, 12, 7, 10, tzinfo=UTC)


def test_a_session_without_an_end_was_last_active_when_it_was_reported(session):
    assert figures.last_activity(session(end_time=None)) == datetime(2025, 12, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "state"),
    [(-5, "running"), (0, "running"), (9.99, "running"), (10, "interrupted"), (600, "interrupted")],
)
def test_a_session_without_an_end_is_running_for_ten_minutes(session, minutes, state):
    found = session(end_time=None)
    assert figures.state(found, found.generated_at + timedelta(minutes=minutes)) == state


def test_a_session_with_an_end_has_ended_however_recent(session):
    assert figures.state(session(), datetime(2025, 12, 7, 10, tzinfo=UTC)) == "ended"


def test_models_cost_is_the_sum_over_models(session):
    assert figures.models_cost(session()) == 1.0


def test_costs_are_rounded_once():
    assert figures.total_cost([0.1] * 10) == 1.0
    assert figures.total_cost([1e16, 1.0, -1e16]) == 1.0


def test_costs_that_are_not_known_are_left_out_of_a_sum():
    assert figures.total_cost([None, 0.5]) == 0.5
    assert figures.total_cost([None, None]) is None
    assert figures.total_cost([]) == 0


def test_costs_beyond_every_number_are_infinite():
    assert figures.total_cost([1e308, 1e308]) == math.inf


def test_negative_costs_beyond_every_number_stay_negative():
    assert figures.total_cost([-1e308, -1e308]) == -math.inf


def test_percent_of_nothing_is_none():
    assert figures.percent(3, 4) == 75
    assert figures.percent(3, 0) is None


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (200, 100, -50.0),
        (100, 250, 150.0),
        (5, 5, 0.0),
        (0, 5, None),
        (0, 0, None),
        (-2.0, -1.0, 50.0),
        (-2.0, -4.0, -100.0),
    ],
)
def test_a_change_is_in_percent_of_what_was_before(before, after, change):
    assert figures.percent_change(before, after) == change
