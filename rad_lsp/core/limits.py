"""Plan limits as agents record them: how much is used, how fast, and when a window runs out.

Nothing here is guessed: a percent is shown for as long as its window lasts, and no longer.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

import msgspec

from rad_lsp.core.money import Money
from rad_lsp.core.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Iterable

FIVE_HOURS: Final = 300
WEEK: Final = 10_080
"""The minutes of the windows that a status line can show."""

STATUS_SPAN: Final = timedelta(minutes=WEEK)
"""An older record of these windows is none of a current one."""

BLOCK: Final = timedelta(hours=5)
"""How long a block of requests lasts."""

WARN_AT: Final = (80, 95)
"""Percent of a window at which the user is told: at 100 nothing would be left to plan with."""

_PARTS: Final = 4
"""Of a window's length: its reset is told by the part it lies in, as some agents only know in how
many seconds it is."""

_HOUR: Final = timedelta(hours=1)
_DAY_MINUTES: Final = 1440
_LONGEST: Final = timedelta(days=366)
"""No plan has a longer window: a later reset is not believed."""

_TELLS: Final = timedelta(minutes=15)
"""From a shorter time no rate is told: the first request alone would make it absurd."""

_SKEW: Final = timedelta(minutes=5)
"""What is dated later than this from now on was written by a clock that was wrong."""

_ALL: Final = 100
"""Percent."""

Percent: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=100)]
Minutes: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=_LONGEST // timedelta(minutes=1))]
Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=100)]

State: TypeAlias = Literal["current", "reset", "unknown"]
"""Whether a recorded percent still holds: not once the window has been reset, and it is not known
where nothing tells when that is."""


class Window(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What an agent recorded of one window of a plan's limit.

    `limit` is the agent's name for the limit, empty for its only one. `minutes` is the window's
    length, and `resets_at` its end; None where they are not recorded. `credits` is what may be
    used beyond the plan, as the agent writes it.
    """

    source: str
    name: Name
    used_percent: Percent
    recorded_at: datetime
    minutes: Minutes | None = None
    resets_at: datetime | None = None
    limit: Name = ""
    plan: Name = ""
    credits: Name = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What it shares with the other records of the same window."""
        return self.source, self.limit, self.name

    @property
    def ends_at(self) -> datetime | None:
        """When it is reset; None where that is not known, or can't be true of such a window."""
        if self.resets_at is None or self.resets_at - self.recorded_at > self._length + _SKEW:
            return None
        return self.resets_at

    @property
    def _length(self) -> timedelta:
        return _LONGEST if self.minutes is None else timedelta(minutes=self.minutes)

    @property
    def began_at(self) -> datetime | None:
        """When the window began; None where that is not known."""
        if self.minutes is None or self.ends_at is None:
            return None
        return self.ends_at - self._length

    def state(self, now: datetime) -> State:
        """Whether the recorded percent holds at `now`."""
        if self.ends_at is None:
            # It is reset within its length, so that an old record tells nothing in any case.
            return "reset" if now - self.recorded_at >= self._length else "unknown"
        return "current" if now < self.ends_at else "reset"

    @property
    def used_up(self) -> bool:
        """Whether nothing is left of it."""
        return self.used_percent >= _ALL


class Limit(msgspec.Struct, frozen=True):
    """A window as it is at one moment.

    `used_percent` is None unless the window is current, and so are `burn_rate`, in percent per
    hour, and `runs_out_at`. The latter is also None where the window is reset before.
    """

    window: Window
    state: State
    used_percent: float | None = None
    burn_rate: float | None = None
    runs_out_at: datetime | None = None


class Block(msgspec.Struct, frozen=True):
    """The running block of requests of a source without a current limit: an estimate."""

    source: str
    since: datetime
    requests: int
    tokens: Tokens
    money: Money

    @property
    def until(self) -> datetime:
        """When it ends."""
        return self.since + BLOCK


class Overview(msgspec.Struct, frozen=True):
    """All limits, and running blocks of sources that have no current one.

    `idle` are the sources that have sessions, but neither of both. `ignored` are sentences on
    records that are left out.
    """

    limits: tuple[Limit, ...] = ()
    blocks: tuple[Block, ...] = ()
    idle: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def span(minutes: int | None, otherwise: str = "") -> str:
    """The name of a window by its length: `5h`, `week`, `30d`, `45m`."""
    if minutes is None:
        return otherwise
    if minutes == WEEK:
        return "week"
    if minutes % _DAY_MINUTES == 0:
        return f"{minutes // _DAY_MINUTES}d"
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


