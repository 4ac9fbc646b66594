"""The one door to the sessions, for the command line and the server.

The package itself has the questions about sessions and the writing of files. Its other modules are
imported by name: `workspaces` finds the folder, `sessions` opens what it has, `index` looks after
the index of transcripts, and `documents` reads a single report or transcript.
"""

from rad_lsp.pricing import Prices
from rad_lsp.service.outputs import stored, write
from rad_lsp.service.questions import (
    MAX_LIMIT,
    Page,
    StatusFigures,
    Sum,
    compare,
    cost,
    cost_rows,
    history,
    savings,
    session,
    spent_within,
    status,
    status_since,
    usage,
)
from rad_lsp.sources import NAMES as SOURCES
from rad_lsp.sources import RADIUM
from rad_lsp.store.snapshot import Entry, Snapshot, warned

__all__ = [
    "MAX_LIMIT",
    "RADIUM",
    "SOURCES",
    "Entry",
    "Page",
    "Prices",
    "Snapshot",
    "StatusFigures",
    "Sum",
    "compare",
    "cost",
    "cost_rows",
    "history",
    "savings",
    "session",
    "spent_within",
    "status",
    "status_since",
    "stored",
    "usage",
    "warned",
    "write",
]
