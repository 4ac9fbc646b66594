"""A report's file: made once, then replaced whole, so that a reader never sees half of one."""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from typing import TYPE_CHECKING, Final

from rad_lsp.core.errors import OutputNotWritable, SessionExists, reason
from rad_lsp.sources.radium import FOLDER, SUFFIX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COMPACT_VARIABLE: Final = "RADIUM_COMPACT_SESSION_JSON"

_TRIES: Final = 20
_PAUSE: Final = 0.05
"""Seconds. Windows replaces no file that another program, such as a virus scanner, has open."""


class ReportFile:
    """The report of one session in a workspace, written as Radium does (session format)."""

    def __init__(self, workspace: Path, session_id: str) -> None:
        self.path = workspace / FOLDER / f"{session_id}{SUFFIX}"
        self._id = session_id

    def create(self, data: bytes) -> None:
        """Write the first report. Its folder is made where there is none.

        Raises SessionExists when the file is there already, OutputNotWritable.
        """
        try:
            temporary = self._written(data)
            try:
                _move_where_nothing_is(temporary, self.path)
            finally:
                temporary.unlink(missing_ok=True)
        except FileExistsError:
            # What is in the way may also be a file in the place of a folder.
            if not os.path.lexists(self.path):
                raise OutputNotWritable(str(self.path), "a file is where its folder is") from None
            raise SessionExists(self._id) from None
        except OSError as error:
            raise OutputNotWritable(str(self.path), reason(error)) from None

    def replace(self, data: bytes) -> None:
        """Write a newer report. Raises OSError, and leaves the old one then."""
        self._replace(data, sync=False)

    def finish(self, data: bytes) -> None:
        """Write the last report, and make sure that it outlives the computer's failing.

        Raises OSError.
        """
        for _ in range(_TRIES):
            with contextlib.suppress(PermissionError):
                return self._replace(data, sync=True)
            time.sleep(_PAUSE)
        return self._replace(data, sync=True)

    def _replace(self, data: bytes, *, sync: bool) -> None:
        temporary = self._written(data, sync=sync)
        try:
            temporary.replace(self.path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def _written(self, data: bytes, *, sync: bool = False) -> Path:
        temporary = self.path.with_name(f"{self.path.stem}.tmp.{uuid.uuid4()}")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(data)
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        return temporary


def compact(environ: Mapping[str, str]) -> bool:
    """Whether reports are to be written without indentation."""
    return environ.get(COMPACT_VARIABLE, "").lower() in {"true", "1"}


def _move_where_nothing_is(temporary: Path, target: Path) -> None:
    try:
        # A link fails where the target is there already; a rename would replace it.
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        with target.open("xb"):
            pass
        temporary.replace(target)
