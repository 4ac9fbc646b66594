"""The time of a session: how long it has run, and what time it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from rad_lsp.core.session import Nanoseconds

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MILLISECOND: Final = timedelta(milliseconds=1)


class Clock:
    """Measures time from its construction on.

    `wall` gives nanoseconds since the epoch, which jump when somebody sets the computer's clock.
    `steady` gives nanoseconds that never decrease.
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
        """Nanoseconds since the start; they never decrease."""
        return self._steady() - self._begun

    def moment(self) -> datetime:
        """What time it is, in UTC: never less than the start plus what has elapsed since.

        So a session never ends before it starts, though somebody sets the clock back. More than
        what has elapsed is right, because `steady` may stop while the computer sleeps.
        """
        return _moment(max(self._wall(), self._start + self.elapsed()))

    def elapsed_at(self, moment: datetime) -> Nanoseconds:
        """Nanoseconds from the start to a moment; negative for an earlier one."""
        return (moment - self.start) // _MICROSECOND * 1000


def milliseconds(moment: datetime) -> int:
    """Milliseconds from the epoch to a moment."""
    return (moment - _EPOCH) // _MILLISECOND


def _moment(nanoseconds: Nanoseconds) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)
