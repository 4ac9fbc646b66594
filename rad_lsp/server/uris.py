"""URIs of files as paths, whatever a client sends."""

from __future__ import annotations

from pygls.uris import to_fs_path


def path_of(uri: str) -> str | None:
    """The path of a file's URI; None when it is no file's, or no path."""
    try:
        path = to_fs_path(uri)
    except ValueError:
        return None
    return path if path and "\0" not in path else None
