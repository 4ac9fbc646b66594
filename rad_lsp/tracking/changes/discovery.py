"""Finds the repository of a folder by git's rules, and what is checked out there.

Only files are read: git itself would obey the settings of what it finds.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from rad_lsp import repository
from rad_lsp.regular import open_regular
from rad_lsp.repository import Repository, first_line, named_folder

if TYPE_CHECKING:
    from pathlib import Path

_LINE_BYTES: Final = 8192
_PACKED_REFS_BYTES: Final = 100_000_000
_OBJECT: Final = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


class GitFailed(Exception):
    """git gave no answer; `str()` is one line that says why."""


def find(folder: Path) -> Repository:
    """The repository of a folder: the nearest one upward.

    Raises GitFailed when there is none or it has no work tree, OSError when a folder on the way
    can't be read.
    """
    folder = folder.resolve()
    if folder.is_symlink():  # Python 3.13 and newer return such a link instead of raising
        raise GitFailed(f"{folder} is a link that leads to itself")
    for candidate in (folder, *folder.parents):
        if found := at(candidate):
            return found
        if _is_git_folder(candidate):
            raise GitFailed(f"{candidate} is a bare repository or a git folder, without files")
    raise GitFailed(f"{folder} is in no git repository")


def at(root: Path) -> Repository | None:
    """The repository whose work tree begins at this very folder, if any.

    Raises GitFailed when a file named `.git` names no repository, OSError.
    """
    found = repository.at(root)
    if found is not None and _is_git_folder(found.folder):
        return found
    link = root / ".git"
    if link.is_file():
        named = named_folder(link) or "nothing"
        raise GitFailed(f"{link} names {named}, which is no git repository")
    return None


def head(found: Repository) -> str | None:
    """The name of the commit that is checked out; None when files don't tell it."""
    commit = first_line(found.folder / "HEAD")
    if commit.startswith("ref:"):
        commit = _commit_of(commit.removeprefix("ref:").strip(), found)
    # It becomes an argument of git's, so it must not look like an option.
    return commit if _OBJECT.fullmatch(commit) else None


def _commit_of(reference: str, found: Repository) -> str:
    for folder in (found.folder, found.common):
        if loose := first_line(folder / reference):
            return loose
    try:
        with open_regular(str(found.common / "packed-refs")) as file:
            if os.fstat(file.fileno()).st_size > _PACKED_REFS_BYTES:
                return ""
            for line in iter(lambda: file.readline(_LINE_BYTES), b""):
                commit, _, name = line.rstrip(b"\r\n").partition(b" ")
                if name == os.fsencode(reference):
                    return commit.decode("ascii", "replace")
    except OSError:
        pass
    return ""


def _is_git_folder(folder: Path) -> bool:
    """Whether git would take a folder for its own: by the same three entries as git."""
    link = folder / "HEAD"
    if not (link.is_file() or link.is_symlink()):
        return False
    shared = folder / first_line(folder / "commondir")
    return (shared / "objects").is_dir() and (shared / "refs").is_dir()
