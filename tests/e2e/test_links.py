"""Links in hovers and in the tooltip: only commands that the client runs itself."""

from __future__ import annotations

import json
import re
from urllib.parse import unquote

import pytest
from lsprotocol import types

from tests.e2e.conftest import OUR_COMMANDS, capabilities_of

DAYS = {"first": "2026-01-01T00:00:00Z", "second": "2026-01-02T00:00:00Z"}


def links(markdown):
    """What each link says, which command it names, and the command's one argument."""
    found = re.findall(r"\[([^]]+)\]\(command:([^?)]+)\?([^)]*)\)", markdown)
    return [(title, command, *json.loads(unquote(query))) for title, command, query in found]


async def _hover(client, uri):
    document = types.TextDocumentIdentifier(uri=uri("second"))
    hover = await client.text_document_hover_async(
        types.HoverParams(document, types.Position(0, 0))
    )
    return hover.contents.value


async def _said(connect, workspace, uri, **ours):
    """The hover and the tooltip of a client that says this of itself."""
    for session_id, day in DAYS.items():
        workspace.add(session_id, end_time=day)
    capabilities = capabilities_of("visual-studio-code")
    capabilities.experimental = {"radStats": {"version": 1, **ours}}
    client = await connect(editor=capabilities)
    status = await client.sessions("second", "first")
    return await _hover(client, uri), status["tooltip"]


async def test_a_client_of_ours_gets_links(connect, workspace, uri):
    hover, tooltip = await _said(connect, workspace, uri, commands=OUR_COMMANDS)
    root = workspace.root.as_uri()
    this = {"workspaceUri": root, "sessionId": "second"}
    pair = {"workspaceUri": root, "sessionA": "first", "sessionB": "second"}
    other = {"workspaceUri": root, "sessionB": "second"}
    assert links(hover) == [
        ("Open session", "radLsp.openSession", this),
        ("Cost", "radLsp.showCost", this),
        ("Compare with…", "radLsp.openComparison", other),
        ("Export", "radLsp.exportSession", this),
    ]
    assert links(tooltip) == [
        ("Open session", "radLsp.openSession", this),
        ("Cost", "radLsp.showCost", this),
        ("Compare with previous", "radLsp.openComparison", pair),
        ("Export", "radLsp.exportSession", this),
    ]


async def test_only_commands_that_the_client_names_are_linked(connect, workspace, uri):
    for said in await _said(connect, workspace, uri, commands=["radLsp.exportSession", "other"]):
        assert [command for _, command, _ in links(said)] == ["radLsp.exportSession"]


@pytest.mark.parametrize("ours", [{}, {"commands": []}, {"commands": OUR_COMMANDS, "links": False}])
async def test_other_clients_get_none(connect, workspace, uri, ours):
    for said in await _said(connect, workspace, uri, **ours):
        assert "command:" not in said
        assert said.count("Export") == 0


async def test_the_tooltip_has_what_there_is_to_do(connect, workspace):
    client = await connect(editor=capabilities_of("visual-studio-code", commands=OUR_COMMANDS))
    assert links((await client.status())["tooltip"]) == []
    workspace.add("a (b) [c]", end_time=DAYS["first"])
    titles = [title for title, *_ in links((await client.sessions("a (b) [c]"))["tooltip"])]
    assert titles == ["Open session", "Cost", "Export"]
    workspace.add("second", end_time=DAYS["second"])
    status = await client.sessions("second", "a (b) [c]")
    assert links(status["tooltip"])[2][2]["sessionA"] == "a (b) [c]"
