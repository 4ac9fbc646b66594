"""What all sessions of a workspace come to, again and again while it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from rad_lsp import service
from rad_lsp.core.problems import Problem
from rad_lsp.store.snapshot import Entry, Snapshot, ordered

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
        self._warned: dict[str, tuple[Problem, ...]] = {}
        self.overall = Overall(service.added_up(()))

    def take(self, snapshot: Snapshot) -> Overall:
        """The sums of all sessions of a snapshot."""
        if snapshot is self._snapshot:
            return self.overall
        before, totals, warned = self._snapshot.by_id, self._totals, self._warned
        for entry in [one for one in snapshot.entries if before.get(one.id) is not one]:
            other = before.get(entry.id)
            if other is None or other.packed != entry.packed:
                totals[entry.id] = made = entry.totals
                warned[entry.id] = made.problems
                if not made.problems:
                    del warned[entry.id]
        if len(totals) > len(snapshot.by_id):
            for name in totals.keys() - snapshot.by_id.keys():
                del totals[name]
                warned.pop(name, None)
        listed = ordered(snapshot.by_id[name] for name in warned)
        self._snapshot = snapshot
        self.overall = Overall(
            service.added_up(totals.values()), tuple((one, warned[one.id]) for one in listed)
        )
        return self.overall
