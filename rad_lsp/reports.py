"""The folder of a workspace in which reports lie."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from rad_lsp import atomic, places
from rad_lsp.sources.radium import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

_IGNORED: Final = b"# Reports of sessions are about this computer alone.\n_internals/\n"


def make_folder(workspace: Path) -> bool:
    """Make a workspace's folder for reports, which git ignores; False when it was there.

    A `.gitignore` that is there stays as it is. Raises OSError, and OutputNotWritable where a link
    leads out of the workspace.
    """
    folder = workspace / FOLDER
    places.check_inside(folder, workspace)
    if folder.is_dir():
        return False
    workspace.mkdir(parents=True, exist_ok=True)
    places.make_folder(folder)
    with contextlib.suppress(FileExistsError):
        ignore = workspace / FOLDER.parts[0] / ".gitignore"
        atomic.write(ignore, (_IGNORED,), overwrite=False, sync=False)
    return True
