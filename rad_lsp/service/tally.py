"""What all sessions of a workspace come to, again and again while it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from rad_lsp import service
from rad_lsp.core.problems import Problem
from rad_lsp.store.snapshot import Entry, Snapshot

if TYPE_CHECKING:
    from rad_lsp.core.session import SessionTotals


class Overall(msgspec.Struct, frozen=True):
    """The sum of all sessions, and those that have warnings or notes, with them."""

    sum: service.Sum
    warned: tuple[tuple[Entry, tuple[Problem, ...]], ...] = ()


class Tally:
    """Unpacks of each snapshot only the sessions that the one before did not have."""

    def __init__(self) -> None:
        self._snapshot = Snapshot()
        self._totals: dict[str, SessionTotals] = {}
        self.overall = Overall(service.added_up(()))

    def take(self, snapshot: Snapshot) -> Overall:
        """The sums of all sessions of a snapshot."""
        if snapshot is self._snapshot:
            return self.overall
        before, known = self._snapshot.by_id, self._totals
        totals: dict[str, SessionTotals] = {}
        for entry in snapshot.entries:
            other = before.get(entry.id)
            is_same = other is not None and (other is entry or other.packed == entry.packed)
            totals[entry.id] = known[entry.id] if is_same else entry.totals
        warned = [
            (one, totals[one.id].problems) for one in snapshot.entries if totals[one.id].problems
        ]
        self._snapshot, self._totals = snapshot, totals
        self.overall = Overall(service.added_up(totals.values()), tuple(warned))
        return self.overall
