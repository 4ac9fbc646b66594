"""Which folder is the workspace, and how that was found."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from rad_lsp import reports, repository
from rad_lsp.core.errors import RadError
from rad_lsp.sources.radium import FOLDER
from rad_lsp.store.names import as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VARIABLE: Final = "RADIUM_WORKSPACE"
MARKER: Final = ".radium"

init = reports.make_folder
"""Makes a folder a workspace."""


class Workspace(msgspec.Struct, frozen=True):
    """The folder whose sessions count, those of folders below it included.

    `found` tells how: it was named, `$RADIUM_WORKSPACE` names it, it is the nearest one from the
    current folder upward that has a `.radium` folder, or else the repository's, or the current
    one. `marked` tells whether it has a `.radium` folder; other agents work without.
    """

    root: Path
    found: Literal["named", "environment", "nearest", "repository", "current"]
    marked: bool = True

    @property
    def sessions(self) -> Path:
        """Where the reports lie; it need not exist."""
        return self.root / FOLDER


def find(named: Path | None, environ: Mapping[str, str], current: Path) -> Workspace:
    """The workspace: the named folder, else the environment's, else the nearest one upward.

    Raises RadError when the named folder does not exist.
    """
    if named is not None:
        root = _checked(named, f"--workspace names {named}")
        return Workspace(root, "named", _is_marked(root))
    if variable := environ.get(VARIABLE):
        root = _checked(Path(variable), f"${VARIABLE} names {variable}")
        return Workspace(root, "environment", _is_marked(root))
    if (found := nearest(current)) is not None:
        return Workspace(found, "nearest")
    if (tree := repository_root(current)) is not None:
        return Workspace(tree, "repository", marked=False)
    return Workspace(current, "current", marked=False)


def find_or_make(
    named: Path | None, environ: Mapping[str, str], current: Path
) -> tuple[Workspace, bool]:
    """The workspace, and whether it had to be made.

    It is made in the folder that is named, else in the environment's, else at the root of the
    current folder's repository, else in the current folder. Raises RadError when the folder does
    not exist or a link leads out of it, OSError when nothing can be made in it.
    """
    found = find(named, environ, current)
    if found.marked:
        return found, False
    init(found.root)
    return find(found.root, environ, current), True


def nearest(folder: Path) -> Path | None:
    """The folder, or the nearest one upward, that has a `.radium` folder in it."""
    for candidate in (folder, *folder.parents):
        if _is_marked(candidate):
            return candidate
    return None


def folders_of(workspace: Path) -> list[Path]:
    """The workspace, and its counterparts in the other worktrees of its repository."""
    found = repository.find(workspace)
    if found is None:
        return [workspace]
    below = workspace.relative_to(found.root)
    folders = [workspace]
    if found.common.name == ".git":
        folders.append(found.common.parent / below)
    try:
        links = list((found.common / "worktrees").iterdir())
    except OSError:
        links = []
    git_files = ((link, repository.first_line(link / "gitdir")) for link in links)
    folders += [(link / file).parent / below for link, file in git_files if file]
    return list(dict.fromkeys(folders))


def spellings(folders: Iterable[Path]) -> tuple[str, ...]:
    """How transcripts may write these folders: as they were called, and as they really are."""
    written = []
    for folder in folders:
        written += [str(folder.absolute()), os.path.realpath(folder)]
    return tuple(dict.fromkeys(map(as_text, written)))


def repository_root(folder: Path) -> Path | None:
    """The root of the work tree that a folder lies in."""
    found = repository.find(folder)
    return None if found is None else found.root


def _checked(root: Path, origin: str) -> Path:
    if not _is_folder(root):
        raise RadError(f"{origin}, which is not a folder. Name the workspace's root folder.")
    return root.absolute()


def _is_marked(root: Path) -> bool:
    return _is_folder(root / MARKER)


def _is_folder(path: Path) -> bool:
    """Whether a path is a folder that we may look at; `Path.is_dir` raises where we may not."""
    return os.path.isdir(path)  # noqa: PTH112
