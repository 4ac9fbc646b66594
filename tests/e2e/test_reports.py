"""The handshake, and what every editor shows of a report, in its own encoding."""

from __future__ import annotations

import re

import pytest
from lsprotocol import types

from rad_lsp import __version__
from rad_lsp.server.protocol import converter
from tests.e2e.conftest import range_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

REPLY = {
    "capabilities": {
        "textDocumentSync": {
            "openClose": True,
            "change": 2,
            "willSave": False,
            "willSaveWaitUntil": False,
            "save": False,
        },
        "hoverProvider": True,
        "documentSymbolProvider": True,
        "codeActionProvider": {"codeActionKinds": ["quickfix"]},
        "codeLensProvider": {"resolveProvider": False},
        "workspaceSymbolProvider": {"resolveProvider": False},
        "executeCommandProvider": {"commands": ["rad.session", "rad.compare", "rad.export"]},
        "inlayHintProvider": {"resolveProvider": False},
        "diagnosticProvider": {
            "interFileDependencies": False,
            "workspaceDiagnostics": False,
            "identifier": "rad-lsp",
        },
        "workspace": {
            "workspaceFolders": {"supported": True, "changeNotifications": True},
            "fileOperations": {},
        },
        "experimental": {
            "radStats": {
                "version": 1,
                "methods": [
                    "stats/session",
                    "stats/model",
                    "stats/engine",
                    "stats/cost",
                    "stats/budget",
                    "stats/history",
                    "stats/trend",
                    "stats/tools",
                    "stats/limits",
                    "stats/compare",
                    "stats/export",
                    "stats/overview",
                    "stats/report",
                    "stats/status",
                    "stats/show",
                ],
            }
        },
    },
    "serverInfo": {"name": "rad-lsp", "version": __version__},
}
ENCODINGS = {"visual-studio-code": "utf-16", "neovim": "utf-8", "emacs": "utf-32"}
FILES = "**/.radium/_internals/sessions/*.json"


async def test_every_editor_is_offered_the_same_in_its_own_encoding(each_editor):
    reply = converter().unstructure(each_editor.introduced)
    assert reply["capabilities"].pop("positionEncoding") == ENCODINGS[each_editor.editor]
    assert reply == REPLY


async def test_only_what_an_editor_lets_be_registered_is_registered(each_editor):
    expected: dict[str, object] = {}
    if each_editor.editor != "neovim":
        expected[types.WORKSPACE_DID_CHANGE_WATCHED_FILES] = {"watchers": [{"globPattern": FILES}]}
    if each_editor.editor == "visual-studio-code":
        expected[types.WORKSPACE_DID_CHANGE_CONFIGURATION] = {"section": "radLsp"}
    await each_editor.until(lambda: len(each_editor.registrations) >= len(expected) or not expected)
    registered = {made.method: made.register_options for made in each_editor.registrations}
    assert registered == expected


def units(text, encoding):
    """The length of a text in an encoding's units."""
    if encoding == "utf-8":
        return len(text.encode())
    return len(text.encode("utf-16-le")) // 2 if encoding == "utf-16" else len(text)


def position(client, text, index):
    """Where a character of a text is, as the client counts."""
    before = text[:index]
    line_start = before.rfind("\n") + 1
    encoding = ENCODINGS[client.editor]
    return types.Position(before.count("\n"), units(before[line_start:], encoding))


def span(client, text, pattern):
    """The range of the only match of a pattern in a text."""
    (match,) = re.finditer(pattern, text)
    return types.Range(position(client, text, match.start()), position(client, text, match.end()))


async def hover(client, uri, where):
    document = types.TextDocumentIdentifier(uri=uri)
    return await client.text_document_hover_async(types.HoverParams(document, where))


