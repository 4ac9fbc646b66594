"""How people name a stretch of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rad_lsp.core import period
from rad_lsp.core.period import ALWAYS, Period

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2025, 12, 10, 12, tzinfo=UTC)


def at(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("24h", "2025-12-09T12:00Z"),
        ("7d", "2025-12-03T12:00Z"),
        ("2w", "2025-11-26T12:00Z"),
        ("90m", "2025-12-10T10:30Z"),
        ("30s", "2025-12-10T11:59:30Z"),
        (" 7 d ", "2025-12-03T12:00Z"),
        ("2025-12-07", "2025-12-06T23:00Z"),
        ("2025-12-07T09:00:00Z", "2025-12-07T09:00Z"),
        ("2025-12-07T09:00:00.5-05:00", "2025-12-07T14:00:00.5Z"),
        ("2025-12-07T09:00", "2025-12-07T08:00Z"),
    ],
)
def test_since_is_a_date_a_time_or_a_length_of_time(since, expected):
    assert period.parse(since, None, NOW, BERLIN) == Period(at(expected), None)


def test_a_date_as_until_includes_its_whole_day():
    found = period.parse("2025-12-07", "2025-12-07", NOW, BERLIN)
    assert found == Period(at("2025-12-06T23:00Z"), at("2025-12-07T23:00Z"))


def test_until_is_a_moment_where_one_is_named():
    found = period.parse(None, "2025-12-07T09:00:00Z", NOW, BERLIN)
    assert found == Period(None, at("2025-12-07T09:00Z"))


@pytest.mark.parametrize(
    ("day", "hours"), [("2025-03-30", 23), ("2025-10-26", 25), ("2025-06-01", 24)]
)
def test_a_day_is_as_long_as_the_clocks_make_it(day, hours):
    found = period.parse(day, day, NOW, BERLIN)
    assert found.since
    assert found.until
    assert found.until - found.since == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("now", "since", "until"),
    [
        ("2025-03-30T12:00Z", "2025-03-29T23:00Z", "2025-03-30T22:00Z"),
        ("2025-10-26T12:00Z", "2025-10-25T22:00Z", "2025-10-26T23:00Z"),
        ("2025-12-07T23:30Z", "2025-12-07T23:00Z", "2025-12-08T23:00Z"),
    ],
)
def test_today_is_the_users_day(now, since, until):
    assert period.today(at(now), BERLIN) == Period(at(since), at(until))


def test_a_day_may_begin_later_than_midnight():
    found = period.today(at("2018-11-04T12:00Z"), ZoneInfo("America/Sao_Paulo"))
    assert found == Period(at("2018-11-04T03:00Z"), at("2018-11-05T02:00Z"))


def test_without_a_zone_the_day_is_the_local_one():
    found = period.today(NOW, None)
    assert NOW in found
    assert found.since
    assert found.since.astimezone().hour == 0


def test_a_period_has_its_beginning_but_not_its_end():
    found = Period(at("2025-12-07T00:00Z"), at("2025-12-08T00:00Z"))
    assert at("2025-12-07T00:00Z") in found
    assert at("2025-12-07T23:59:59.999Z") in found
    assert at("2025-12-08T00:00Z") not in found
    assert at("2025-12-06T23:59Z") not in found


def test_an_open_period_has_no_bounds():
    assert datetime.min.replace(tzinfo=UTC) in ALWAYS
    assert datetime.max.replace(tzinfo=UTC) in ALWAYS
    assert period.parse(None, None, NOW, BERLIN) == ALWAYS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "7",
        "d",
        "-7d",
        "7y",
        "7d7d",
        "\u0667d",
        "1.5h",
        "2025-13-01",
        "2025-02-30",
        "2025-12-07T25:00:00Z",
        "2025-12-07T09:00:00+99:00",
        "999999w",
        "9999999999d",
        "0001-01-01",
        "\0",
    ],
)
@pytest.mark.parametrize("bound", ["since", "until"])
def test_what_is_no_time_is_refused_in_a_sentence(text, bound):
    bounds = {"since": None, "until": None, bound: text}
    if text == "0001-01-01" and bound == "until":
        bounds["until"] = "9999-12-31"
    with pytest.raises(ValueError, match="is not a date"):
        period.parse(**bounds, now=NOW, zone=BERLIN)


@pytest.mark.parametrize("text", ["20251207", "2025-W49", "2025W497"])
def test_a_date_written_otherwise_is_not_taken_for_a_moment(text):
    with pytest.raises(ValueError, match="is not a date"):
        period.parse(None, text, NOW, BERLIN)


@pytest.mark.parametrize(
    "moment", [datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
def test_a_moment_at_the_ends_of_time_keeps_its_own_zone(moment):
    shifted = [period.local(moment, ZoneInfo(name)) for name in ("Asia/Tokyo", "America/New_York")]
    assert moment in shifted
    assert {found - moment for found in shifted} == {timedelta()}


def test_a_moment_is_told_in_the_users_zone():
    assert period.local(NOW, BERLIN).isoformat() == "2025-12-10T13:00:00+01:00"
