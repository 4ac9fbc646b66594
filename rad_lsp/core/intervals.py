"""The length of a union of intervals: what runs in parallel counts once.

Intervals are pairs of integers, a start and an end, in any one unit of time. One that ends where
it starts, or before, is empty.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST: Final = 20_000
"""Intervals that are kept apart; this bounds the memory of a very long session."""


def covered(intervals: Iterable[tuple[int, int]]) -> int:
    """The time that lies in at least one of the intervals."""
    total = 0
    reached: float = -math.inf
    for start, end in sorted(intervals):
        if end > reached and end > start:
            total += end - (start if start > reached else int(reached))
            reached = end
    return total


class Intervals:
    """A union that intervals are added to as time goes by, about in the order of their ends.

    When there are too many, the older half is kept as a total only. Of an interval that starts
    before the end of that half, only the part after it counts.
    """

    def __init__(self) -> None:
        self.total = 0
        """The time that lies in at least one interval."""
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._closed_until: int | None = None

    def add(self, start: int, end: int) -> None:
        """Add an interval; an empty one changes nothing."""
        start = self._clipped(start)
        if end <= start:
            return
        starts, ends = self._starts, self._ends
        first, last = self._touching(start, end)
        if first < last:
            self.total -= sum(ends[first:last]) - sum(starts[first:last])
            start, end = min(start, starts[first]), max(end, ends[last - 1])
        starts[first:last] = (start,)
        ends[first:last] = (end,)
        self.total += end - start
        if len(starts) > _MOST:
            self._closed_until = ends[_MOST // 2 - 1]
            del starts[: _MOST // 2], ends[: _MOST // 2]

    def total_with(self, start: int, end: int) -> int:
        """What the total would be with one more interval."""
        start = self._clipped(start)
        if end <= start:
            return self.total
        overlap = sum(
            min(self._ends[i], end) - max(self._starts[i], start)
            for i in range(*self._touching(start, end))
        )
        return self.total + end - start - overlap

    def _clipped(self, start: int) -> int:
        return start if self._closed_until is None else max(start, self._closed_until)

    def _touching(self, start: int, end: int) -> tuple[int, int]:
        """The range of positions of the intervals that overlap this one or meet it."""
        return bisect_left(self._ends, start), bisect_right(self._starts, end)
