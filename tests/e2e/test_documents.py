"""Reports that are opened and edited, and the diagnostics of those that are not."""

from __future__ import annotations

import json

import pytest
from lsprotocol import types

from tests.e2e.conftest import OUR_COMMANDS, capabilities_of, range_of, replace


def text_of(report_bytes, **changes):
    return report_bytes(session_id="first", **changes).decode()


async def test_a_report_being_edited_shows_its_live_figures(client, workspace, uri, report_bytes):
    workspace.add("first", total_cost=1)
    await client.status(lambda s: s["text"].startswith("$1.0000"))
    client.opens(uri("first"), text_of(report_bytes, total_cost=1))
    client.changes(uri("first"), text_of(report_bytes, total_cost=2))
    await client.status(lambda s: s["text"].startswith("$2.0000"))
    broken = text_of(report_bytes, total_cost=2).replace('"total_cost": 2', '"total_cost": ')
    client.changes(uri("first"), broken, version=3)
    (problem,) = await client.diagnostics_of(
        uri("first"), lambda found: found and found[0].severity == types.DiagnosticSeverity.Error
    )
    line = broken[: broken.index('"total_cost"')].count("\n")
    assert problem.range.start.line in {line, line + 1}
    workspace.add("other", end_time="2020-01-01T00:00:00Z", start_time="2020-01-01T00:00:00Z")
    status = await client.status(lambda s: s["totals"]["sessions"] == 2)
    assert (status["text"], status["skipped"]) == ("$2.0000 · 92.6%", 0)
    client.changes(uri("first"), text_of(report_bytes, total_cost=3), version=4)
    await client.status(lambda s: s["text"].startswith("$3.0000"))
    client.statuses.clear()
    client.closes(uri("first"))
    await client.status(lambda s: s["text"].startswith("$1.0000"))


async def test_a_buffer_wins_whatever_is_in_its_name(connect, tmp_path, report_bytes):
    root = tmp_path / "my work ü [1]"
    sessions = root / ".radium" / "_internals" / "sessions"
    sessions.mkdir(parents=True)
    path = sessions / "a #1 100%.json"
    path.write_bytes(report_bytes(session_id="a #1 100%", total_cost=1))
    client = await connect([root])
    await client.sessions("a #1 100%")
    client.opens(path.as_uri(), report_bytes(session_id="a #1 100%", total_cost=2).decode())
    await client.status(lambda s: s["text"].startswith("$2.0000"))
    assert (await client.ask("stats/session", {"uri": path.as_uri()}))["cost"] == 2
    # The file's own problems are of no interest while it is open.
    path.write_bytes(b"{")
    (sessions / "torn.json").write_bytes(b"{")
    await client.diagnostics_of((sessions / "torn.json").as_uri(), bool)
    assert not [found for found in client.pushed.get(path.as_uri(), ()) if found.severity == 1]


@pytest.mark.parametrize("separator", ["\u2028", "\u00e9"])
async def test_an_edit_below_an_unusual_line_separator_goes_where_the_editor_has_it(
    connect, uri, report_dict, separator
):
    report = report_dict(session_id="first", total_cost=1)
    report["metrics"]["note"] = report["metrics"].pop("lines_added")
    report = {"note": f"a{separator}b", **report}
    report["metrics"]["lines_added"] = report["metrics"].pop("note")
    text = json.dumps(report, indent=2, ensure_ascii=False)
    client = await connect(editor="neovim")
    client.opens(uri("first"), text)
    before = text[: text.index('"total_cost": 1')]
    line, column = before.count("\n"), len(before.rpartition("\n")[2])
    where = range_of(line, column, line, column + len('"total_cost": 1'))
    client.changes(uri("first"), (where, '"total_cost": 7'))
    assert (await client.ask("stats/session", {"uri": uri("first")}))["cost"] == 7


async def test_diagnostics_of_closed_files_follow_the_file(client, workspace, uri, report_bytes):
    path = workspace.raw("first.json", b'{"metrics": {')
    (problem,) = await client.diagnostics_of(uri("first"), bool)
    assert problem.severity == types.DiagnosticSeverity.Error
    replace(path, report_bytes(session_id="first"))
    await client.diagnostics_of(uri("first"), lambda found: not found)
    path.write_bytes(report_bytes(session_id="first", failed_tool_calls=99))
    (problem,) = await client.diagnostics_of(uri("first"), bool)
    line = path.read_text().split('"tool_calls"')[0].count("\n")
    assert problem.severity == types.DiagnosticSeverity.Warning
    assert problem.range == range_of(line, 4, line, 4 + len('"tool_calls": 231'))
    path.write_bytes(b"\xff")
    await client.diagnostics_of(uri("first"), lambda found: found and found[0].severity == 1)
    path.unlink()
    await client.diagnostics_of(uri("first"), lambda found: not found)


