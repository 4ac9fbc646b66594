"""The report page: one HTML file that runs its own script and asks for nothing."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import secrets
from functools import cache
from importlib.resources import files
from typing import Any, Final

from rad_lsp.core.wording import printable

_HOLE: Final = re.compile(r"\{\{(\w+)\}\}")
_LARGE: Final = 100_000
"""Characters of data from which on they are compressed."""

_LEVEL: Final = 6


def title(scope: str) -> str:
    """What the page of some sessions is called."""
    return f"Sessions: {scope}"


def page(data: str, title: str, vega: str) -> str:
    """The page that shows some data, which are JSON; `vega` is the script of `bundle`."""
    encoding, block = _packed(data)
    holes = {
        "nonce": secrets.token_urlsafe(16),
        "title": html.escape(printable(title)),
        "style": part("report.css"),
        "charts": _in_json(json.dumps({"theme": theme(), "charts": charts()})),
        "encoding": encoding,
        "data": block,
        "bundle": _in_script(vega),
        "script": _in_script(part("report.js")),
    }
    # In one pass: what is put in may look like a hole.
    return _HOLE.sub(lambda hole: holes[hole[1]], part("template.html"))


@cache
def part(name: str) -> str:
    """One of the files that the page is made of."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def charts() -> dict[str, dict[str, Any]]:
    """The Vega-Lite specification of each chart, by its name."""
    folder = files(__package__).joinpath("charts")
    found = sorted(folder.iterdir(), key=lambda file: file.name)
    return {
        file.name.removesuffix(".json"): json.loads(file.read_text(encoding="utf-8"))
        for file in found
        if file.name.endswith(".json")
    }


def theme() -> dict[str, object]:
    """The colours and fonts of charts, by `light` and `dark`."""
    found: dict[str, object] = json.loads(part("theme.json"))
    return found


def _packed(data: str) -> tuple[str, str]:
    """How data are written, and so that nothing in them ends their element."""
    if len(data) < _LARGE:
        return "plain", _in_json(data)
    return "gzip", base64.b64encode(gzip.compress(data.encode(), _LEVEL, mtime=0)).decode()


def _in_json(text: str) -> str:
    """The same JSON without what means something in HTML; it can only stand within strings."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _in_script(text: str) -> str:
    """The same script without what would end its element, which can only stand within strings."""
    return re.sub(r"<(?=/script|!--)", r"\\x3c", text, flags=re.IGNORECASE)
