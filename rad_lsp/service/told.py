"""What the user has been told once, by any process, and is not told again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from typing import TYPE_CHECKING, Final

from rad_lsp import places

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import TypeAlias

    Things: TypeAlias = Sequence[Sequence[str]]

_FOLDER: Final = "told"
_SILENCED: Final = "silenced"
_KEPT: Final = 62 * 86_400
"""Seconds after which nothing is said of a period any more: the longest one is a month."""


class Told:
    """A record in the folder for the user's data: an empty file for each thing that was told.

    A file is made by one process only, however many try. Its name is a hash, so that it tells
    nothing of projects. What can't be kept on disk is told once by each process.

    Kinds of notices that the user wants no more are files of their names in another folder, which
    stay until the user deletes them.
    """

    def __init__(self, data: Path) -> None:
        self._folder = data / _FOLDER
        self._silenced = data / _SILENCED
        self._known: set[str] = set()
        self._unkept: set[str] = set()

    def claim(self, things: Things) -> bool:
        """Whether the first of some things is to be told now, by the caller; none is later.

        The others are those that need not be told beside the first one.
        """
        return [self._claim(thing) for thing in things][:1] == [True]

    def silence(self, kind: str) -> None:
        """Tell nothing of a kind from now on, in this process and all others."""
        try:
            places.make_folder(self._silenced)
            with open(self._silenced / kind, "ab", opener=places.private_file):
                pass
        except OSError:
            self._unkept.add(kind)

    def is_silenced(self, kind: str) -> bool:
        """Whether the user wants nothing of a kind any more."""
        return kind in self._unkept or (self._silenced / kind).exists()

    def _claim(self, thing: Sequence[str]) -> bool:
        name = hashlib.sha256("\0".join(thing).encode(errors="surrogatepass")).hexdigest()
        if name in self._known:
            return False
        self._known.add(name)
        try:
            self._make_folder()
            with open(self._folder / name, "xb", opener=places.private_file):
                pass
        except FileExistsError:
            return False
        except OSError:
            return True
        self._sweep()
        return True

    def _make_folder(self) -> None:
        try:
            places.make_folder(self._folder)
        except FileExistsError:  # something else lies there, so that nothing was recorded
            self._folder.unlink()
            places.make_folder(self._folder)

    def _sweep(self) -> None:
        """Remove what is of another time: long ago, or of when the clock was wrong."""
        now = time.time()
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if abs(now - entry.stat(follow_symlinks=False).st_mtime) > _KEPT:
                        os.unlink(entry.path)  # noqa: PTH108
