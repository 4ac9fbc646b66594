"""Files that are written whole or not at all, so that a reader never sees half of one."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rad_lsp import places, temporary

if TYPE_CHECKING:
    from collections.abc import Iterable

_TRIES: Final = 20
_PAUSE: Final = 0.05
"""Seconds. Windows replaces no file that another program, such as a virus scanner, has open."""


def write(path: Path, chunks: Iterable[bytes], *, overwrite: bool, sync: bool = True) -> int:
    """Write a file beside its place and move it there; returns its size in bytes.

    A symbolic link is followed, and goes on to point where it did. Only the user may read the
    file, whatever the umask; one that is overwritten hands on what not even the user may do. With
    `sync` the content is on the disk before it is moved, and so survives a failure of the computer.

    Raises FileExistsError unless `overwrite`, when something is there or comes to be there in
    the meantime; OSError, ValueError for a name that no file may have, and what `chunks` raises.
    It then leaves the old file as it was and no other behind.
    """
    if not overwrite and os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    target = Path(os.path.realpath(path))
    size = 0
    with temporary.file(target.parent) as part:
        with part.open("wb") as file:
            for chunk in chunks:
                size += file.write(chunk)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        mode = places.FILE_MODE
        if overwrite and target.exists():
            mode &= target.stat().st_mode
        places.set_mode(part, mode)
        if overwrite:
            _replace(part, target)
        else:
            _move_to_free_place(part, target)
    return size


def _replace(part: Path, target: Path) -> None:
    for _ in range(_TRIES):
        with contextlib.suppress(PermissionError):
            part.replace(target)
            return
        time.sleep(_PAUSE)
    part.replace(target)


def _move_to_free_place(part: Path, target: Path) -> None:
    try:
        # A link fails where the target is there already; a rename would replace it.
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        with open(target, "xb", opener=places.private_file):
            pass
        try:
            _replace(part, target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
