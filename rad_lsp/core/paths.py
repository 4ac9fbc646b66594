"""When two spellings of a path are one, by the rules of the system that it is from.

Agents and editors write the paths of Windows in different ways: with either slash, with small or
capital letters, with or without a prefix. Nothing here looks at the file system.
"""

from __future__ import annotations

import ntpath
import sys

SYSTEM: str = sys.platform
"""The system whose paths this machine has, as `sys.platform` names it."""

_VERBATIM = "\\\\?\\"
_VERBATIM_UNC = "\\\\?\\UNC\\"
_WSL = ("wsl$", "wsl.localhost")


def folder_key(path: str) -> str:
    """What a folder of this machine is compared by, with `/` between names; not to be shown.

    Windows and macOS tell no names apart by their case, and macOS none by how accents are
    encoded. (Either can have a folder that does; sessions in `App` and `app` are then one
    project's.)
    """
    if SYSTEM == "win32":
        return ntpath.normcase(_plain(path)).replace("\\", "/")
    if SYSTEM == "darwin":
        if not path.isascii():
            import unicodedata

            path = unicodedata.normalize("NFC", path)
        return path.lower()
    return path


def file_key(folder: str, path: str) -> str:
    """What a file that may be relative to a folder is compared by, wherever the session ran."""
    # Windows' rules join paths of either kind of system.
    whole = ntpath.normpath(ntpath.join(_plain(folder), _plain(path)))
    if ntpath.splitdrive(whole)[0]:
        whole = ntpath.normcase(whole)
    return whole.replace("\\", "/")


def is_remote(path: str) -> bool:
    """Whether looking at a path would reach another machine.

    Windows signs in at the machine that a path such as `//host/share` names, so such a path must
    not be followed only because a file says it. The folders of WSL are this machine's.
    """
    if SYSTEM != "win32":
        return False
    plain = _plain(path).replace("/", "\\")
    return plain.startswith("\\\\") and plain[2:].partition("\\")[0].lower() not in _WSL


def _plain(path: str) -> str:
    """A path without the prefix by which Windows takes it literally."""
    if path.startswith(_VERBATIM_UNC):
        return f"\\\\{path.removeprefix(_VERBATIM_UNC)}"
    return path.removeprefix(_VERBATIM)
