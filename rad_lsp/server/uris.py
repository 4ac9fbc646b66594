"""The paths of URIs, and the URIs of paths."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

from rad_lsp.core import paths

_DRIVE: Final = re.compile(r"/([A-Za-z]:)(.*)", re.DOTALL)


def path_of(uri: str) -> str | None:
    """The path that a URI names; None when it names no file of this system.

    Any bytes are a path where the system has such names. A drive's letter is a capital, as
    Windows itself writes it, since VS Code sends a small one. A URI that is relative, or has a
    query or a fragment, would be taken for another path than it means.
    """
    if not uri.isprintable():  # of what can't be printed, urlsplit drops some
        return None
    try:
        parts = urlsplit(uri)
        host, path = (os.fsdecode(unquote_to_bytes(part)) for part in (parts.netloc, parts.path))
    except ValueError:
        return None
    is_file = parts.scheme == "file" and not (parts.query or parts.fragment)
    if not is_file or not path.startswith("/") or "\0" in host + path:
        return None
    if host.lower() == "localhost":
        host = ""
    if paths.SYSTEM != "win32":
        return None if host else path
    if host:
        path = f"//{host}{path}"
    elif drive := _DRIVE.fullmatch(path):
        path = f"{drive[1].upper()}{drive[2]}"
    return path.replace("/", "\\")


def uri_of(path: str) -> str:
    """The URI of a file, whatever bytes its path is of."""
    return Path(path).absolute().as_uri()
