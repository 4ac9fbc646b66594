"""Which sessions were touched, so that those who know all others need to ask for these only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

MANY: Final = 1_000
"""Where more sessions were touched, all are asked for."""


class Touched:
    """Sessions by source and id, each with the number of the update that touched it last."""

    def __init__(self) -> None:
        self._updates: dict[tuple[str, str], int] = {}
        self._complete_since = 0

    def add(self, names: Iterable[tuple[str, str]], update: int) -> None:
        """An update has touched some sessions."""
        self._updates.update(dict.fromkeys(names, update))
        if len(self._updates) > MANY:
            self.forget(update)

    def forget(self, update: int) -> None:
        """What an update has touched, or one before it, is not known."""
        self._updates.clear()
        self._complete_since = update

    def since(self, update: int) -> list[tuple[str, str]] | None:
        """The sessions that were touched after an update; None where that is not known."""
        if update < self._complete_since:
            return None
        return [name for name, last in self._updates.items() if last > update]


def watch(db: sqlite3.Connection) -> None:
    """Note from now on which sessions this connection touches."""
    db.execute("CREATE TEMP TABLE IF NOT EXISTS touched(source, session_id)")
    for event, row in _EVENTS.items():
        db.execute(
            f"CREATE TEMP TRIGGER IF NOT EXISTS touched_{event} AFTER {event} ON main.session "
            f"BEGIN INSERT INTO touched VALUES ({row}.source, {row}.session_id); END"
        )
    db.execute("DELETE FROM touched")


def names(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Source and id of each that was touched; of one more than `MANY` at most."""
    query = f"SELECT DISTINCT source, session_id FROM touched LIMIT {MANY + 1}"
    return db.execute(query).fetchall()


_EVENTS: Final = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}
