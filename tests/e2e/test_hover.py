"""Hover on a report."""

from __future__ import annotations

from lsprotocol import types


async def test_hover_on_a_report_shows_its_session(client, workspace, uri):
    workspace.add("first")
    document = types.TextDocumentIdentifier(uri=uri("first"))
    params = types.HoverParams(text_document=document, position=types.Position(0, 0))
    hover = await client.text_document_hover_async(params)
    assert "Session first" in hover.contents.value
    assert "| Success rate | 92.6% |" in hover.contents.value
