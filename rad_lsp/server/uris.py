"""The paths of URIs, and the URIs of paths."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from pygls.uris import to_fs_path

_FILE: Final = "file:"


def path_of(uri: str) -> str | None:
    """The path that a URI names; None when it names no file, or can't be a path.

    None also where the path would be another one than the URI means: of a URI that is relative,
    has a query or a fragment, is not UTF-8, or names another machine.
    """
    # Of what can't be printed, urlsplit drops some.
    if not uri.isprintable() or not uri.lower().startswith(_FILE):
        return None
    try:
        parts = urlsplit(uri)
        unquote(parts.path, errors="strict")
        path = to_fs_path(uri)
    except ValueError:
        return None
    elsewhere = parts.netloc and sys.platform != "win32"  # which has paths on other machines
    if parts.query or parts.fragment or elsewhere or not path or "\0" in path:
        return None
    return path if Path(path).is_absolute() else None


def uri_of(path: str) -> str:
    """The URI of a path, also of one that is not UTF-8."""
    return Path(path).absolute().as_uri()
