"""The time of a session: how long it has gone on, and what the calendar says."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from rad_lsp.core.session import Nanoseconds

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Clock:
    """Begins when it is made.

    `wall` gives nanoseconds since the epoch and may jump when somebody sets the computer's clock;
    `steady` gives nanoseconds that only grow.
    """

    def __init__(
        self,
        wall: Callable[[], int] = time.time_ns,
        steady: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._begun = steady()
        self._start = wall()
        self.start = _moment(self._start)

    def elapsed(self) -> Nanoseconds:
        """Nanoseconds since the beginning; never fewer than before."""
        return self._steady() - self._begun

    def now(self) -> Nanoseconds:
        """Nanoseconds since the epoch, and never before what has elapsed since the beginning.

        A clock that is set back can't end a session before it began. One that is ahead of what
        has elapsed is right where the computer has slept.
        """
        return max(self._wall(), self._start + self.elapsed())

    def moment(self) -> datetime:
        """The same in UTC."""
        return _moment(self.now())

    def elapsed_at(self, moment: datetime) -> Nanoseconds:
        """Nanoseconds from the beginning to a moment; negative before it."""
        return (moment - self.start) // _MICROSECOND * 1000


def nanoseconds(moment: datetime) -> Nanoseconds:
    """Nanoseconds since the epoch."""
    return (moment - _EPOCH) // _MICROSECOND * 1000


def _moment(nanoseconds: Nanoseconds) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
