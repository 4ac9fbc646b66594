"""A session's report on disk, replaced whole so that a reader never sees half of one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from rad_lsp import atomic
from rad_lsp.core.errors import OutputNotWritable, SessionExists, reason
from rad_lsp.sources.radium import FOLDER, SUFFIX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

COMPACT_VARIABLE: Final = "RADIUM_COMPACT_SESSION_JSON"


class ReportFile:
    """The report of one session in a workspace, where Radium has it (session format)."""

    def __init__(self, workspace: Path, session_id: str) -> None:
        self.path = workspace / FOLDER / f"{session_id}{SUFFIX}"
        self._id = session_id

    def create(self, data: bytes) -> None:
        """Write the first report. Its folder is made where there is none.

        Raises SessionExists when the file is there already, OutputNotWritable.
        """
        try:
            self._write(data, overwrite=False, sync=False)
        except FileExistsError:
            # A file may also be in the place of the report's folder.
            if not os.path.lexists(self.path):
                raise OutputNotWritable(str(self.path), "a file is where its folder is") from None
            raise SessionExists(self._id) from None
        except OSError as error:
            raise OutputNotWritable(str(self.path), reason(error)) from None

    def replace(self, data: bytes, *, final: bool) -> None:
        """Write a newer report; the `final` one survives a failure of the computer.

        Raises OSError, and then leaves the old report.
        """
        self._write(data, overwrite=True, sync=final)

    def _write(self, data: bytes, *, overwrite: bool, sync: bool) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write(self.path, (data,), overwrite=overwrite, sync=sync)


def compact(environ: Mapping[str, str]) -> bool:
    """Whether reports are to be written without indentation."""
    return environ.get(COMPACT_VARIABLE, "").lower() in {"true", "1"}
