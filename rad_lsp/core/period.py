"""A stretch of time, and how people name it: `--since 7d`, `--until 2025-12-07`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Literal, TypeAlias, get_args

import msgspec

Weekday: TypeAlias = Literal[
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
]

_WEEKDAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)

_DATE = r"(?a)\d{4}-\d\d-\d\d"
_AGO = r"(?a)(\d{1,6})\s*([smhdw])"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Period(msgspec.Struct, frozen=True):
    """From `since` up to, but not including, `until`; None is open."""

    since: datetime | None = None
    until: datetime | None = None

    def __contains__(self, moment: datetime) -> bool:
        """Whether the moment lies in the period."""
        return (self.since is None or moment >= self.since) and (
            self.until is None or moment < self.until
        )


ALWAYS: Final = Period()
"""All time."""


def parse(since: str | None, until: str | None, now: datetime, zone: tzinfo | None) -> Period:
    """The period between two moments as people write them.

    Each is a date (its whole day in `zone`, or in local time when that is None), an RFC 3339
    time, or a length of time before `now` such as `24h` or `7d`. Raises ValueError with a
    sentence.
    """
    return Period(
        None if since is None else _moment(since, now, zone, days=0),
        None if until is None else _moment(until, now, zone, days=1),
    )


def days_into_week(day: date, week_start: Weekday) -> int:
    """How many days before a day its week began, with that day as the first of a week."""
    return (day.weekday() - _WEEKDAYS.index(week_start)) % 7


def midnight(day: date, zone: tzinfo | None) -> datetime:
    """The start of a day in `zone`, or in local time when that is None."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def local(moment: datetime, zone: tzinfo | None) -> datetime:
    """A moment in `zone`, or in local time when that is None; at the ends of time in its own."""
    try:
        return moment.astimezone(zone)
    except (OverflowError, ValueError, OSError):
        return moment


def today(now: datetime, zone: tzinfo | None) -> Period:
    """The day of `now` in `zone`, or in local time: of 23, 24 or 25 hours."""
    day = now.astimezone(zone).date()
    return Period(midnight(day, zone), midnight(day + timedelta(days=1), zone))


def _moment(text: str, now: datetime, zone: tzinfo | None, *, days: int) -> datetime:
    text = text.strip()
    try:
        if match := re.fullmatch(_AGO, text):
            return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
        if re.fullmatch(_DATE, text):
            return midnight(date.fromisoformat(text) + timedelta(days=days), zone)
        # Of all that ISO 8601 allows, only what begins with a date as people write it.
        moment = datetime.fromisoformat(text if re.match(_DATE, text) else "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is not a date (2025-12-07), an RFC 3339 time (2025-12-07T09:00:00Z) "
            "or a length of time (24h, 7d)"
        ) from None
