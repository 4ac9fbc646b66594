"""What can be done with a session by commands that a client of ours runs itself.

Lenses offer them as commands; hovers and the status tooltip as links.
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


def compare_with_previous(folder: str, previous: str, session_id: str) -> types.Command:
    """Compare a session with the one before it."""
    name = client.OPEN_COMPARISON
    return _command("Compare with previous", name, folder, sessionA=previous, sessionB=session_id)


def compare_with(folder: str, session_id: str) -> types.Command:
    """Compare a session with one that the client asks for."""
    return _command("Compare with…", client.OPEN_COMPARISON, folder, sessionB=session_id)


def export(folder: str, session_id: str) -> types.Command:
    """Export a session; the client asks how and where to."""
    return _command("Export", client.EXPORT_SESSION, folder, sessionId=session_id)


def markdown(linked: Collection[str], *offered: types.Command) -> str:
    """Links to those of the offered commands that are `linked`, on one line; empty without any."""
    return " · ".join(
        f"[{offer.title}](command:{offer.command}?{quote(json.dumps(offer.arguments))})"
        for offer in offered
        if offer.command in linked
    )


def _command(title: str, name: str, folder: str, **named: str) -> types.Command:
    argument: dict[str, Any] = {"workspaceUri": folder, **named}
    return types.Command(title=title, command=name, arguments=[argument])