FIGURES = [
    ("start_time", "**Start** 2025-12-01 09:00:00 UTC"),
    ("end_time", "**End** 2025-12-01 10:00:00 UTC"),
    ("wall_time", "**Wall time** 4h 9m 54s"),
    ("agent_active_time", "**Agent active** 2h 53m 17s, 69.3% of wall time"),
    ("api_time", "**API time** 1h 9m 42s, 40.2% of the agent's active time"),
    ("tool_time", "**Tool time** 1h 43m 35s, 59.8% of the agent's active time"),
    ("tool_calls", "**Tool calls** 231: 214 succeeded, 17 failed"),
    ("successful_tool_calls", "Success rate 92.6%"),
    ("failed_tool_calls", "Success rate 92.6%"),
    ("tool_approvals_allowed", "**Approvals** 40 allowed, 2 denied, 9 asked"),
    ("tool_approvals_denied", "**Approvals** 40 allowed, 2 denied, 9 asked"),
    ("tool_approvals_asked", "**Approvals** 40 allowed, 2 denied, 9 asked"),
    ("lines_added", "**Code changes** +505 -208"),
    ("lines_removed", "**Code changes** +505 -208"),
    ("total_cached_tokens", "**Cache** 17,000 cached tokens, 4,000 created, 13,000 read"),
    ("total_cache_creation_tokens", "Hit rate 1.1% of input tokens"),
    ("total_cache_read_tokens", "Hit rate 1.1% of input tokens"),
    ("total_cost", "**Cost** $0.1275, as the report has it"),
    ("generated_at", "**Report written** 2025-12-07 13:09:55 UTC"),
]
VALUE = r'(?:\{[^{}]*\}|"[^"]*"|[^\s,{}]+)'


@pytest.mark.parametrize("name", ["emoji", "emoji-compact"])
async def test_hover_shows_each_figure_with_the_range_of_its_pair(each_editor, library, name):
    text = library.text(name)
    for key, said in FIGURES:
        pair = span(each_editor, text, rf'"{key}":\s*{VALUE}')
        start = text.index(f'"{key}"')
        on_key = position(each_editor, text, start + 2)
        found = await hover(each_editor, library.uri(name), on_key)
        assert said in found.contents.value, key
        assert found.contents.kind == types.MarkupKind.Markdown
        assert found.range == pair, key
        scalar = text[text.index(":", start) + 1 :].lstrip()[0] not in "{["
        if scalar:
            value = re.compile(r":\s*").search(text, start)
            assert value
            on_value = position(each_editor, text, value.end())
            assert await hover(each_editor, library.uri(name), on_value) == found, key


@pytest.mark.parametrize("name", ["emoji", "emoji-compact"])
async def test_hover_behind_keys_beyond_the_basic_plane_is_right(each_editor, library, name):
    text = library.text(name)
    model = r'"😀 é 名":\s*\{[^{}]*\}'
    whole = span(each_editor, text, model)
    for index in (text.index("😀 é"), text.index("名") + 1):
        found = await hover(each_editor, library.uri(name), position(each_editor, text, index))
        assert "**😀 é 名** 1 request, 1,234,567 input tokens" in found.contents.value
        assert found.range == whole
    (match,) = re.finditer(model, text)
    inner = match[0].index('"input_tokens"') + match.start()
    found = await hover(each_editor, library.uri(name), position(each_editor, text, inner + 3))
    assert "1,234,567 input tokens" in found.contents.value
    start = position(each_editor, text, inner)
    assert found.range.start == start
    stop = text.index("1234567", inner) + len("1234567")
    assert found.range.end == position(each_editor, text, stop)


async def test_hover_elsewhere_is_the_sessions_summary(each_editor, library):
    for name in ("first", "emoji-compact"):
        found = await hover(each_editor, library.uri(name), types.Position(0, 0))
        assert f"Radium · {name} · " in found.contents.value
        assert "| Success rate | 92.6% |" in found.contents.value


