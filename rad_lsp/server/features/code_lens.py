"""Lenses on line 0 of a report: its summary, comparisons, export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from rad_lsp.render import text
from rad_lsp.server import client, links
from rad_lsp.server.features import commands
from rad_lsp.server.registry import feature
from rad_lsp.server.transcripts import Transcript

if TYPE_CHECKING:
    from rad_lsp.server.app import RadServer

_TOP = types.Range(types.Position(0, 0), types.Position(0, 0))


@feature(types.TEXT_DOCUMENT_CODE_LENS)
async def code_lens(ls: RadServer, params: types.CodeLensParams) -> list[types.CodeLens] | None:
    """What can be done with this session, by commands that this client can run."""
    document = ls.documents.report_at(params.text_document.uri)
    session = document.session if document else None
    if document is None or session is None:
        return None
    folder = ls.folders.holding(document.path)
    if isinstance(document, Transcript) and (known := ls.folders.known(session)):
        folder, session = known
    if folder is None:
        return [types.CodeLens(_TOP, types.Command(title=text.line(session), command=""))]
    snapshot = await folder.ready()
    previous = snapshot.previous(session.id)
    summary = _run(ls, links.open_session(folder.uri, session.id), commands.SESSION)
    summary.title = text.line(session)
    offered = [summary]
    if previous is not None:
        pair = links.compare_with_previous(folder.uri, previous, session.id)
        offered.append(_run(ls, pair, commands.COMPARE))
    # These ask the user something, which only a client of ours can do.
    if client.OPEN_COMPARISON in ls.client.commands and len(snapshot.entries) > 1:
        offered.append(links.compare_with(folder.uri, session.id))
    if client.EXPORT_SESSION in ls.client.commands:
        offered.append(links.export(folder.uri, session.id))
    return [types.CodeLens(_TOP, command) for command in offered]


def _run(ls: RadServer, command: types.Command, servers: str) -> types.Command:
    """A command that the client runs itself, else the server's own, which takes the same."""
    if command.command not in ls.client.commands:
        command.command = servers
    return command
