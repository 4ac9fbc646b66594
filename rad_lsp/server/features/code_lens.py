"""Lenses on line 0 of a report: its summary, comparisons, export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types

from rad_lsp.render import text
from rad_lsp.server import client
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
        return [_lens(text.line(session), "", {})]
    snapshot = await folder.ready()
    previous = snapshot.previous(session.id)
    this = {"workspaceUri": folder.uri, "sessionId": session.id}
    lenses = [_lens(text.line(session), _runs(ls, client.OPEN_SESSION, commands.SESSION), this)]
    if previous is not None:
        pair = _pair(folder.uri, previous, session.id)
        compares = _runs(ls, client.OPEN_COMPARISON, commands.COMPARE)
        lenses.append(_lens("Compare with previous", compares, pair))
    # These ask the user something, which only a client of ours can do.
    if client.OPEN_COMPARISON in ls.client.commands and len(snapshot.entries) > 1:
        other = {"workspaceUri": folder.uri, "sessionB": session.id}
        lenses.append(_lens("Compare with…", client.OPEN_COMPARISON, other))
    if client.EXPORT_SESSION in ls.client.commands:
        lenses.append(_lens("Export", client.EXPORT_SESSION, this))
    return lenses


def _runs(ls: RadServer, ours: str, servers: str) -> str:
    return ours if ours in ls.client.commands else servers


def _pair(uri: str, a: str, b: str) -> dict[str, Any]:
    return {"workspaceUri": uri, "sessionA": a, "sessionB": b}


def _lens(title: str, command: str, argument: dict[str, Any]) -> types.CodeLens:
    arguments = [argument] if argument else None
    return types.CodeLens(_TOP, types.Command(title=title, command=command, arguments=arguments))
