"""The wire contract's requests, `stats/*`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pygls.uris import to_fs_path

from rad_lsp import service, wire
from rad_lsp.render import markdown, text
from rad_lsp.server.registry import request

if TYPE_CHECKING:
    from rad_lsp.server.app import RadServer


@request("stats/session", wire.SessionParams)
async def session(ls: RadServer, params: wire.SessionParams) -> wire.SessionStats:
    """One session in full."""
    named = to_fs_path(params.workspace_uri) if params.workspace_uri else None
    snapshot = await ls.folders.pick(Path(named) if named else None).ready()
    found = service.session(snapshot, params.session_id)
    now = datetime.now(UTC)
    return wire.stats(
        found, now, text=text.session(found, now), markdown=markdown.session(found, now)
    )