def latest_possible(now: datetime) -> datetime:
    """The latest time of a record that is taken for true."""
    return now + _SKEW


def newest(windows: Iterable[Window], now: datetime) -> list[Window]:
    """Of each window the newest record that is not dated after now, in the order of their keys.

    Of records of the same time the one with the most use counts, wherever they come from.
    """
    found: dict[tuple[str, str, str], Window] = {}
    for window in windows:
        before = found.get(window.key)
        if window.recorded_at <= latest_possible(now) and (
            before is None or _rank(window) > _rank(before)
        ):
            found[window.key] = window
    return sorted(found.values(), key=lambda window: (*window.key[:2], window.minutes or 0))


def at(window: Window, now: datetime, first: Window | None = None) -> Limit:
    """A window as it is at `now`. `first` is its earliest record, used if its start is unknown."""
    held = window.state(now)
    if held != "current":
        return Limit(window, held)
    burn = burn_rate(window, first)
    return Limit(window, held, window.used_percent, burn, runs_out_at(window, burn))


def burn_rate(window: Window, first: Window | None = None) -> float | None:
    """Percent per hour since the window began, else since its `first` record; None if unknown."""
    began, used = window.began_at, 0.0
    if began is None and first is not None and first.resets_at == window.resets_at:
        began, used = first.recorded_at, first.used_percent
    if began is None or window.recorded_at - began < _TELLS or window.used_percent < used:
        return None
    return (window.used_percent - used) / ((window.recorded_at - began) / _HOUR)


def runs_out_at(window: Window, burn: float | None) -> datetime | None:
    """When all is used at a burn rate; None where that is unknown or not before the reset."""
    if window.used_up:
        return window.recorded_at
    if not burn or window.ends_at is None:
        return None
    hours = (_ALL - window.used_percent) / burn
    if hours >= (window.ends_at - window.recorded_at) / _HOUR:
        return None
    return window.recorded_at + timedelta(hours=hours)


def threshold(limit: Limit) -> int | None:
    """The highest threshold that a current window has reached, in percent; None when none is."""
    used = limit.used_percent
    return max((at for at in WARN_AT if used is not None and used >= at), default=None)


def claims(limit: Limit) -> list[tuple[str, ...]]:
    """What tells a window and its thresholds that are reached from all others, the highest first.

    A reset that is told a little earlier or later is that of the same window.
    """
    ends = limit.window.ends_at
    if ends is None:
        return []
    part = (limit.window.minutes or FIVE_HOURS) * 60 / _PARTS
    number = int(ends.timestamp() // part)
    reached = threshold(limit) or 0
    return [
        ("limit", *limit.window.key, str(at), str(number + near))
        for at in sorted(WARN_AT, reverse=True)
        if at <= reached
        for near in (0, -1, 1)
    ]


def fullest(limits: Iterable[Limit], source: str, minutes: int) -> float | None:
    """The percent used of a source's windows of a length: the fullest one stops the user first."""
    used = [
        limit.used_percent
        for limit in limits
        if (limit.window.source, limit.window.minutes) == (source, minutes)
        and limit.used_percent is not None
    ]
    return max(used, default=None)


def running_block(times: Iterable[datetime], now: datetime) -> datetime | None:
    """When the block of requests began that goes on at `now`, given the times of all in order.

    A block begins at the full hour (UTC) of the first request that is not in the block before it,
    and lasts five hours. So it also does after a gap of five hours.
    """
    since: datetime | None = None
    for time in times:
        if time > now:
            break
        if since is None or time >= since + BLOCK:
            since = time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return since if since is not None and now < since + BLOCK else None


def reset_time(told: float | str | None) -> datetime | None:
    """A time as agents write it, seconds since the epoch or RFC 3339; None where it is none."""
    try:
        if isinstance(told, str):
            moment = datetime.fromisoformat(told)
            return moment.astimezone(UTC) if moment.tzinfo else None
        return None if told is None else datetime.fromtimestamp(told, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _rank(window: Window) -> tuple[datetime, float]:
    return window.recorded_at, window.used_percent
