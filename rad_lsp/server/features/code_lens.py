"""Code lenses on the first line of a report or transcript: its summary, comparisons, export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from rad_lsp.render import text
from rad_lsp.server import client, links
from rad_lsp.server.features import commands
from rad_lsp.server.registry import feature

if TYPE_CHECKING:
    from rad_lsp.server.context import Context

_TOP = types.Range(types.Position(0, 0), types.Position(0, 0))


@feature(types.TEXT_DOCUMENT_CODE_LENS)
async def code_lens(context: Context, params: types.CodeLensParams) -> list[types.CodeLens] | None:
    """What can be done with this session, by commands that this client can run."""
    document = await context.documents.read(params.text_document.uri)
    session = document.session if document else None
    if document is None or session is None:
        return None
    folder = context.folders.of(session)
    if folder is None:
        return [types.CodeLens(_TOP, types.Command(title=text.line(session), command=""))]
    snapshot = await folder.ready()
    session = context.folders.shown(session)
    previous = snapshot.previous(session.id)
    summary = _run(context, links.open_session(folder.uri, session.id), commands.SESSION)
    summary.title = text.line(session)
    offered = [summary]
    if client.SHOW_COST in context.client.commands:
        offered.append(links.cost(folder.uri, session.id))
    if previous is not None:
        pair = links.compare_with_previous(folder.uri, previous, session.id)
        offered.append(_run(context, pair, commands.COMPARE))
    # These ask the user something, which only our own clients can do.
    if client.OPEN_COMPARISON in context.client.commands and len(snapshot.entries) > 1:
        offered.append(links.compare_with(folder.uri, session.id))
    if client.EXPORT_SESSION in context.client.commands:
        offered.append(links.export(folder.uri, session.id))
    return [types.CodeLens(_TOP, command) for command in offered]


def _run(context: Context, command: types.Command, server_command: str) -> types.Command:
    """The command if the client runs it, else the server's command with the same arguments."""
    if command.command not in context.client.commands:
        command.command = server_command
    return command
