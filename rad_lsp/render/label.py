"""What a session is called wherever people read of it, and the day that it is listed under."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from rad_lsp import sources
from rad_lsp.core import figures, period, wording
from rad_lsp.core.wording import printable
from rad_lsp.render.table import cut

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime, tzinfo

    from rad_lsp.core.session import Session

TitleOf: TypeAlias = "Callable[[Session], str]"
"""Returns the title that is known of a session, else an empty text."""

_CELLS: Final = 40
"""Of a title within a label."""

_LONGEST: Final = 200
"""Characters of a title: a longer one is none."""

_REMEMBERED: Final = 1_000
"""Titles whose form is kept, in memory: wide letters take long to count, and lists are asked for
again and again."""

_UUID: Final = re.compile(r"(?a)([0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PLAIN: Final = re.compile(r"(?a)\w[\w.-]*")
"""An id that every shell takes for one word, and no program for an option."""

_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def untitled(_session: Session) -> str:
    """Where no title is known."""
    return ""


def of(session: Session, now: datetime, zone: tzinfo | None, title: str = "") -> str:
    """`Claude Code · Fix the flaky test · 2 Mar 14:05`: agent, title or short id, local time.

    The time is that of the last activity: alone of today, with the year of another year.
    """
    named = _cut(title) or short_id(session.id)
    at = moment(figures.last_activity(session), now, zone)
    return " · ".join(filter(None, [agent(session), named, at]))


def moment(time: datetime, now: datetime, zone: tzinfo | None) -> str:
    """`14:05` of today, `2 Mar 14:05` of another day, `2 Mar 2025 14:05` of another year."""
    local, today = period.local(time, zone), period.local(now, zone).date()
    clock = f"{local.hour:02}:{local.minute:02}"
    return clock if local.date() == today else f"{_day_and_month(local.date(), today)} {clock}"


def agent(session: Session) -> str:
    """`Claude Code`."""
    return printable(sources.label(session.source))


@lru_cache(_REMEMBERED)
def shown(title: str) -> str:
    """A title as it may be shown; it may quote anything."""
    return printable(title[:_LONGEST])


def short_id(session_id: str) -> str:
    """The first words of an id, by which commands find the session: `0199f3c2`."""
    found = _UUID.fullmatch(session_id)
    return found[1] if found else wording.short_id(session_id)


def time(session: Session, zone: tzinfo | None) -> str:
    """The local time of the last activity, below a label of its day: `14:05`."""
    return period.local(figures.last_activity(session), zone).time().isoformat("minutes")


def resume(session: Session) -> str | None:
    """The command that goes on with a session: `claude --resume 0199f3c2-…`.

    None where its agent has none, its transcript is gone, or a shell might not take its id for one
    word: it comes from a file.
    """
    words = sources.resume(session.source)
    if not words or session.deleted or not _PLAIN.fullmatch(session.id):
        return None
    return " ".join([*words, session.id])


def day(session: Session, zone: tzinfo | None) -> str:
    """The local day of the last activity: `2026-03-02`."""
    return period.local(figures.last_activity(session), zone).date().isoformat()


def day_label(session: Session, now: datetime, zone: tzinfo | None) -> str:
    """The same for people: `Today`, `Yesterday`, `Mon 2 Mar`, with the year of another year."""
    last = period.local(figures.last_activity(session), zone).date()
    today = period.local(now, zone).date()
    if last == today:
        return "Today"
    if last == today - timedelta(days=1):
        return "Yesterday"
    return f"{WEEKDAYS[last.weekday()]} {_day_and_month(last, today)}"


@lru_cache(_REMEMBERED)
def _cut(title: str) -> str:
    return cut(shown(title), _CELLS)


def _day_and_month(day: date, today: date) -> str:
    year = "" if day.year == today.year else f" {day.year}"
    return f"{day.day} {_MONTHS[day.month - 1]}{year}"
