"""Opening the sessions: the user's index of transcripts, and the store of a workspace."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rad_lsp import settings, sources
from rad_lsp.store import snapshot
from rad_lsp.store.machine import Machine
from rad_lsp.store.query import Selection
from rad_lsp.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rad_lsp.core.period import Period
    from rad_lsp.core.session import Session

open_store = Store
"""Opens the sessions of a workspace."""

_NEVER = 2**62
"""Microseconds since the epoch that no session reaches."""


def open_machine() -> Machine:
    """The transcripts of this user's agents, and the index of them."""
    return Machine(os.environ, settings.home(), settings.data_folder())


def recent(within: Period, session_id: str) -> Selection:
    """Selects sessions that were active in a period, the newest one, and the named one.

    The others are not counted.
    """
    since = 0 if within.since is None else snapshot.microseconds(within.since)
    until = _NEVER if within.until is None else snapshot.microseconds(within.until)
    return Selection(since, until, session_id=session_id, counted=False)


def newest(count: int) -> Selection:
    """Selects the newest sessions."""
    return Selection(_NEVER, newest=count)


def titles(machine: Machine, sessions: Iterable[Session]) -> dict[str, str]:
    """The titles that agents keep of sessions, by id; those that have none are left out."""
    found = {session.id: machine.title(session) for session in sessions}
    return {session_id: title for session_id, title in found.items() if title}


def transcript_folders() -> list[Path]:
    """The folders in which agents keep transcripts; they need not exist."""
    return sources.folders(os.environ, settings.home())
