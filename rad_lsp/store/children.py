"""Sessions of other agents that ran as part of tracked ones, and what of them counts with which.

All that an agent records counts once: a request or a tool call with the session that was tracked
at its time, see `Timeline`, and with the agent's own session where none was. One that ran as part
of a tracked session from its first to its last moment is listed only there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from rad_lsp.core.session import Child
from rad_lsp.store import query, sessions, snapshot
from rad_lsp.store.index import Damaged
from rad_lsp.store.timeline import OWN, Timeline, Window

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from rad_lsp.core.session import Session
    from rad_lsp.store.query import Known, Tracked
    from rad_lsp.store.snapshot import Entry


class Children:
    """What the index has of the sessions that are part of the `tracked` ones, at one moment."""

    def __init__(self, db: sqlite3.Connection, tracked: Iterable[Tracked]) -> None:
        self._db = db
        self._known: dict[Child, Known] = {}
        windows: dict[Child, list[Window]] = {}
        for one in tracked:
            for known in one.children:
                self._known[known.child] = known
                windows.setdefault(known.child, []).append(one.window)
        self._timelines = {child: Timeline(listed) for child, listed in windows.items()}
        self._shares: dict[Child, dict[str, Session]] = {}

    def __len__(self) -> int:
        return len(self._timelines)

    def of(self, entry: Entry) -> tuple[list[Session], list[Child]]:
        """What others did as part of a tracked session, and those of which nothing is known."""
        parts, missing = [], []
        for child in entry.children:
            share = self._share(child, entry.id)
            if share is not None:
                parts.append(share)
            elif self._known[child].number is None:
                missing.append(child)
        return parts, missing

    def left_of(self, entry: Entry) -> Entry | None:
        """What a session did while none was tracked that it is part of; None for nothing."""
        if not self._timelines:  # spares all sessions a look
            return entry
        child = Child(entry.source, entry.id)
        if child not in self._timelines or self._owners(child) == {OWN}:
            return entry
        left = self._share(child, OWN)
        if left is None:
            return None
        return msgspec.structs.replace(snapshot.pack(left), file=entry.file)

    def used_up(self) -> list[int]:
        """The numbers of the sessions that did nothing while none was tracked."""
        return [
            known.number
            for child, known in self._known.items()
            if known.number is not None and not self._has_left(child, known.number)
        ]

    def _owners(self, child: Child) -> set[str]:
        known = self._known[child]
        return self._timelines[child].owners(known.first, known.last)

    def _has_left(self, child: Child, number: int) -> bool:
        owners = self._owners(child)
        if len(owners) == 1:
            return OWN in owners
        spans = self._timelines[child].spans(OWN)
        return sessions.is_active_within(self._db, number, spans)

    def _share(self, child: Child, owner: str) -> Session | None:
        """What of a session counts with an owner; None for nothing."""
        number = self._known[child].number
        owners = self._owners(child)
        if number is None or owner not in owners:
            return None
        if child not in self._shares:
            entry = query.entry(self._db, child)
            if entry is None:
                raise Damaged("a session that was found is lost")
            if len(owners) == 1:
                self._shares[child] = {owner: entry.session}
            else:
                timeline = self._timelines[child]
                self._shares[child] = sessions.split(self._db, number, entry.session, timeline)
        return self._shares[child].get(owner)
