"""Sessions of other folders, which are found by their id wherever a command is run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from rad_lsp.core.errors import NoSessions, SessionNotFound
from rad_lsp.sources import RADIUM
from rad_lsp.store import query
from rad_lsp.store.snapshot import ambiguous, is_position
from rad_lsp.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from rad_lsp.core.price import Override
    from rad_lsp.store.machine import Machine
    from rad_lsp.store.snapshot import Entry, Snapshot


def including(
    snapshot: Snapshot,
    references: Iterable[str],
    machine: Machine,
    workspace: Path,
    sources: Collection[str] | None,
    prices: Mapping[str, Override],
) -> Snapshot:
    """A snapshot that also has the sessions of other folders which are named by references.

    They are no part of its sums. A session of the workspace itself comes first. The transcripts
    have been read just before. Raises SessionAmbiguous, and SessionNotFound where other folders
    have sessions, but none of that name.
    """
    for reference in references:
        try:
            snapshot.named(reference)
        except (NoSessions, SessionNotFound) as error:
            if is_position(reference):
                continue
            everywhere = Store(machine, workspace, sources, prices, everywhere=True).recall()
            found = _named(everywhere, reference)
            if sources is None or RADIUM in sources:
                found += _reports(machine, workspace, reference)
            entries = {(entry.source, entry.file): entry for entry in found}
            if len(entries) > 1:
                raise ambiguous(reference, found) from None
            if found:
                snapshot = replace(snapshot, by_id={**snapshot.by_id, reference: found[0]})
            elif everywhere.entries and not error.data.get("candidates"):
                _refuse(everywhere, reference, is_alone=not snapshot.entries)
    return snapshot


def _refuse(everywhere: Snapshot, reference: str, *, is_alone: bool) -> None:
    """Raise SessionNotFound; `is_alone` tells that the workspace itself has no sessions."""
    try:
        everywhere.named(reference)
    except SessionNotFound as error:
        count = len(everywhere.entries) if is_alone else 0
        raise SessionNotFound(reference, error.candidates, count) from None


def _reports(machine: Machine, workspace: Path, reference: str) -> list[Entry]:
    """The reports of other workspaces that a reference names, as far as they were ever read."""
    prefix = reference.removesuffix("...")
    connection = machine.index.connection
    found = machine.guarded(lambda: query.workspaces(connection, prefix)) if prefix else []
    folders = [Path(folder) for folder in found if os.path.isdir(folder)]  # noqa: PTH112
    snapshots = (Store(machine, one, [RADIUM]).refresh() for one in folders if one != workspace)
    return [entry for snapshot in snapshots for entry in _named(snapshot, reference)]


def _named(snapshot: Snapshot, reference: str) -> list[Entry]:
    try:
        return [snapshot.named(reference)]
    except (NoSessions, SessionNotFound):
        return []
