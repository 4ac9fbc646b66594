"""Vega-Lite for a page: what vl-convert brings along, without a network.

To put it together takes a second, so it is kept in the user's data folder, and is no file of ours.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from importlib import metadata
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from rad_lsp import atomic, places, settings
from rad_lsp.core.errors import ChartsMissing

if TYPE_CHECKING:
    from pathlib import Path

VEGA_LITE: Final = "6.4"
"""The version that the charts are written for."""

_FILE: Final = "vega.js"
_SNIPPET: Final = "Object.assign(window, { vega, vegaEmbed, vegaLite });"


def javascript() -> str:
    """A script that sets `vega`, `vegaLite` and `vegaEmbed`, with its licences.

    Raises ChartsMissing.
    """
    key = f"// vl-convert {_version()}, Vega-Lite {VEGA_LITE}"
    path = settings.data_folder() / _FILE
    found = _kept(path, key)
    if found is None:
        found = _made()
        _keep(path, key, found)
    notices = files(__package__).joinpath("notices.txt").read_text(encoding="utf-8")
    return f"/*\n{notices}*/\n{found}"


def _version() -> str:
    try:
        return metadata.version("vl-convert-python")
    except metadata.PackageNotFoundError:
        raise ChartsMissing from None


def _made() -> str:
    try:
        import vl_convert
    except ImportError:
        raise ChartsMissing from None
    # Its hundreds of short names stay within a function.
    return f"(() => {{\n{vl_convert.javascript_bundle(_SNIPPET, VEGA_LITE)}\n}})();"


def _kept(path: Path, key: str) -> str | None:
    """What was kept of these versions; None where it is not, or not as it was kept."""
    with suppress(OSError, UnicodeDecodeError):
        head, _, content = path.read_text(encoding="utf-8").partition("\n")
        if head == _head(key, content):
            return content
    return None


def _keep(path: Path, key: str, content: str) -> None:
    with suppress(OSError):
        places.make_folder(path.parent)
        kept = f"{_head(key, content)}\n{content}".encode()
        atomic.write(path, [kept], overwrite=True, sync=False)


def _head(key: str, content: str) -> str:
    return f"{key}, {sha256(content.encode()).hexdigest()}"
