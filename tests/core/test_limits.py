"""Plan limits: which record counts, whether it still holds, how fast it is used up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.core import limits
from rad_lsp.core.limits import FIVE_HOURS, WEEK, Window

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def window(used=40.0, recorded=NOON, resets=NOON + 3 * HOUR, minutes=FIVE_HOURS, **more):
    return Window("codex", "5h", used, recorded, minutes, resets, **more)


def held(record, now):
    shown = limits.at(record, now)
    return shown.state, shown.used_percent


def test_a_percent_holds_until_its_window_is_reset():
    record = window()
    assert held(record, NOON + 3 * HOUR - timedelta(seconds=1)) == ("current", 40)
    assert held(record, NOON + 3 * HOUR) == ("reset", None)


def test_it_is_used_at_the_rate_since_its_window_began():
    assert limits.at(window(), NOON).burn_rate == 20
    assert limits.at(window(used=0), NOON).burn_rate == 0


def test_it_runs_out_at_that_rate_only_if_that_is_before_the_reset():
    assert limits.at(window(used=50), NOON).runs_out_at == NOON + 2 * HOUR
    assert limits.at(window(used=40), NOON).runs_out_at is None
    assert limits.at(window(used=0), NOON).runs_out_at is None


def test_what_is_used_up_has_run_out_when_that_was_recorded():
    assert limits.at(window(used=100), NOON).runs_out_at == NOON


def test_no_rate_is_told_from_a_few_minutes():
    begun = NOON + 5 * HOUR - timedelta(minutes=1)
    assert limits.at(window(used=1, resets=begun), NOON).burn_rate is None


@pytest.mark.parametrize("resets", [None, NOON + 6 * HOUR, datetime(9999, 1, 1, tzinfo=UTC)])
def test_without_a_reset_that_can_be_true_no_percent_is_shown(resets):
    record = window(resets=resets)
    assert held(record, NOON) == ("unknown", None)
    assert held(record, NOON + 5 * HOUR) == ("reset", None)
    assert limits.at(record, NOON).burn_rate is None


def test_a_window_of_unknown_length_is_reset_within_a_year():
    far = window(minutes=None, resets=NOON + timedelta(days=800))
    assert held(far, NOON) == ("unknown", None)
    assert held(window(minutes=None, resets=None), NOON + timedelta(days=366)) == ("reset", None)


def test_a_reset_before_the_record_leaves_nothing_of_it():
    assert held(window(resets=NOON - HOUR), NOON) == ("reset", None)


def test_without_a_length_the_rate_is_that_since_the_first_record():
    record = window(minutes=None, used=30)
    first = msgspec.structs.replace(record, recorded_at=NOON - 2 * HOUR, used_percent=10.0)
    assert limits.at(record, NOON, first).burn_rate == 10
    assert limits.at(record, NOON).burn_rate is None
    other = msgspec.structs.replace(first, resets_at=NOON)
    assert limits.at(record, NOON, other).burn_rate is None


def test_the_newest_record_of_each_window_counts_in_whatever_order_they_come():
    older, newer = window(used=10, recorded=NOON - HOUR), window(used=5)
    week = Window("codex", "week", 1.0, NOON - HOUR, WEEK)
    other = window(used=3, recorded=NOON - HOUR, limit="other")
    records = [older, newer, week, other]
    assert limits.newest(records, NOON) == [newer, week, other]
    assert limits.newest(records[::-1], NOON) == [newer, week, other]


def test_of_records_of_one_time_the_one_with_the_most_use_counts():
    records = [window(used=10), window(used=20)]
    assert limits.newest(records, NOON) == limits.newest(records[::-1], NOON) == [records[1]]


def test_what_is_dated_after_now_hides_nothing():
    future = window(used=99, recorded=NOON + HOUR, resets=NOON + 4 * HOUR)
    assert limits.newest([window(), future], NOON) == [window()]
    assert limits.newest([future], NOON) == []


def test_of_several_windows_of_a_length_the_fullest_is_shown():
    shown = [limits.at(window(used=used, limit=str(used)), NOON) for used in (10.0, 60.0, 20.0)]
    shown.append(limits.at(window(used=90, resets=NOON - HOUR), NOON))
    assert limits.fullest(shown, "codex", FIVE_HOURS) == 60
    assert limits.fullest(shown, "codex", WEEK) is None
    assert limits.fullest(shown, "claude-code", FIVE_HOURS) is None


@pytest.mark.parametrize(
    ("minutes", "name"),
    [(300, "5h"), (10_080, "week"), (1440, "1d"), (43_200, "30d"), (45, "45m"), (None, "primary")],
)
def test_a_window_is_named_by_its_length(minutes, name):
    assert limits.span(minutes, "primary") == name


@pytest.mark.parametrize(
    "told", ["soon", "2026-03-02", "2026-03-02T12:00:00", 1e300, -1e300, float("nan"), None, ""]
)
def test_what_is_no_time_is_no_reset(told):
    assert limits.reset_time(told) is None


@pytest.mark.parametrize(
    "told", [NOON.timestamp(), "2026-03-02T12:00:00Z", "2026-03-02T13:00:00+01:00"]
)
def test_agents_write_resets_in_seconds_or_as_text(told):
    assert limits.reset_time(told) == NOON


class TestBlocks:
    def test_a_block_begins_at_the_full_hour_of_its_first_request(self):
        times = [NOON + timedelta(minutes=45)]
        assert limits.running_block(times, NOON + HOUR) == NOON

    def test_the_first_request_after_its_end_begins_the_next_one(self):
        times = [NOON + timedelta(minutes=minutes) for minutes in (45, 290, 300, 310)]
        assert limits.running_block(times, NOON + 6 * HOUR) == NOON + 5 * HOUR

    def test_none_runs_once_five_hours_have_passed(self):
        assert limits.running_block([NOON], NOON + 5 * HOUR - timedelta(seconds=1)) == NOON
        assert limits.running_block([NOON], NOON + 5 * HOUR) is None
        assert limits.running_block([], NOON) is None

    def test_requests_dated_after_now_begin_none(self):
        assert limits.running_block([NOON + HOUR], NOON) is None


moments = st.datetimes(timezones=st.just(UTC))


@given(
    st.floats(0, 100), moments, st.none() | st.integers(1, 527_040), st.none() | moments, moments
)
def test_any_record_reads_at_any_time(used, recorded, minutes, resets, now):
    shown = limits.at(Window("s", "n", used, recorded, minutes, resets), now)
    if shown.used_percent is not None:
        assert resets is not None
        assert now < resets
    if shown.runs_out_at is not None and used < 100:
        assert recorded <= shown.runs_out_at <= resets
