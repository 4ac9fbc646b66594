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
    from collections.abc import Callable, Collection, Iterator, Sequence

    from rad_lsp.sources import Source

_Found: TypeAlias = "dict[str, tuple[int, Entry | Problem]]"
"""What is known of a source's files, by name: the fingerprint, and what was read."""


class Store:
    """The sessions of `sources`, as of the last `refresh`.

    Its methods must not run at the same time; the snapshots that they return may be used anywhere.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = tuple(sources)
        self.snapshot = Snapshot()
        self._found: list[_Found] = [{} for _ in self.sources]
        self._edited: dict[str, Entry | Problem] = {}

    def refresh(
        self, paths: Collection[str] | None = None, progress: Callable[[int], None] | None = None
    ) -> Snapshot:
        """Read what changed, and return the new snapshot; the same one when nothing did.

        Looks at every file, or only at `paths`. `progress` is told the number of files read so
        far. A folder that can't be read is a skipped file of its own.
        """
        changed = False
        read = 0
        for number, source in enumerate(self.sources):
            before = self._found[number]
            found: _Found = {} if paths is None else dict(before)
            listed, problem = _list(source) if paths is None else (_within(source, paths), None)
            for path in listed:
                name = path.rpartition(os.sep)[2]
                known = before.get(name)
                if known is None or known[0] != source.fingerprint(path):
                    known = _read(source, path)
                    changed = True
                    read += 1
                    if progress:
                        progress(read)
                if known is None:
                    found.pop(name, None)
                else:
                    found[name] = known
            if problem is not None:
                changed |= before.get("", (0, None))[1] != problem
                found[""] = 0, problem
            changed |= len(found) != len(before)
            self._found[number] = found
        if changed:
            self._assemble()
        return self.snapshot

    def edit(self, path: str, content: Session | Problem | None) -> Snapshot:
        """Let an open buffer win over the file at `path`, or no longer when `content` is None.

        While the buffer can't be read, its last good session counts, else that of the file.
        """
        if content is None:
            self._edited.pop(path, None)
        elif isinstance(content, Session):
            self._edited[path] = snapshot.pack(content)
        elif not isinstance(self._edited.get(path), Entry):
            folder, _, name = path.rpartition(os.sep)
            for source, found in zip(self.sources, self._found, strict=True):
                if str(source.folder) == folder:
                    self._edited[path] = found.get(name, (0, content))[1]
        self._assemble()
        return self.snapshot

    def _assemble(self) -> None:
        self.snapshot = snapshot.assemble(self._items())

    def _items(self) -> Iterator[tuple[str, Entry | Problem]]:
        for source, found in zip(self.sources, self._found, strict=True):
            folder = str(source.folder)
            for name, (_, item) in found.items():
                path = f"{folder}{os.sep}{name}" if name else folder
                yield path, self._edited.get(path, item)


def _list(source: Source) -> tuple[list[str], Problem | None]:
    """The files of a source, and what keeps them from being listed."""
    try:
        return list(source.paths()), None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        return [], Problem(problems.UNREADABLE, f"The folder can't be read: {reason}")


def _within(source: Source, paths: Collection[str]) -> list[str]:
    folder = str(source.folder)
    return [path for path in paths if path.rpartition(os.sep)[0] == folder]


def _read(source: Source, path: str) -> tuple[int, Entry | Problem] | None:
    reading = source.read(path)
    if reading is None:
        return None
    content = reading.content
    packed = snapshot.pack(content) if isinstance(content, Session) else content
    return reading.fingerprint, packed
