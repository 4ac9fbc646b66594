"""Which git repository a folder belongs to, found by reading files: no git program is needed."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

_LINE_BYTES: Final = 8192

# Opening a FIFO must not wait for a writer. Windows knows neither flag, but text mode.
OPEN_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class NotRegularFile(OSError):
    """Something lies there that can't simply be read to its end, such as a FIFO."""


class Repository(msgspec.Struct, frozen=True):
    """A work tree and its git folders.

    `root` is the work tree's topmost folder and `folder` its git folder. `common` is the git
    folder that all work trees of the repository share; it is `folder` itself, but in a linked
    worktree.
    """

    root: Path
    folder: Path
    common: Path


def find(folder: Path) -> Repository | None:
    """The repository whose work tree a folder lies in, the nearest one upward; None without one."""
    for root in (folder, *folder.parents):
        if (found := at(root)) is not None:
            return found
    return None


def at(root: Path) -> Repository | None:
    """The repository whose work tree begins at this very folder, if any.

    Whatever is named `.git` there is taken for it: a folder, or a file that names one.
    """
    folder = root / ".git"
    if not os.path.isdir(folder):  # noqa: PTH112  (`is_dir` raises where we may not look)
        target = named_folder(folder)
        if not target:
            return None
        folder = Path(os.path.realpath(root / target))
    shared = first_line(folder / "commondir")
    return Repository(root, folder, Path(os.path.realpath(folder / shared)) if shared else folder)


def project_of(folder: str) -> str:
    """The root of the main work tree of the repository that a folder lies in.

    It is the same for all worktrees of the repository. A bare repository has no main work tree,
    and its own folder stands for it. Without a repository it is the folder as given, and so it
    is for a relative path, because nobody knows from where it leads on. The folder need not
    exist; what remains of its path then tells.
    """
    if not Path(folder).is_absolute():
        return folder
    try:
        found = find(Path(os.path.realpath(folder)))
    except (OSError, ValueError):  # a path that the system can't have
        return folder
    if found is None:
        return folder
    if found.common.name == ".git":
        return str(found.common.parent)
    return str(found.root if found.folder == found.common else found.common)


def named_folder(link: Path) -> str:
    """The git folder that a file named `.git` names, maybe relative to it; empty without one."""
    return first_line(link).removeprefix("gitdir:").strip(" ")


def first_line(path: Path) -> str:
    """The first line of one of git's files, as a path; empty when there is none to read."""
    try:
        with open_regular(str(path)) as file:
            line = os.fsdecode(file.readline(_LINE_BYTES).rstrip(b"\r\n"))
    except (OSError, ValueError):
        return ""
    return "" if "\0" in line else line


def open_regular(path: str) -> BinaryIO:
    """A regular file, open for reading. Raises OSError; NotRegularFile for a FIFO, for example."""
    descriptor = os.open(path, OPEN_FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegularFile(f"{path} is no regular file")
    return open(descriptor, "rb")  # noqa: PTH123  (a descriptor is no path)
