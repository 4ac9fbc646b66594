"""Where files of ours lie: inside the folder that was meant, and readable by the user alone."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

from rad_lsp.core.errors import OutputNotWritable

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def outside(path: Path | str, folder: Path | str) -> Path | None:
    """Where a path really leads, if that is not in a folder; None if it is.

    Nothing need exist at the path. The folder itself may be reached through links.
    """
    real, home = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    if real.is_relative_to(home) or any(_is_same(one, home) for one in (real, *real.parents)):
        return None
    return real


def holds(folder: Path, path: Path) -> bool:
    """Whether a path names a place in a folder, wherever links may lead it."""
    named = Path(os.path.abspath(path))  # noqa: PTH100  (`a/../b` is `b` to who typed it)
    return any(_is_same(parent, folder) for parent in named.parents)


def check_inside(path: Path, folder: Path) -> None:
    """Raise OutputNotWritable where a link leads what is to be written out of a folder."""
    target = outside(path, folder)
    if target is not None:
        raise OutputNotWritable(str(path), f"a link leads to {target}, outside {folder}")


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for the user alone. Raises OSError.

    The umask, which may be that of a shared group, does not count. Another process may make it at
    the same time.
    """
    try:
        _make(path)
    except FileNotFoundError:
        make_folder(path.parent)
        _make(path)


def private_file(path: str, flags: int) -> int:
    """An `opener` of files that are made for the user alone."""
    return os.open(path, flags, FILE_MODE)


def set_mode(path: Path, mode: int) -> None:
    """Set permissions, unless the file system has none, as that of a USB stick."""
    with contextlib.suppress(OSError):
        path.chmod(mode)


def make_private(path: Path) -> None:
    """Take away what others may do with a file or a folder of ours.

    Where that is not possible, as with one of another user, it stays as it is.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return
    if mode & _OTHERS:
        set_mode(path, mode & ~_OTHERS)


def _is_same(one: Path, other: Path) -> bool:
    """Whether two paths are of one folder: letters' case may not count, or one is a mount."""
    try:
        return one.samefile(other)
    except OSError:
        return False


def _make(folder: Path) -> None:
    try:
        folder.mkdir(FOLDER_MODE)
    except FileExistsError:
        if not folder.is_dir():
            raise
    else:
        set_mode(folder, FOLDER_MODE)
