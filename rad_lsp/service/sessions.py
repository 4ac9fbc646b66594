"""Opening the sessions: the user's index of transcripts, and the store of a workspace."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rad_lsp import settings, sources
from rad_lsp.store.agents import Machine
from rad_lsp.store.index import Recent
from rad_lsp.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from pathlib import Path

    from rad_lsp.core.price import Override
    from rad_lsp.core.session import Child

__all__ = [
    "Machine",
    "Recent",
    "Store",
    "active_since",
    "close",
    "empty_store",
    "keep_open",
    "not_on_disk",
    "open_machine",
    "open_store",
    "recent",
    "transcript_folders",
]


def open_machine() -> Machine:
    """The transcripts of this user's agents, and the index of them."""
    return Machine(os.environ, settings.home(), settings.data_folder())


def close(machine: Machine) -> None:
    """Close the index.

    The last process to do so folds recent changes into it; otherwise the next one must.
    """
    machine.database.close()


def keep_open(machine: Machine) -> None:
    """Let `close` do nothing, because a thread that is not waited for still uses the index."""
    machine.database.left = True


def not_on_disk(machine: Machine) -> str:
    """Why the index is kept in memory only; empty when it is on disk."""
    return machine.database.trouble


def empty_store() -> Store:
    """A store without any source: it has no sessions."""
    return Store([])


def open_store(
    machine: Machine,
    workspace: Path,
    names: Collection[str] | None,
    prices: Mapping[str, Override],
    *,
    everywhere: bool = False,
    recent: Recent | None = None,
    before: Store | None = None,
) -> Store:
    """The sessions of a workspace, from the sources with these names or from all.

    `prices` are the user's own, by model. `everywhere` adds other agents' sessions of all
    folders. With `recent`, most older sessions are left out. The buffers that are open in an
    editor are taken over from the store `before`.
    """
    store = machine.store(workspace, names, prices, everywhere=everywhere, recent=recent)
    if before is not None:
        store.edited = before.edited
    return store


def recent(since: datetime, session_id: str) -> Recent:
    """Selects sessions that were active since a moment, the newest one, and the named one."""
    return Recent(int(since.timestamp()) * 1000, session_id)


def active_since(machine: Machine, folder: Path, moment: datetime) -> list[Child]:
    """Other agents' sessions that worked in a folder, or below it, at or after a moment.

    Reads what is new in their transcripts first.
    """
    return machine.active_since(folder, moment)


def transcript_folders() -> list[Path]:
    """The folders in which agents keep transcripts; they need not exist."""
    return sources.folders(os.environ, settings.home())
