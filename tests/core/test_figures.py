"""Every derived figure, by the table of the session format, and the table that names them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from rad_lsp.core import figures
from rad_lsp.core.session import Usage

U64_MAX = 18_446_744_073_709_551_615
SECOND = 1_000_000_000


def test_success_rate_is_the_share_of_tool_calls_that_succeeded(session):
    assert figures.success_rate(session(tool_calls=231, successful_tool_calls=214)) == (
        pytest.approx(92.640692640692)
    )


def test_a_refused_tool_call_is_not_a_failure(session):
    found = session(tool_calls=1, successful_tool_calls=1, failed_tool_calls=0, approvals_denied=5)
    assert figures.success_rate(found) == 100


def test_without_tool_calls_there_is_no_success_rate(session):
    assert figures.success_rate(session(tool_calls=0, successful_tool_calls=0)) is None


def test_a_call_of_unknown_outcome_is_no_part_of_the_success_rate(session):
    assert figures.success_rate(session(unknown_tool_calls=6)) == 50
    assert figures.success_rate(session(successful_tool_calls=10, unknown_tool_calls=10)) is None
    assert figures.known_tool_calls(session(unknown_tool_calls=6)) == 4
    assert figures.known_tool_calls(session()) is None


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
    [
        (-5, "running"),
        (-1440, "running"),
        (-1441, "interrupted"),
        (0, "running"),
        (9.99, "running"),
        (10, "interrupted"),
        (600, "interrupted"),
    ],
)
def test_a_session_without_an_end_is_running_for_ten_minutes(session, minutes, state):
    found = session(end_time=None)
    assert figures.state(found, found.generated_at + timedelta(minutes=minutes)) == state


def test_a_session_with_an_end_has_ended_however_recent(session):
    assert figures.state(session(), datetime(2025, 12, 7, 10, tzinfo=UTC)) == "ended"


def test_models_cost_is_the_sum_over_models(session):
    assert figures.models_cost(session()) == 1.0


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


def test_a_figure_of_the_table_is_had_by_its_name(session):
    figure = figures.named("success_rate")
    assert (figure.label, figure.unit, figure.better) == ("Success rate", "percent", "higher")
    assert figure.value(session()) == 80
    with pytest.raises(KeyError, match="happiness"):
        figures.named("happiness")


def test_names_and_keys_of_the_table_are_unique():
    names = [figure.name for figure in figures.FIGURES]
    keys = [figure.key for figure in figures.FIGURES if figure.key]
    assert len(set(names)) == len(names)
    assert len(set(keys)) == len(keys)


def test_only_figures_that_are_optional_can_be_missing(session):
    empty = session(tool_calls=0, files_changed=None, models=(), agent_active_time=0, cost=None)
    missing = {figure.name for figure in figures.FIGURES if figure.value(empty) is None}
    assert missing == {figure.name for figure in figures.FIGURES if figure.optional}


def test_a_figure_that_a_report_states_has_its_key_there(session):
    from rad_lsp.core import report

    metrics = report.of(session()).metrics
    for figure in figures.FIGURES:
        assert figure.key is None or figure.key in metrics.__struct_fields__


@pytest.fixture(scope="module")
def added(session):
    """What each kind of answer says when the table has one more figure, `idle_time`."""
    sessions = session(id="a"), session(id="b", wall_time=1600 * SECOND)
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("added_figure.py")],
        input=msgspec.json.encode(sessions),
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("text", "\nOther\nIdle Time:                  43m 20s\n"),
        ("Markdown", "\n| Idle time | 43m 20s |\n"),
        (
            "comparison as text",
            "\nOther\n─────\n  Idle Time: -33m 20s (-76.9%)\n",
        ),
        (
            "comparison as Markdown",
            "\n| Idle time | 43m 20s | 10m 0s | -33m 20s (-76.9%) | ✓ improved |\n",
        ),
        ("hover", "**Idle time** 43m 20s"),
        ("hint", "43m 20s"),
    ],
)
def test_a_figure_added_to_the_table_reads_alike_in(added, answer, says):
    assert says in added[answer]


def test_a_figure_added_to_the_table_is_a_column_of_csv(added):
    (row,) = csv.DictReader(added["CSV"].splitlines())
    assert row["idle_time"] == "2600.0"


def test_a_figure_added_to_the_table_is_a_value_of_json(added):
    assert added["JSON"]["idle_time_seconds"] == 2600
    assert added["comparison as JSON"]["idle_time_delta_seconds"] == -2000


def test_a_figure_added_to_the_table_is_part_of_the_wire_contract(added):
    wire = added["wire"]
    assert wire["summary"]["idleTime"] == wire["session"]["idleTime"] == 2600
    assert wire["metrics"][-1] == {
        "name": "idleTime",
        "label": "Idle time",
        "unit": "seconds",
        "a": 2600,
        "b": 600,
        "delta": -2000,
        "percent": pytest.approx(-76.923, abs=0.001),
        "better": "lower",
        "verdict": "improved",
    }
    assert wire["schema"]["properties"]["idleTime"] == {"type": "number"}
    assert "idleTime" in wire["schema"]["required"]
