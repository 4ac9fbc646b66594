"""Reports as they are stored, and files that the user asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rad_lsp import atomic
from rad_lsp.core.errors import OutputExists, OutputNotWritable, SessionUnreadable, reason
from rad_lsp.core.problems import Problem
from rad_lsp.sources import RADIUM, radium

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rad_lsp.core.session import Session


def stored(session: Session) -> bytes:
    """The session's report as it is stored now, in valid JSON. Raises SessionUnreadable.

    A session of another agent as it would be stored.
    """
    from rad_lsp.core import report

    if session.source != RADIUM:
        return report.encode(report.of(session))
    reading = radium.read_bytes(session.path)
    if reading is None:
        raise SessionUnreadable(session.path, "it has been deleted")
    data = reading[1]
    found = data if isinstance(data, Problem) else report.read(data)
    if isinstance(found, Problem):
        raise SessionUnreadable(session.path, found.reason)
    return cast("bytes", data)


def write(path: Path, chunks: Iterable[bytes], *, overwrite: bool) -> int:
    """Write an output whole or not at all; returns its size in bytes. A link is followed.

    Raises OutputExists, OutputNotWritable, and what `chunks` raises.
    """
    name = str(path)
    try:
        if path.is_dir():
            raise OutputNotWritable(name, "it is a folder")
        if overwrite and path.exists() and not path.is_file():
            raise OutputNotWritable(name, "it is not a regular file")
        return atomic.write(path, chunks, overwrite=overwrite)
    except FileExistsError:
        raise OutputExists(name) from None
    except FileNotFoundError:
        folder = Path(os.path.realpath(path)).parent
        raise OutputNotWritable(name, f"the folder {folder} does not exist") from None
    except OSError as error:
        raise OutputNotWritable(name, reason(error)) from None
    except ValueError:
        raise OutputNotWritable(name, "no file may have such a name") from None
