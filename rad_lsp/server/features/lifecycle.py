"""From `initialized` on: which folders are watched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.uris import to_fs_path

from rad_lsp.server.registry import feature

if TYPE_CHECKING:
    from rad_lsp.server.app import RadServer


@feature(types.INITIALIZED)
def initialized(ls: RadServer, _params: types.InitializedParams) -> None:
    """Begin to watch the client's folders; each reports its status once it has been read."""
    folders = [folder.uri for folder in ls.workspace.folders.values()]
    for uri in folders or filter(None, [ls.workspace.root_uri]):
        if path := to_fs_path(uri):
            ls.folders.add(Path(path))
