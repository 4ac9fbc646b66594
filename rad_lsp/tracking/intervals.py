"""Time that lies in at least one of many intervals, while they come in."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rad_lsp.core.session import Nanoseconds

_MOST: Final = 20_000
"""Intervals that are remembered; the older half is then settled, so that memory is bounded."""


class Intervals:
    """Joins intervals that overlap: what runs in parallel counts once.

    They come about in order of their ends. One that begins before thousands of others counts
    from the last settled one on.
    """

    def __init__(self) -> None:
        self.total: Nanoseconds = 0
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._settled: int | None = None

    def add(self, start: Nanoseconds, end: Nanoseconds) -> None:
        """Add an interval; an empty one changes nothing."""
        if self._settled is not None:
            start = max(start, self._settled)
        if end <= start:
            return
        starts, ends = self._starts, self._ends
        first, last = bisect_left(ends, start), bisect_right(starts, end)
        if first < last:
            self.total -= sum(ends[first:last]) - sum(starts[first:last])
            start, end = min(start, starts[first]), max(end, ends[last - 1])
        starts[first:last] = (start,)
        ends[first:last] = (end,)
        self.total += end - start
        if len(starts) > _MOST:
            self._settled = ends[_MOST // 2 - 1]
            del starts[: _MOST // 2], ends[: _MOST // 2]

    def total_with(self, start: Nanoseconds, end: Nanoseconds) -> Nanoseconds:
        """What the total would be with one more interval."""
        if self._settled is not None:
            start = max(start, self._settled)
        if end <= start:
            return self.total
        starts, ends = self._starts, self._ends
        first, last = bisect_left(ends, start), bisect_right(starts, end)
        covered = sum(min(ends[i], end) - max(starts[i], start) for i in range(first, last))
        return self.total + end - start - covered
