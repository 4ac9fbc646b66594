"""Ids of tracked sessions. Each is a file's name without its suffix, on every system."""

from __future__ import annotations

import re
import uuid
from typing import Final

from rad_lsp.core.errors import BadSessionId

LONGEST: Final = 128
"""Characters. A file's name may have 255, and other tools add to this one."""

_FORM: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_DEVICE: Final = r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?"
"""Names that are devices on Windows, whatever follows a dot."""


def new() -> str:
    """A new session's id: a random UUID, as in Radium."""
    return str(uuid.uuid4())


def check(session_id: str) -> None:
    """Raises BadSessionId for an id that no file may have on some system, or that is reserved."""
    if reason := _objection(session_id):
        raise BadSessionId(session_id, reason)


def _objection(session_id: str) -> str | None:
    if not session_id:
        return "it is empty"
    if len(session_id) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if not re.fullmatch(_FORM, session_id):
        return "it must be of ASCII letters, digits and . _ -, beginning with a letter or digit"
    if ".." in session_id or session_id.endswith("."):
        return "dots may neither follow each other nor end it"
    if re.fullmatch(_DEVICE, session_id):
        return "Windows takes it for a device"
    if session_id == "latest":
        return "it names the most recent session"
    return None
