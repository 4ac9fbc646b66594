"""From `initialize` on: what the client says, which folders are watched, which settings hold."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types

from rad_lsp.server.parent import watch_parent
from rad_lsp.server.registry import feature
from rad_lsp.server.uris import path_of
from rad_lsp.sources.radium import FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rad_lsp.server.app import RadServer

logger = logging.getLogger(__name__)

SECTION: Final = "radLsp"
ANSWER_SECONDS = 5.0
"""After which the settings that are known without the client's answer hold until it comes."""

_PATTERN: Final = f"{FOLDER.as_posix()}/*.json"


@feature(types.INITIALIZE)
def initialize(ls: RadServer, params: types.InitializeParams) -> None:
    """Take what the client says of itself, begin to read its folders; end when its process does."""
    ls.client.introduce(params)
    uris = [folder.uri for folder in ls.workspace.folders.values()]
    for uri in uris or filter(None, [ls.workspace.root_uri]):
        ls.folders.add(uri)
    if params.process_id is not None:
        ls.in_background(watch_parent(params.process_id, ls.stop))


@feature(types.INITIALIZED)
async def initialized(ls: RadServer, _params: types.InitializedParams) -> None:
    """Learn the settings, with which each folder reports its status once it has been read."""
    ls.in_background(_register(ls))
    if not await _ask_configuration(ls):
        ls.folders.configure(_options(ls))


@feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
async def folders_changed(ls: RadServer, params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Watch what was added, and no longer what was removed."""
    for folder in params.event.removed:
        removed = await ls.folders.remove(folder.uri)
        if removed is not None:
            ls.diagnostics.drop(removed)
    for folder in params.event.added:
        ls.folders.add(folder.uri)


@feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
async def configuration_changed(ls: RadServer, params: types.DidChangeConfigurationParams) -> None:
    """Take the new settings: asked for, or as they were sent."""
    if not await _ask_configuration(ls) and (section := _section(params.settings)) is not None:
        ls.folders.configure(section)


@feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
def files_changed(ls: RadServer, params: types.DidChangeWatchedFilesParams) -> None:
    """Look where the client says that something has changed."""
    paths = {path for change in params.changes if (path := path_of(change.uri))}
    for folder in ls.folders:
        mine = {path for path in paths if folder.holds(path)}
        if mine:
            folder.hint(mine)


async def _ask_configuration(ls: RadServer) -> bool:
    """Take the settings that the client tells when asked; False when it can't be asked."""
    if not ls.client.answers_configuration:
        return False
    params = types.ConfigurationParams([types.ConfigurationItem(section=SECTION)])
    asked = asyncio.ensure_future(ls.workspace_configuration_async(params))
    await asyncio.wait({asked}, timeout=ANSWER_SECONDS)
    if asked.done():
        return await _configure(ls, asked)
    # A client that is busy answers late; its settings count from then on.
    logger.info("The client takes long to tell its settings")
    ls.in_background(_configure(ls, asked))
    return False


async def _configure(ls: RadServer, asked: asyncio.Future[Sequence[Any | None]]) -> bool:
    """Take the settings that the client tells; False when it does not."""
    try:
        answer = await asked
    except Exception:  # noqa: BLE001  (whatever the client answers, or nothing)
        logger.warning("The client did not tell its settings")
        return False
    told = answer[0] if answer else None
    ls.folders.configure(_options(ls) if told is None else told)
    return True


async def _register(ls: RadServer) -> None:
    """Ask for events of files and settings, where the client takes registrations."""
    registrations = []
    if ls.client.watches_files:
        patterns: list[types.GlobPattern] = [f"**/{_PATTERN}"]
        if ls.client.watches_relative_patterns:
            patterns = [
                types.RelativePattern(base_uri=folder.uri, pattern=_PATTERN)
                for folder in ls.workspace.folders.values()
            ]
        options = types.DidChangeWatchedFilesRegistrationOptions(
            [types.FileSystemWatcher(glob_pattern=pattern) for pattern in patterns]
        )
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        registrations.append(types.Registration("rad-files", method, options))
    if ls.client.registers_configuration:
        method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
        section = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
        registrations.append(types.Registration("rad-settings", method, section))
    if registrations:
        try:
            await ls.client_register_capability_async(types.RegistrationParams(registrations))
        except Exception:  # noqa: BLE001  (whatever the client answers)
            logger.warning("The client refused to register")


def _options(ls: RadServer) -> Any:
    """The settings in `initializationOptions`, with or without their section's name."""
    return _section(ls.client.options) or ls.client.options


def _section(settings: Any) -> Any:
    return settings.get(SECTION) if isinstance(settings, dict) else None
