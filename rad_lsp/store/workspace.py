"""Which folder is the workspace, and how that was found."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from rad_lsp.core.errors import NoWorkspace, RadError
from rad_lsp.sources.radium import FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE: Final = "RADIUM_WORKSPACE"
MARKER: Final = ".radium"


class Workspace(msgspec.Struct, frozen=True):
    """A folder with a `.radium` folder in it.

    `found` tells how: it was named, `$RADIUM_WORKSPACE` names it, or it is the nearest one from
    the current folder upward.
    """

    root: Path
    found: Literal["named", "environment", "nearest"]

    @property
    def sessions(self) -> Path:
        """Where the reports lie; it need not exist."""
        return self.root / FOLDER


def find(named: Path | None, environ: Mapping[str, str], current: Path) -> Workspace:
    """The workspace: the named folder, else the environment's, else the nearest one upward.

    Raises NoWorkspace when there is none, RadError when the named folder does not exist.
    """
    if named is not None:
        return Workspace(_checked(named, f"--workspace names {named}"), "named")
    if variable := environ.get(VARIABLE):
        root = _checked(Path(variable), f"${VARIABLE} names {variable}")
        return Workspace(root, "environment")
    found = nearest(current)
    if found is None:
        raise NoWorkspace
    return Workspace(found, "nearest")


def nearest(folder: Path) -> Path | None:
    """The folder, or the nearest one upward, that has a `.radium` folder in it."""
    for candidate in (folder, *folder.parents):
        if _is_folder(candidate / MARKER):
            return candidate
    return None


def init(root: Path) -> bool:
    """Make the folder for reports below `root`; False when it was there. Raises OSError."""
    folder = root / FOLDER
    if folder.is_dir():
        return False
    folder.mkdir(parents=True)
    return True


def _checked(root: Path, origin: str) -> Path:
    if not _is_folder(root):
        raise RadError(f"{origin}, which is not a folder. Name the workspace's root folder.")
    if not _is_folder(root / MARKER):
        raise NoWorkspace
    return root.absolute()


def _is_folder(path: Path) -> bool:
    """Whether a path is a folder that we may look at; `Path.is_dir` raises where we may not."""
    return os.path.isdir(path)  # noqa: PTH112
