"""Spans of time in a user's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rad_lsp.core import trend
from rad_lsp.core.period import ALWAYS, Period
from rad_lsp.core.trend import Calls, TooManySpans

BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
NEW_YORK = ZoneInfo("America/New_York")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def spans(unit, since, until, zone, week_start="monday"):
    return trend.spans(unit, at(since), at(until), zone, week_start)


def told(found):
    return [(span.label, f"{span.begin:%m-%d %H:%M}", f"{span.end:%m-%d %H:%M}") for span in found]


def hours(span):
    return (span.end - span.begin) / timedelta(hours=1)


def test_a_day_has_23_or_25_hours_where_the_clock_changes():
    spring = spans("day", "2026-03-27T23:00", "2026-03-30T22:00", BERLIN)
    assert told(spring) == [
        ("2026-03-28", "03-27 23:00", "03-28 23:00"),
        ("2026-03-29", "03-28 23:00", "03-29 22:00"),
        ("2026-03-30", "03-29 22:00", "03-30 22:00"),
    ]
    (autumn,) = spans("day", "2026-11-01T04:00", "2026-11-02T05:00", NEW_YORK)
    assert (autumn.label, hours(autumn)) == ("2026-11-01", 25)


def test_days_begin_at_half_past_where_the_zone_is_half_an_hour_off():
    assert told(spans("day", "2025-12-30T18:30", "2026-01-01T18:30", KOLKATA)) == [
        ("2025-12-31", "12-30 18:30", "12-31 18:30"),
        ("2026-01-01", "12-31 18:30", "01-01 18:30"),
    ]


def test_months_end_with_the_year():
    assert told(spans("month", "2025-11-30T23:00", "2026-01-31T23:00", BERLIN)) == [
        ("2025-12", "11-30 23:00", "12-31 23:00"),
        ("2026-01", "12-31 23:00", "01-31 23:00"),
    ]


@pytest.mark.parametrize(
    ("week_start", "days"),
    [
        ("monday", ["2026-03-23", "2026-03-30"]),
        ("sunday", ["2026-03-22", "2026-03-29", "2026-04-05"]),
        ("saturday", ["2026-03-28", "2026-04-04"]),
    ],
)
def test_weeks_begin_on_the_users_day(week_start, days):
    found = spans("week", "2026-03-28T12:00", "2026-04-05T12:00", BERLIN, week_start)
    assert [span.label for span in found] == days


def test_a_week_is_an_hour_shorter_when_the_clock_is_set_forward():
    first, second = spans("week", "2026-03-22T23:00", "2026-04-05T22:00", BERLIN)
    assert (hours(first), hours(second)) == (167, 168)


def test_an_hour_that_the_clock_shows_twice_is_told_apart_by_its_offset():
    found = spans("hour", "2026-10-24T23:30", "2026-10-25T02:10", BERLIN)
    assert told(found) == [
        ("2026-10-25 01:00", "10-24 23:30", "10-25 00:00"),
        ("2026-10-25 02:00 +0200", "10-25 00:00", "10-25 01:00"),
        ("2026-10-25 02:00 +0100", "10-25 01:00", "10-25 02:00"),
        ("2026-10-25 03:00", "10-25 02:00", "10-25 02:10"),
    ]


def test_an_hour_that_the_clock_leaves_out_is_no_span():
    labels = [span.label for span in spans("hour", "2026-03-29T00:00", "2026-03-29T02:00", BERLIN)]
    assert labels == ["2026-03-29 01:00", "2026-03-29 03:00"]


def test_hours_begin_with_the_clocks_even_where_it_is_set_by_half_an_hour():
    assert told(spans("hour", "2026-04-04T14:00", "2026-04-04T16:30", LORD_HOWE)) == [
        ("2026-04-05 01:00", "04-04 14:00", "04-04 15:00"),
        ("2026-04-05 01:30", "04-04 15:00", "04-04 15:30"),
        ("2026-04-05 02:00", "04-04 15:30", "04-04 16:30"),
    ]


@given(
    st.sampled_from(["hour", "day", "week", "month"]),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "America/Havana", "Asia/Beirut"]),
    st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001
    st.timedeltas(timedelta(seconds=1), timedelta(days=40)),
)
def test_spans_follow_each_other_from_the_beginning_of_a_period_to_its_end(
    unit, zone, since, length
):
    since = since.replace(tzinfo=UTC)
    found = trend.spans(unit, since, since + length, ZoneInfo(zone), "monday")
    assert (found[0].begin, found[-1].end) == (since, since + length)
    assert all(one.end == other.begin for one, other in pairwise(found))
    assert all(span.begin < span.end for span in found)
    assert len({span.label for span in found}) == len(found)


def of(unit="day", within=ALWAYS, count=3, first=None, zone=UTC):
    now = at("2026-03-10T12:00")
    found = trend.of_period(unit, within, count, now, zone, "monday", first)
    return [span.label for span in found]


def test_without_a_beginning_the_last_spans_are_meant():
    assert of() == ["2026-03-08", "2026-03-09", "2026-03-10"]
    assert of("week") == ["2026-02-23", "2026-03-02", "2026-03-09"]
    assert of("month") == ["2026-01", "2026-02", "2026-03"]
    assert of("hour", count=2) == ["2026-03-10 11:00", "2026-03-10 12:00"]
    assert of(within=Period(None, at("2026-03-01T00:00")), count=1) == ["2026-02-28"]
    assert len(of("month", count=1000)) == 1000


def test_a_beginning_goes_before_the_number():
    assert of(within=Period(at("2026-03-06T00:00")), count=1)[0] == "2026-03-06"


def test_a_period_begins_with_the_first_activity_at_the_earliest():
    period = Period(at("1900-01-01T00:00"))
    assert of(within=period, first=at("2026-03-09T23:59")) == ["2026-03-09", "2026-03-10"]


def test_what_is_to_come_has_no_spans():
    assert of(within=Period(at("2026-03-11T00:00"))) == []
    assert of(within=Period(None, datetime.max.replace(tzinfo=UTC)), count=1) == ["2026-03-10"]


def test_there_is_a_most_of_spans():
    with pytest.raises(TooManySpans):
        of("hour", Period(at("2000-01-01T00:00")))


def test_a_denied_call_is_no_failure_and_an_unknown_one_no_part_of_the_rate():
    calls = Calls(ok=3, failed=1, denied=5, unknown=6)
    assert (calls.total, calls.success_rate) == (10, 75)
    assert Calls(denied=1, unknown=1).success_rate is None
