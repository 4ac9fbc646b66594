"""Commands on a session that our own clients run.

Code lenses offer them as commands, hovers and the status tooltip as links.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lsprotocol import types

from rad_lsp.server import client

if TYPE_CHECKING:
    from collections.abc import Collection


def open_session(folder: str, session_id: str) -> types.Command:
    """Show a session of the workspace folder at a URI."""
    return _command("Open session", client.OPEN_SESSION, folder, sessionId=session_id)


def cost(folder: str, session_id: str) -> types.Command:
    """Show what a session's cost is made of."""
    return _command("Cost", client.SHOW_COST, folder, sessionId=session_id)


def compare_with_previous(folder: str, previous: str, session_id: str) -> types.Command:
    """Compare a session with the one before it."""
    name = client.OPEN_COMPARISON
    return _command("Compare with previous", name, folder, sessionA=previous, sessionB=session_id)


def compare_with(folder: str, session_id: str) -> types.Command:
    """Compare a session with one that the client asks the user for."""
    return _command("Compare with…", client.OPEN_COMPARISON, folder, sessionB=session_id)


def export(folder: str, session_id: str) -> types.Command:
    """Export a session; the client asks the user for format and file."""
    return _command("Export", client.EXPORT_SESSION, folder, sessionId=session_id)


def markdown(linked: Collection[str], *offered: types.Command) -> str:
    """Markdown links to the offered commands whose names are in `linked`, on one line."""
    return " · ".join(
        f"[{offer.title}](command:{offer.command}?{quote(json.dumps(offer.arguments))})"
        for offer in offered
        if offer.command in linked
    )


def _command(title: str, name: str, folder: str, **named: str) -> types.Command:
    argument: dict[str, Any] = {"workspaceUri": folder, **named}
    return types.Command(title=title, command=name, arguments=[argument])
