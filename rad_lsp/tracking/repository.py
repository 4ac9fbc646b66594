"""Where a repository lies, found by reading files: git itself would obey what its settings name."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

_LINE_BYTES: Final = 8192
_REFERENCES_BYTES: Final = 100_000_000
_OBJECT: Final = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")

# Opening a FIFO must not wait for a writer. Windows knows neither flag, but text mode.
_OPEN_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class GitFailed(Exception):
    """git gave no answer; `str()` is one line that says why."""


class NoRegularFile(OSError):
    """Something lies there that can't simply be read to its end, such as a FIFO."""


class Repository(msgspec.Struct, frozen=True):
    """The parts of a repository.

    `folder` is its git folder; `common` is the one that it shares with its other worktrees, or
    the same.
    """

    worktree: Path
    folder: Path
    common: Path

    def head(self) -> str | None:
        """The name of the commit that is checked out; None when files don't tell it."""
        seen = _first_line(self.folder / "HEAD")
        if seen.startswith("ref:"):
            seen = self._commit(seen.removeprefix("ref:").strip())
        # It is to be an argument of git's, so it must not look like an option.
        return seen if _OBJECT.fullmatch(seen) else None

    def _commit(self, reference: str) -> str:
        for folder in (self.folder, self.common):
            if found := _first_line(folder / reference):
                return found
        try:
            with opened(str(self.common / "packed-refs")) as file:
                if os.fstat(file.fileno()).st_size > _REFERENCES_BYTES:
                    return ""
                for line in iter(lambda: file.readline(_LINE_BYTES), b""):
                    name, _, packed = line.rstrip(b"\r\n").partition(b" ")
                    if packed == os.fsencode(reference):
                        return name.decode("ascii", "replace")
        except OSError:
            pass
        return ""


def find(folder: Path) -> Repository:
    """The repository of a folder: the nearest one upward.

    Raises GitFailed when there is none or it has no work tree, OSError when a folder on the way
    can't be read.
    """
    folder = folder.resolve()
    for candidate in (folder, *folder.parents):
        if repository := at(candidate):
            return repository
        if _is_git_folder(candidate):
            raise GitFailed(f"{candidate} is a bare repository or a git folder, without files")
    raise GitFailed(f"{folder} is in no git repository")


def at(worktree: Path) -> Repository | None:
    """The repository whose work tree begins at this very folder, if any.

    Raises GitFailed when a file named `.git` names no repository, OSError.
    """
    link = worktree / ".git"
    if link.is_file():
        target = _first_line(link).removeprefix("gitdir:").lstrip(" ")
        git_folder = worktree / target
        if not _is_git_folder(git_folder):
            raise GitFailed(f"{link} names {target or 'nothing'}, which is no git repository")
    elif _is_git_folder(link):
        git_folder = link
    else:
        return None
    return Repository(worktree, git_folder, _common(git_folder))


def opened(path: str) -> BinaryIO:
    """A regular file, open for reading. Raises OSError, of the kind NoRegularFile for a FIFO."""
    descriptor = os.open(path, _OPEN_FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NoRegularFile(f"{path} is no regular file")
    return open(descriptor, "rb")  # noqa: PTH123  (a descriptor is no path)


def _is_git_folder(folder: Path) -> bool:
    head = folder / "HEAD"
    if not (head.is_file() or head.is_symlink()):
        return False
    common = _common(folder)
    return (common / "objects").is_dir() and (common / "refs").is_dir()


def _common(git_folder: Path) -> Path:
    return git_folder / _first_line(git_folder / "commondir")


def _first_line(path: Path) -> str:
    """The file's first line as a name; empty when it can't be read."""
    try:
        with opened(str(path)) as file:
            return os.fsdecode(file.readline(_LINE_BYTES).rstrip(b"\r\n"))
    except (OSError, ValueError):
        return ""
