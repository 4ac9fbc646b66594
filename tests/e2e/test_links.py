"""Links in hovers: only commands that the client runs itself."""

from __future__ import annotations

from lsprotocol import types

from tests.e2e.conftest import OUR_COMMANDS, capabilities_of


async def _hover(client, workspace, uri):
    workspace.add("first")
    await client.sessions("first")
    document = types.TextDocumentIdentifier(uri=uri("first"))
    hover = await client.text_document_hover_async(
        types.HoverParams(document, types.Position(0, 0))
    )
    return hover.contents.value


async def test_a_client_of_ours_gets_links_in_hovers(connect, workspace, uri):
    client = await connect(editor=capabilities_of("visual-studio-code", commands=OUR_COMMANDS))
    value = await _hover(client, workspace, uri)
    assert "[Open](command:radLsp.openSession?%5B%7B%22workspaceUri%22" in value


async def test_other_clients_get_none(client, workspace, uri):
    assert "command:" not in await _hover(client, workspace, uri)
