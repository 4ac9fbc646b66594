"""Opening the sessions: the user's index of transcripts, and the store of a workspace."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rad_lsp import settings, sources
from rad_lsp.store.machine import Machine
from rad_lsp.store.query import Selection
from rad_lsp.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from pathlib import Path

    from rad_lsp.core.price import Override
    from rad_lsp.core.session import Child
    from rad_lsp.core.spending import PriceList

__all__ = [
    "Machine",
    "Selection",
    "Store",
    "active_since",
    "close",
    "keep_open",
    "newest",
    "not_on_disk",
    "notice",
    "open_machine",
    "open_store",
    "prices",
    "recent",
    "transcript_folders",
]


_NEVER = 2**62
"""Microseconds since the epoch that no session reaches."""


def open_machine() -> Machine:
    """The transcripts of this user's agents, and the index of them."""
    return Machine(os.environ, settings.home(), settings.data_folder())


def close(machine: Machine) -> None:
    """Close the index.

    The last process to do so folds recent changes into it; otherwise the next one must.
    """
    machine.close()


def prices(machine: Machine, own: Mapping[str, Override]) -> PriceList:
    """The user's `own` prices, then those of the price list, which is loaded only when needed."""
    return machine.prices(own)


def keep_open(machine: Machine) -> None:
    """Let `close` do nothing, because a thread that is not waited for still uses the index."""
    machine.index.abandoned = True


def not_on_disk(machine: Machine) -> str:
    """Why the index is kept in memory only; empty when it is on disk."""
    return machine.index.trouble


def notice(machine: Machine) -> str:
    """What happened to the index that was there, to be said once; empty when nothing did."""
    return machine.index.notice


def open_store(
    machine: Machine,
    workspace: Path,
    names: Collection[str] | None,
    prices: Mapping[str, Override],
    *,
    everywhere: bool = False,
    selection: Selection | None = None,
    before: Store | None = None,
) -> Store:
    """The sessions of a workspace, from the sources with these names or from all.

    `prices` are the user's own, by model. `everywhere` adds other agents' sessions of all
    folders. With a `selection`, most other sessions are left out. The buffers that are open in an
    editor are taken over from the store `before`.
    """
    store = Store(machine, workspace, names, prices, everywhere=everywhere, selection=selection)
    if before is not None:
        store.edited = before.edited
    return store


def recent(since: datetime, session_id: str) -> Selection:
    """Selects sessions that were active since a moment, the newest one, and the named one."""
    return Selection(int(since.timestamp()) * 1_000_000, session_id=session_id)


def newest(count: int) -> Selection:
    """Selects the newest sessions."""
    return Selection(_NEVER, count)


def active_since(machine: Machine, folder: Path, moment: datetime) -> list[Child]:
    """Other agents' sessions that worked in a folder, or below it, at or after a moment.

    Reads what is new in their transcripts first.
    """
    return machine.active_since(folder, moment)


def transcript_folders() -> list[Path]:
    """The folders in which agents keep transcripts; they need not exist."""
    return sources.folders(os.environ, settings.home())
