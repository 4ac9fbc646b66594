"""Temporary files and folders that the next start removes when their process was killed.

Each has a lock that the system releases when its process ends, however it ends. A process id would
not tell: it may be used again, and means another process in a container.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from rad_lsp import places
from rad_lsp.regular import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOCK: Final = ".rad.lock"
"""The file in a temporary folder that is locked as long as the folder is used."""

_FILE: Final = re.compile(r"\.rad\.tmp\.[0-9a-f]{32}")
_FOLDER: Final = re.compile(r"rad-lsp-(?:demo|git|session)-\w{8}")

_SWEEP: Final = 3.0
"""Seconds that a sweep takes at most. What it leaves, the next start removes."""

_OLD: Final = 3600.0
"""Seconds after which nobody still writes a file, where it can't be locked."""

_swept: set[tuple[str, str]] = set()


@contextlib.contextmanager
def file(folder: Path) -> Iterator[Path]:
    """An empty file in a folder, which is removed unless it has been moved. Raises OSError."""
    _sweep(folder, _FILE, _remove_file)
    # A name of its own, because that of the target may be as long as a name can be. Radium's
    # temporary files, too, have `.tmp.` in their names and do not end in `.json`.
    path = folder / f".rad.tmp.{os.urandom(16).hex()}"
    try:
        with _made(path) as made:
            if sys.platform == "win32":  # which moves no file that is open
                made.close()
            yield path
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def folder(purpose: str, parent: Path | None = None) -> Iterator[Path]:
    """A folder that only the user may read, and that is removed.

    It is made in `parent`, by default in the system's folder for temporary files. `purpose` is
    `demo`, `git` or `session`. Raises OSError.
    """
    import tempfile  # slow to load

    parent = Path(tempfile.gettempdir()) if parent is None else parent
    _sweep(parent, _FOLDER, _remove_folder)
    while True:
        path = Path(tempfile.mkdtemp(prefix=f"rad-lsp-{purpose}-", dir=parent)).resolve()
        try:
            lock = _made(path / LOCK)
        except FileNotFoundError:  # another process took it for nobody's
            continue
        break
    process = os.getpid()
    try:
        yield path
    finally:
        if os.getpid() == process:  # not in a fork of it
            lock.close()
            _clear(str(path))


def _sweep(parent: Path, names: re.Pattern[str], remove: Callable[[str], None]) -> None:
    """Remove what killed processes of this user have left in a folder, once per process.

    Links are not followed. What can't be removed stays.
    """
    key = (str(parent), names.pattern)
    if key in _swept:
        return
    _swept.add(key)
    deadline = time.monotonic() + _SWEEP
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if names.fullmatch(entry.name):
                if time.monotonic() > deadline:
                    return
                with contextlib.suppress(OSError):
                    remove(entry.path)


def _remove_file(path: str) -> None:
    status = os.lstat(path)
    if not (stat.S_ISREG(status.st_mode) and _is_own(status)):
        return
    if sys.platform == "win32":
        # It is not open between being written and being moved. An open one can't be removed.
        if time.time() - status.st_mtime > _OLD:
            os.unlink(path)  # noqa: PTH108
        return
    with open_regular(path) as held:
        _lock(held, wait=False)
        os.unlink(path)  # noqa: PTH108


def _remove_folder(path: str) -> None:
    status = os.lstat(path)
    if not (stat.S_ISDIR(status.st_mode) and _is_own(status)):
        return
    try:
        lock = open_regular(f"{path}{os.sep}{LOCK}")
    except FileNotFoundError:
        os.rmdir(path)  # noqa: PTH106  (what is not empty is not ours)
        return
    with lock:
        _lock(lock, wait=False)
        if sys.platform == "win32":
            lock.close()
        _clear(path)


def _clear(path: str) -> None:
    """Remove a folder. Its lock goes last: until then the next start knows it for ours."""
    import shutil

    lock = f"{path}{os.sep}{LOCK}"
    with contextlib.suppress(OSError), os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            elif entry.path != lock:
                # On Windows, a file that another process still has open can't be removed.
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)  # noqa: PTH108
    with contextlib.suppress(OSError):
        if os.listdir(path) == [LOCK]:  # noqa: PTH208
            os.unlink(lock)  # noqa: PTH108
            os.rmdir(path)  # noqa: PTH106


def _is_own(status: os.stat_result) -> bool:
    return sys.platform == "win32" or status.st_uid == os.geteuid()


def _made(path: Path) -> BinaryIO:
    """A new file, open and locked, that only the user may read. Raises OSError."""
    while True:
        made = open(path, "xb", opener=places.private_file)  # noqa: SIM115  (it is returned open)
        # On a file system without locks, nobody can lock it in order to remove it.
        with contextlib.suppress(OSError):
            _lock(made, wait=True)
        if path.exists():
            return made
        made.close()  # a sweep came in between


def _lock(file: BinaryIO, *, wait: bool) -> None:
    """Lock a file until it is closed. Raises OSError, where another process has it locked."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
