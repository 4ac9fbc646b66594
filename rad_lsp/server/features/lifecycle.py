"""The connection from `initialize` on: the client's capabilities, folders and settings."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types

from rad_lsp.server.parent import watch_parent
from rad_lsp.server.registry import feature
from rad_lsp.server.uris import path_of
from rad_lsp.service import REPORTS_FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rad_lsp.server.context import Context

logger = logging.getLogger(__name__)

SECTION: Final = "radLsp"
ANSWER_SECONDS = 5.0
"""How long to wait for the client's settings, before going on without them until they come."""

_PATTERN: Final = f"{REPORTS_FOLDER.as_posix()}/*.json"


@feature(types.INITIALIZE)
def initialize(context: Context, params: types.InitializeParams) -> None:
    """Learn what the client can do, begin to read its folders, and watch its process."""
    context.client.introduce(params)
    uris = [folder.uri for folder in context.editor.workspace.folders.values()]
    for uri in uris or filter(None, [context.editor.workspace.root_uri]):
        context.folders.add(uri)
    if params.process_id is not None:
        context.tasks.start(watch_parent(params.process_id, context.stop))


@feature(types.INITIALIZED)
async def initialized(context: Context, _params: types.InitializedParams) -> None:
    """Learn the settings. A folder reports no status before they are known."""
    context.tasks.start(_register(context))
    if not await _ask_configuration(context):
        context.folders.configure(_options(context))


@feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
async def folders_changed(context: Context, params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Watch the folders that were added, and stop watching those that were removed."""
    for folder in params.event.removed:
        removed = await context.folders.remove(folder.uri)
        if removed is not None:
            others = [other.sessions for other in context.folders]
            context.diagnostics.drop(removed.sessions, others)
    for folder in params.event.added:
        context.folders.add(folder.uri)


@feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
async def configuration_changed(
    context: Context, params: types.DidChangeConfigurationParams
) -> None:
    """Use the new settings: asked for where possible, else as they were sent."""
    if not await _ask_configuration(context) and (section := _section(params.settings)) is not None:
        context.folders.configure(section)


@feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
def files_changed(context: Context, params: types.DidChangeWatchedFilesParams) -> None:
    """Read the files that have changed, according to the client."""
    paths = {path for change in params.changes if (path := path_of(change.uri))}
    for folder in context.folders:
        if held := {path for path in paths if folder.sessions.holds(path)}:
            folder.hint(held)


async def _ask_configuration(context: Context) -> bool:
    """Ask the client for its settings and use them; False when there is no answer yet."""
    if not context.client.answers_configuration:
        return False
    params = types.ConfigurationParams([types.ConfigurationItem(section=SECTION)])
    asked = asyncio.ensure_future(context.editor.workspace_configuration_async(params))
    await asyncio.wait({asked}, timeout=ANSWER_SECONDS)
    if asked.done():
        return await _configure(context, asked)
    # A busy client answers late; its settings are used from then on.
    logger.info("The client takes long to tell its settings")
    context.tasks.start(_configure(context, asked))
    return False


async def _configure(context: Context, asked: asyncio.Future[Sequence[Any | None]]) -> bool:
    """Use the settings that the client answers with; False when it answers with an error."""
    try:
        answer = await asked
    except Exception:  # noqa: BLE001  (whatever the client answers, or nothing)
        logger.warning("The client did not tell its settings")
        return False
    values = answer[0] if answer else None
    context.folders.configure(_options(context) if values is None else values)
    return True


async def _register(context: Context) -> None:
    """Ask for events of files and settings, where the client takes registrations."""
    registrations = []
    if context.client.watches_files:
        patterns: list[types.GlobPattern] = [f"**/{_PATTERN}"]
        if context.client.watches_relative_patterns:
            patterns = [
                types.RelativePattern(base_uri=folder.uri, pattern=_PATTERN)
                for folder in context.editor.workspace.folders.values()
            ]
        options = types.DidChangeWatchedFilesRegistrationOptions(
            [types.FileSystemWatcher(glob_pattern=pattern) for pattern in patterns]
        )
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        registrations.append(types.Registration("rad-files", method, options))
    if context.client.registers_configuration:
        method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
        section = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
        registrations.append(types.Registration("rad-settings", method, section))
    if registrations:
        try:
            await context.editor.client_register_capability_async(
                types.RegistrationParams(registrations)
            )
        except Exception:  # noqa: BLE001  (whatever the client answers)
            logger.warning("The client refused to register")


def _options(context: Context) -> Any:
    """The settings in `initializationOptions`, with or without their section's name."""
    return _section(context.client.options) or context.client.options


def _section(settings: Any) -> Any:
    return settings.get(SECTION) if isinstance(settings, dict) else None
