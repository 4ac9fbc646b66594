"""Keeps the sessions of one or more sources fresh: a refresh reads only what changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeAlias

from rad_lsp.core import problems
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session
from rad_lsp.store import snapshot
from rad_lsp.store.snapshot import Entry, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rad_lsp.sources import Source

_Found: TypeAlias = "dict[str, tuple[int, Entry | Problem]]"
"""What is known of a source's files, by name: the fingerprint, and what was read."""


class Store:
    """The sessions of `sources`, as of the last `refresh`."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = tuple(sources)
        self.snapshot = Snapshot()
        self._found: list[_Found] = [{} for _ in self.sources]

    def refresh(self, progress: Callable[[int], None] | None = None) -> Snapshot:
        """Look at every file, read those that changed, and return the new snapshot.

        `progress` is told the number of files read so far. A folder that can't be read is a
        skipped file of its own. The same snapshot comes back when nothing changed.
        """
        changed = False
        read = 0
        for number, source in enumerate(self.sources):
            before = self._found[number]
            found: _Found = {}
            try:
                for path in source.paths():
                    name = path.rpartition(os.sep)[2]
                    known = before.get(name)
                    if known is None or known[0] != source.fingerprint(path):
                        known = _read(source, path)
                        changed = True
                        read += 1
                        if progress:
                            progress(read)
                    if known is not None:
                        found[name] = known
            except OSError as error:
                reason = (error.strerror or type(error).__name__).lower()
                problem = Problem(problems.UNREADABLE, f"The folder can't be read: {reason}")
                changed |= before.get("", (0, None))[1] != problem
                found[""] = 0, problem
            changed |= len(found) != len(before)
            self._found[number] = found
        if changed:
            self.snapshot = snapshot.assemble(self._items())
        return self.snapshot

    def _items(self) -> Iterator[tuple[str, Entry | Problem]]:
        for source, found in zip(self.sources, self._found, strict=True):
            folder = str(source.folder)
            for name, (_, item) in found.items():
                yield f"{folder}{os.sep}{name}" if name else folder, item


def _read(source: Source, path: str) -> tuple[int, Entry | Problem] | None:
    reading = source.read(path)
    if reading is None:
        return None
    content = reading.content
    packed = snapshot.pack(content) if isinstance(content, Session) else content
    return reading.fingerprint, packed
