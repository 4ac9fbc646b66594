"""Which tracked session a moment counts with, where an agent's session ran within several."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from rad_lsp.core import figures
from rad_lsp.store.snapshot import microseconds

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from rad_lsp.core.session import Session

Span: TypeAlias = tuple[float, float]
"""From one moment up to, but not including, another; both in milliseconds since the epoch."""

OWN: Final = ""
"""Stands for the agent's session itself: it did by itself what it did while none was tracked."""


class Window(msgspec.Struct, frozen=True, gc=False):
    """When a session was tracked, in milliseconds since the epoch.

    It began at `since` and was last active at `last`, which counts. What is done up to `until`
    counts with it, too, where it may be running still.
    """

    id: str
    since: int
    last: int
    until: int


def window(session: Session) -> Window:
    """When a session was tracked; without an end it may run until it counts as interrupted."""
    last = figures.last_activity(session)
    until = figures.interrupted_at(session) if session.end_time is None else last
    return Window(session.id, *map(_milliseconds, (session.start_time, last, until)))


class Timeline:
    """The time of an agent's session, divided among the tracked sessions that it is part of.

    A moment counts with the tracked session that ran then; of several with that which ended first.
    """

    def __init__(self, windows: Iterable[Window]) -> None:
        ordered = sorted(windows, key=lambda window: (window.last, window.id))
        spans = [(window.since, window.last + 1, window.id) for window in ordered]
        spans += [(window.last + 1, window.until, window.id) for window in ordered]
        bounds = sorted({bound for *span, _ in spans for bound in span})
        self._bounds: list[int] = []
        self._owners = [OWN]
        for bound in bounds:
            owner = next((name for since, end, name in spans if since <= bound < end), OWN)
            if owner != self._owners[-1]:
                self._bounds.append(bound)
                self._owners.append(owner)

    def owner(self, time: int) -> str:
        """The id of the tracked session that a moment counts with, or OWN."""
        return self._owners[bisect_right(self._bounds, time)]

    def owners(self, first: int, last: int) -> set[str]:
        """Those that the time from `first` to `last` counts with, both included."""
        begin, end = bisect_right(self._bounds, first), bisect_right(self._bounds, last)
        return set(self._owners[begin : end + 1])

    def spans(self, owner: str) -> list[Span]:
        """The time that counts with an owner, in order."""
        bounds = [-math.inf, *self._bounds, math.inf]
        return [
            (bounds[number], bounds[number + 1])
            for number, name in enumerate(self._owners)
            if name == owner
        ]


def _milliseconds(moment: datetime) -> int:
    return microseconds(moment) // 1_000
