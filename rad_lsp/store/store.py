"""Keeps the sessions of one or more sources fresh: a refresh reads only what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rad_lsp.core import problems
from rad_lsp.core.problems import Problem
from rad_lsp.core.session import Session
from rad_lsp.store import snapshot
from rad_lsp.store.snapshot import Entry, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rad_lsp.sources import Source


class Store:
    """The sessions of `sources`, as of the last `refresh`."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = tuple(sources)
        self.snapshot = Snapshot()
        self._found: dict[str, tuple[int, Entry | Problem]] = {}

    def refresh(self, progress: Callable[[int], None] | None = None) -> Snapshot:
        """Look at every file, read those that changed, and return the new snapshot.

        `progress` is told the number of files read so far. A folder that can't be read is a
        skipped file of its own. The same snapshot comes back when nothing changed.
        """
        found: dict[str, tuple[int, Entry | Problem]] = {}
        changed = False
        read = 0
        for source in self.sources:
            try:
                for path in source.paths():
                    known = self._found.get(path)
                    if known is None or known[0] != source.fingerprint(path):
                        known = _read(source, path)
                        changed = True
                        read += 1
                        if progress:
                            progress(read)
                    if known is not None:
                        found[path] = known
            except OSError as error:
                folder = str(source.folder)
                reason = (error.strerror or type(error).__name__).lower()
                problem = Problem(problems.UNREADABLE, f"The folder can't be read: {reason}")
                changed |= self._found.get(folder, (0, None))[1] != problem
                found[folder] = 0, problem
        if changed or len(found) != len(self._found):
            self._found = found
            self.snapshot = snapshot.assemble((path, item) for path, (_, item) in found.items())
        return self.snapshot


def _read(source: Source, path: str) -> tuple[int, Entry | Problem] | None:
    reading = source.read(path)
    if reading is None:
        return None
    content = reading.content
    packed = snapshot.pack(content) if isinstance(content, Session) else content
    return reading.fingerprint, packed