@pytest.mark.parametrize("name", ["emoji", "emoji-compact"])
async def test_hints_stand_behind_durations_large_numbers_and_counts(each_editor, library, name):
    text = library.text(name)
    document = types.TextDocumentIdentifier(uri=library.uri(name))
    whole = types.Range(types.Position(0, 0), position(each_editor, text, len(text)))
    found = await each_editor.text_document_inlay_hint_async(types.InlayHintParams(document, whole))
    shown = {(hint.position.line, hint.position.character): hint.label for hint in found}
    expected = [
        (r'"wall_time":\s*\{[^}]*\}', "4h 9m 54s"),
        (r'"agent_active_time":\s*\{[^}]*\}', "2h 53m 17s"),
        (r'"api_time":\s*\{[^}]*\}', "1h 9m 42s"),
        (r'"tool_time":\s*\{[^}]*\}', "1h 43m 35s"),
        (r'"successful_tool_calls":\s*\d+', "92.6%"),
        (r"1234567", "1,234,567"),
        (r'"total_cached_tokens":\s*\d+', "17,000"),
        (r'"total_cache_read_tokens":\s*\d+', "13,000"),
    ]
    for pattern, label in expected:
        end = span(each_editor, text, pattern).end
        assert shown.get((end.line, end.character)) == label, pattern
    assert list(found) == sorted(found, key=lambda h: (h.position.line, h.position.character))


async def test_hints_come_for_the_range_that_is_shown(each_editor, library):
    text = library.text("emoji")
    line = text[: text.index('"successful_tool_calls"')].count("\n")
    document = types.TextDocumentIdentifier(uri=library.uri("emoji"))
    found = await each_editor.text_document_inlay_hint_async(
        types.InlayHintParams(document, range_of(line, 0, line + 1, 0))
    )
    assert [(hint.position.line, hint.label) for hint in found] == [(line, "92.6%")]


@pytest.mark.parametrize("name", ["emoji", "emoji-compact"])
async def test_symbols_are_the_reports_sections(each_editor, library, name):
    text = library.text(name)
    document = types.TextDocumentIdentifier(uri=library.uri(name))
    found = await each_editor.text_document_document_symbol_async(
        types.DocumentSymbolParams(document)
    )
    assert [symbol.name for symbol in found] == ["metrics", "generated_at"]
    metrics = {symbol.name: symbol for symbol in found[0].children}
    assert metrics["wall_time"].detail == "4h 9m 54s"
    assert not metrics["wall_time"].children
    assert metrics["total_cost"].range == span(each_editor, text, r'"total_cost":\s*[\d.]+')
    assert metrics["total_cost"].selection_range == span(each_editor, text, r'"total_cost"')
    (model,) = metrics["model_usage"].children
    assert model.name == "😀 é 名"
    assert model.range == span(each_editor, text, r'"😀 é 名":\s*\{[^{}]*\}')
    assert model.selection_range == span(each_editor, text, '"😀 é 名"')
    for symbol in (*found, *found[0].children, model):
        outer, inner = symbol.range, symbol.selection_range
        assert outer.start <= inner.start
        assert inner.end <= outer.end


async def test_an_edit_behind_emoji_changes_what_the_editor_changed(each_editor, library):
    uri, text = library.uri("emoji-compact"), library.text("emoji-compact")
    each_editor.opens(uri, text)
    change = span(each_editor, text, r'(?<="total_cost":)[\d.]+')
    each_editor.changes(uri, (change, "0.5"))
    assert (await each_editor.ask("stats/session", {"uri": uri}))["cost"] == 0.5
    each_editor.closes(uri)
    assert (await each_editor.ask("stats/session", {"uri": uri}))["cost"] == 0.1275


async def test_workspace_symbols_find_sessions_by_id(each_editor, library):
    for query, ids in (("IR", ["third", "first"]), ("emoji", ["emoji", "emoji-compact"]),
                       ("nothing", [])):  # fmt: skip
        found = await each_editor.workspace_symbol_async(types.WorkspaceSymbolParams(query))
        assert [symbol.name for symbol in found] == ids
        assert [symbol.location.uri for symbol in found] == [library.uri(name) for name in ids]


async def test_a_file_that_is_no_report_shows_nothing(each_editor, library, report_bytes):
    text = report_bytes(session_id="inside").decode()
    for uri in (
        (library.sessions / "sub" / "session.json").as_uri(),
        (library.root / "package.json").as_uri(),
        library.uri("first").replace("file:", "git:"),
    ):
        each_editor.opens(uri, text)
        assert await hover(each_editor, uri, types.Position(2, 8)) is None
        document = types.TextDocumentIdentifier(uri=uri)
        assert not await each_editor.text_document_document_symbol_async(
            types.DocumentSymbolParams(document)
        )
        assert not await each_editor.text_document_code_lens_async(types.CodeLensParams(document))
        each_editor.closes(uri)


