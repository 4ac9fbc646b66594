"""Which git repository a folder belongs to, found by reading files: no git program is needed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from rad_lsp.core.paths import is_remote
from rad_lsp.regular import open_regular

_LINE_BYTES: Final = 8192


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
    is for a relative path, because nobody knows from where it leads on, and for a folder of
    another machine. The folder need not exist; what remains of its path then tells.
    """
    if not Path(folder).is_absolute() or is_remote(folder):
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
    named = first_line(link).removeprefix("gitdir:").strip(" ")
    return "" if is_remote(named) else named


def first_line(path: Path) -> str:
    """The first line of one of git's files, as a path; empty when there is none to follow."""
    try:
        with open_regular(str(path)) as file:
            line = os.fsdecode(file.readline(_LINE_BYTES).rstrip(b"\r\n"))
    except (OSError, ValueError):
        return ""
    return "" if "\0" in line or is_remote(line) else line
