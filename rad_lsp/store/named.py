"""Which sessions of other agents count, by where their transcripts lie: in a folder named now.

A folder is named by its agent's environment variable, or is the agent's own where that is not set.
That is asked for each question and never stored: processes whose environments differ share the
index. A session counts, and then all of it, once one of its transcripts lies in a named folder,
whether the transcript is still there or not.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Final

from rad_lsp.store import seals
from rad_lsp.store.index import Damaged, from_column, to_column

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


class Folders:
    """The folders that an agent's transcripts are read from."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(map(str, folders))
        self._beginnings = tuple(folder + os.sep for folder in self._folders)
        self._known: dict[str, bool] = {}

    def __contains__(self, path: str) -> bool:
        """Whether a file lies below one of them, or is one, however its path is written."""
        if path.startswith(self._beginnings) or path in self._folders:
            return True
        return self._is_one(path.rpartition(os.sep)[0] or os.sep)

    def ranges(self) -> Iterator[tuple[str, str | bytes]]:
        """Where the paths lie, in their order, that are written as if outside the folders.

        Paths that are not Unicode come after all others, so they are among these.
        """
        end = ""
        for folder in sorted(self._folders):
            if isinstance(to_column(folder), str):
                if end <= folder:
                    yield end, folder + os.sep
                end = max(end, folder + chr(ord(os.sep) + 1))
        yield end, b"\xff"

    def _is_one(self, folder: str) -> bool:
        """Whether a folder is one of them, or lies below one, under another name, as of a link."""
        if folder not in self._known:
            parent = os.path.dirname(folder)  # noqa: PTH120
            is_one = _identity(folder) in self._identities
            self._known[folder] = is_one or (parent != folder and self._is_one(parent))
        return self._known[folder]

    @functools.cached_property
    def _identities(self) -> set[tuple[int, int]]:
        return {found for folder in self._folders if (found := _identity(folder))}


def unnamed(db: sqlite3.Connection, named: Mapping[str, Folders]) -> set[int]:
    """The numbers of the agents' sessions that don't count, by the folders of each agent.

    Raises Damaged.
    """
    outside: set[int] = set()
    inside: set[int] = set()
    for source, folders in named.items():
        for begin, end in folders.ranges():
            for session, *row in db.execute(_OUTSIDE, (source, begin, end)):
                if not seals.is_whole(tuple(row)):
                    raise Damaged("what is known of a file is not as it was stored")
                (inside if from_column(row[2]) in folders else outside).add(session)
    return outside - inside


def _identity(folder: str) -> tuple[int, int] | None:
    """What tells a folder from all others that are there; None where it is not."""
    try:
        status = os.stat(folder)  # noqa: PTH116  (there may be thousands)
    except OSError:
        return None
    return status.st_dev, status.st_ino


# All files of the sessions of which one file lies outside.
_OUTSIDE: Final = f"""
SELECT other.session, {", ".join(f"file.{column}" for column in seals.FILE.split(", "))},
    file.checksum
FROM file AS outer INDEXED BY file_path CROSS JOIN part ON part.file = outer.id
    CROSS JOIN part AS other ON other.session = part.session
    CROSS JOIN file ON file.id = other.file
WHERE outer.source = ? AND outer.path >= ? AND outer.path < ?
"""