async def test_a_report_outside_of_the_folders_is_shown_all_the_same(
    each_editor, tmp_path, report_bytes
):
    folder = tmp_path / ".radium" / "_internals" / "sessions"
    folder.mkdir(parents=True)
    path = folder / "far.json"
    path.write_bytes(report_bytes(session_id="far"))
    found = await hover(each_editor, path.as_uri(), types.Position(0, 0))
    assert "Radium · far · " in found.contents.value


async def test_deleting_an_unreadable_report_is_offered_where_the_editor_can(each_editor, library):
    params = types.CodeActionParams(
        types.TextDocumentIdentifier(uri=library.uri("torn")),
        range_of(0, 0, 0, 0),
        types.CodeActionContext(diagnostics=[]),
    )
    found = await each_editor.text_document_code_action_async(params)
    if each_editor.editor == "emacs":
        assert not found
        return
    (action,) = found
    assert action.kind == types.CodeActionKind.QuickFix
    (change,) = action.edit.document_changes
    assert (change.kind, change.uri) == ("delete", library.uri("torn"))
    if each_editor.editor == "visual-studio-code":
        (annotation,) = action.edit.change_annotations.values()
        assert annotation.needs_confirmation is True
    else:
        assert action.edit.change_annotations is None
    params.text_document.uri = library.uri("first")
    assert not await each_editor.text_document_code_action_async(params)
    params.text_document.uri = library.uri("torn")
    params.context.only = [types.CodeActionKind.Refactor]
    assert not await each_editor.text_document_code_action_async(params)


async def test_without_commands_of_its_own_an_editor_gets_the_servers(each_editor, library):
    document = types.TextDocumentIdentifier(uri=library.uri("third"))
    lenses = await each_editor.text_document_code_lens_async(types.CodeLensParams(document))
    offered = {"rad.session", "rad.compare", "rad.export"}
    assert {lens.command.command for lens in lenses} <= offered
    assert lenses[0].command.title.startswith("$0.1275")
    assert all(lens.range.start.line == 0 for lens in lenses)
    compare = next(lens for lens in lenses if lens.command.title == "Compare with previous")
    each_editor.messages.clear()
    params = types.ExecuteCommandParams(compare.command.command, compare.command.arguments)
    answer = await each_editor.workspace_execute_command_async(params)
    assert (answer["sessionA"]["sessionId"], answer["sessionB"]["sessionId"]) == (
        "second",
        "third",
    )
    message = await each_editor.message()
    assert message.type == types.MessageType.Info
    assert "third" in message.message


async def test_diagnostics_of_files_that_are_not_open_are_pushed(each_editor, library):
    (found,) = await each_editor.diagnostics_of(library.uri("torn"), bool)
    assert found.severity == types.DiagnosticSeverity.Error
    assert found.source == "rad-lsp"
    assert found.range.start == types.Position(0, 12)
    # Not the first, which another test opens.
    assert library.uri("third") not in each_editor.pushed


async def test_open_reports_are_diagnosed_by_pull_or_push_as_the_editor_has_it(
    each_editor, library
):
    uri = library.uri("first")
    each_editor.pushed.pop(uri, None)
    each_editor.opens(uri, library.text("first").replace('"tool_calls": 231', '"tool_calls": 1'))
    if each_editor.editor == "neovim":
        document = types.TextDocumentIdentifier(uri=uri)
        report = await each_editor.text_document_diagnostic_async(
            types.DocumentDiagnosticParams(document)
        )
        found = report.items
        again = await each_editor.text_document_diagnostic_async(
            types.DocumentDiagnosticParams(document, previous_result_id=report.result_id)
        )
        assert again.kind == "unchanged"
        assert not each_editor.pushed.get(uri)
    else:
        found = await each_editor.diagnostics_of(uri, bool)
    (warning,) = found
    assert warning.severity == types.DiagnosticSeverity.Warning
    line = library.text("first")[: library.text("first").index('"tool_calls"')].count("\n")
    assert warning.range.start == types.Position(line, 4)
    each_editor.closes(uri)
    await each_editor.diagnostics_of(uri, lambda found: not found)