async def test_a_warning_moves_with_its_key_when_the_file_is_written_anew(
    client, workspace, uri, report_dict
):
    report = report_dict(session_id="first", failed_tool_calls=99)
    path = workspace.raw("first.json", json.dumps(report, indent=2).encode())
    (pretty,) = await client.diagnostics_of(uri("first"), bool)
    assert pretty.range.start.line > 0
    replace(path, json.dumps(report).encode())
    (compact,) = await client.diagnostics_of(
        uri("first"), lambda found: found and found[0].range.start.line == 0
    )
    assert compact.message == pretty.message


async def test_one_file_with_broken_bytes_does_not_hide_the_others(
    client, workspace, uri, report_bytes
):
    # Korean text and a byte that is no UTF-8, in one line.
    korean = report_bytes(session_id="\ud55c\uad6d").decode("unicode_escape").encode()
    broken = korean.replace(b"\n", b" ").replace(b'"generated_at"', b'"x": "\xff", "generated_at"')
    workspace.raw("a.json", broken)
    workspace.raw("b.json", b"{")
    assert await client.diagnostics_of(uri("b"), bool)
    (problem,) = await client.diagnostics_of(uri("a"), bool)
    start = broken[: broken.index(b"\xff")].decode()
    assert problem.range.start == types.Position(0, len(start))


async def test_closing_a_report_outside_of_the_folders_clears_its_diagnostics(client, tmp_path):
    sessions = tmp_path / "elsewhere" / ".radium" / "_internals" / "sessions"
    sessions.mkdir(parents=True)
    uri = (sessions / "a.json").as_uri()
    client.opens(uri, "{")
    await client.diagnostics_of(uri, bool)
    client.closes(uri)
    await client.diagnostics_of(uri, lambda found: not found)


async def test_a_client_of_ours_runs_its_own_commands(connect, workspace, uri):
    workspace.add("first", end_time="2026-01-01T00:00:00Z")
    workspace.add("second", end_time="2026-01-02T00:00:00Z")
    capabilities = capabilities_of("visual-studio-code", commands=OUR_COMMANDS)
    client = await connect(editor=capabilities)
    await client.sessions("second", "first")
    document = types.TextDocumentIdentifier(uri=uri("second"))
    lenses = await client.text_document_code_lens_async(types.CodeLensParams(document))
    root = workspace.root.as_uri()
    assert [
        (lens.command.title, lens.command.command, *lens.command.arguments) for lens in lenses[1:]
    ] == [
        ("Cost", "radLsp.showCost", {"workspaceUri": root, "sessionId": "second"}),
        (
            "Compare with previous",
            "radLsp.openComparison",
            {"workspaceUri": root, "sessionA": "first", "sessionB": "second"},
        ),
        ("Compare with…", "radLsp.openComparison", {"workspaceUri": root, "sessionB": "second"}),
        ("Export", "radLsp.exportSession", {"workspaceUri": root, "sessionId": "second"}),
    ]
    assert lenses[0].command.command == "radLsp.openSession"
    document = types.TextDocumentIdentifier(uri=uri("first"))
    lenses = await client.text_document_code_lens_async(types.CodeLensParams(document))
    assert "Compare with previous" not in [lens.command.title for lens in lenses]


async def test_a_client_of_simple_means_gets_plain_text_and_flat_lists(connect, workspace, uri):
    workspace.add("first", model_usage={}, engine_usage={})
    client = await connect(editor=types.ClientCapabilities())
    await client.sessions("first")
    document = types.TextDocumentIdentifier(uri=uri("first"))
    symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(document))
    assert all(isinstance(symbol, types.SymbolInformation) for symbol in symbols)
    assert [(s.name, s.container_name) for s in symbols][:2] == [
        ("metrics", None),
        ("session_id", "metrics"),
    ]
    line = (workspace.sessions / "first.json").read_text().split('"api_time"')[0].count("\n")
    hover = await client.text_document_hover_async(
        types.HoverParams(document, types.Position(line, 6))
    )
    assert hover.contents.kind == types.MarkupKind.PlainText
    assert hover.contents.value == "API time 1h 9m 42s, 40.2% of the agent's active time"
    assert (client.registrations, client.refreshes) == ([], [])


async def test_open_reports_are_refreshed_where_the_editor_offers_it(connect, workspace, uri):
    workspace.add("first")
    client = await connect()
    await client.sessions("first")
    assert client.refreshes == []
    client.opens(uri("first"), (workspace.sessions / "first.json").read_text())
    await client.until(lambda: types.WORKSPACE_CODE_LENS_REFRESH in client.refreshes)
    assert types.WORKSPACE_DIAGNOSTIC_REFRESH not in client.refreshes
