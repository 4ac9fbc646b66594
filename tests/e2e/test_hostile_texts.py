"""Texts of a file that could change a terminal, hide others or fill the screen are shown tamed."""

from __future__ import annotations

import json

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.e2e.conftest import HOSTILE, capabilities_of, harmless

DATA = {"sessionId", "modelNames", "name", "model", "uri", "workspaceUri"}
"""What a client uses to ask for more, so that it must be as it is in the file."""


def shown(value):
    """What of an answer is there to be shown."""
    if isinstance(value, dict):
        return {key: shown(inner) for key, inner in value.items() if key not in DATA}
    return [shown(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture
def hostile(workspace, report_dict, stored_row):
    """A report whose id, models, tiers, engines and warnings are hostile, and one at fault."""
    usage = report_dict()["metrics"]["model_usage"]["gemini-2.5-flash-lite"]
    models = {f"{HOSTILE}{number}": usage for number in range(15)}
    rows = [stored_row(model=name, tier=HOSTILE, engine=HOSTILE, cost=None) for name in models]
    path = workspace.raw("hostile.json", b"")
    report = report_dict(
        session_id=HOSTILE,
        model_usage=models,
        engine_usage={HOSTILE: usage},
        spending=rows,
        warnings=[HOSTILE, *map(str, range(1_000))],
    )
    path.write_text(json.dumps(report), encoding="utf-8")
    workspace.raw("faulty.json", json.dumps(report | {"metrics": {HOSTILE: 1}}).encode())
    faulty = report_dict(model_usage={HOSTILE: {"requests": -1}})
    workspace.raw("key.json", json.dumps(faulty).encode())
    return path


async def test_a_status_and_diagnostics_are_harmless(connect, workspace, hostile):
    client = await connect()
    status = await client.status(lambda status: status["session"] is not None)
    assert status["session"]["sessionId"] == HOSTILE
    assert harmless(shown(status))
    assert " more: see the session" in status["tooltip"]
    for name in ("hostile", "faulty", "key"):
        uri = (workspace.sessions / f"{name}.json").as_uri()
        found = await client.diagnostics_of(uri, bool)
        assert harmless([problem.message for problem in found])
        assert len(found) < 200
    client.opens(hostile.as_uri(), hostile.read_text(encoding="utf-8"))
    pulled = await client.text_document_diagnostic_async(
        types.DocumentDiagnosticParams(types.TextDocumentIdentifier(hostile.as_uri()))
    )
    assert harmless([problem.message for problem in pulled.items])


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("stats/session", {}),
        ("stats/model", {"sessionId": HOSTILE}),
        ("stats/engine", {"sessionId": HOSTILE}),
        ("stats/history", {}),
        ("stats/compare", {"sessionA": HOSTILE, "sessionB": HOSTILE}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_answers_are_harmless(connect, hostile, method, params):  # noqa: ARG001
    client = await connect()
    answer = shown(await client.ask(method, params))
    texts = [answer.pop(key, "") for key in ("text", "markdown")]  # tables, a line for each model
    assert harmless(answer)
    assert all(harmless(line) for text in texts for line in text.split("\n"))


@pytest.mark.parametrize(
    "params",
    [{"sessionId": f"no {HOSTILE}"}, {"uri": f"file:///{HOSTILE}"}, {"since": HOSTILE}],
    ids=["id", "uri", "unknown"],
)
async def test_errors_are_harmless(connect, hostile, params):  # noqa: ARG001
    client = await connect()
    with pytest.raises(JsonRpcException) as caught:
        await client.ask("stats/session", params)
    assert harmless(caught.value.message)


@pytest.mark.parametrize("reads_markdown", [True, False], ids=["markdown", "plain"])
async def test_what_an_editor_shows_of_a_report_is_harmless(connect, hostile, reads_markdown):
    capabilities = capabilities_of("visual-studio-code")
    if not reads_markdown:
        capabilities.text_document.hover.content_format = [types.MarkupKind.PlainText]
    client = await connect(editor=capabilities)
    await client.status(lambda status: status["session"] is not None)
    document = types.TextDocumentIdentifier(hostile.as_uri())
    text = hostile.read_text(encoding="utf-8")
    for key in ("metrics", "model_usage", "total_cost", "total_cached_tokens", "requests"):
        place = types.Position(0, text.index(f'"{key}"'))
        hover = await client.text_document_hover_async(types.HoverParams(document, place))
        assert all(map(harmless, hover.contents.value.split("\n"))), key
    lenses = await client.text_document_code_lens_async(types.CodeLensParams(document))
    assert harmless([lens.command.title for lens in lenses])
    tree = await client.text_document_document_symbol_async(types.DocumentSymbolParams(document))
    while tree:
        assert harmless([(symbol.name, symbol.detail) for symbol in tree])
        tree = [child for symbol in tree for child in symbol.children or ()]
    found = await client.workspace_symbol_async(types.WorkspaceSymbolParams("title"))
    assert harmless([(symbol.name, symbol.container_name) for symbol in found])
    faulty = types.TextDocumentIdentifier(hostile.with_name("faulty.json").as_uri())
    where = types.Range(types.Position(0, 0), types.Position(0, 0))
    (fix,) = await client.text_document_code_action_async(
        types.CodeActionParams(faulty, where, types.CodeActionContext([]))
    )
    assert harmless(fix.title)


async def test_what_a_command_shows_is_harmless(connect, hostile):  # noqa: ARG001
    client = await connect(editor="emacs")
    await client.status(lambda status: status["session"] is not None)
    for command in ("rad.session", "rad.compare", "rad.export"):
        arguments = {
            "rad.session": {},
            "rad.compare": {"sessionA": HOSTILE, "sessionB": HOSTILE},
            "rad.export": {"output": "a\x1b\u202eb.json"},
        }[command]
        await client.workspace_execute_command_async(
            types.ExecuteCommandParams(command, [arguments])
        )
        message = await client.message()
        assert harmless(message.message)
        client.messages.clear()
