"""Errors say what the user can mend, as a kind with data, and give nothing away."""

from __future__ import annotations

import pytest

SESSIONS = (".radium", "_internals", "sessions")


def failed(served, method, params):
    error = served.ask(method, params)["error"]
    assert error["code"] == -32803
    assert error["message"]
    assert "\n" not in error["message"]
    return error["data"]


def test_an_unknown_session_comes_with_candidates(served):
    data = failed(served, "stats/session", {"sessionId": "firts"})
    assert data == {"kind": "SessionNotFound", "sessionId": "firts", "candidates": ["first"]}


def test_a_comparison_with_an_unknown_session_names_it(served):
    data = failed(served, "stats/compare", {"sessionA": "first", "sessionB": "zzz"})
    assert data == {"kind": "SessionNotFound", "sessionId": "zzz", "candidates": []}


def test_the_oldest_session_has_none_before_it(served):
    data = failed(served, "stats/compare", {"sessionB": "first"})
    assert data == {"kind": "NoPreviousSession", "sessionId": "first"}


@pytest.mark.parametrize("reference", ["latest~2", "latest~999999999", "", "latest~-1", "~"])
def test_a_reference_beyond_the_sessions_is_not_found(served, reference):
    data = failed(served, "stats/session", {"sessionId": reference})
    assert (data["kind"], data["sessionId"]) == ("SessionNotFound", reference)


def test_an_ambiguous_prefix_comes_with_candidates(start, workspace):
    for session_id in ("aa-1", "aa-2"):
        workspace.add(session_id)
    raw = start()
    raw.initialize(workspace.root)
    assert failed(raw, "stats/session", {"sessionId": "aa"}) == {
        "kind": "SessionAmbiguous",
        "sessionId": "aa",
        "candidates": ["aa-1", "aa-2"],
    }


def test_an_unreadable_session_is_named_with_the_reason(served, root):
    uri = root.joinpath(*SESSIONS, "torn.json").as_uri()
    data = failed(served, "stats/session", {"uri": uri})
    assert (data["kind"], data["uri"]) == ("SessionUnreadable", uri)
    assert data["reason"]


def test_a_session_file_that_is_not_there_is_unreadable(served, root):
    uri = root.joinpath(*SESSIONS, "never.json").as_uri()
    data = failed(served, "stats/session", {"uri": uri})
    assert (data["kind"], data["uri"]) == ("SessionUnreadable", uri)


def test_a_workspace_without_sessions_is_named(start, workspace):
    raw = start()
    raw.initialize(workspace.root)
    for method, params in (
        ("stats/session", {}),
        ("stats/session", {"sessionId": "latest"}),
        ("stats/compare", {"sessionA": "a", "sessionB": "b"}),
        ("stats/model", {"sessionId": "a"}),
        ("stats/export", {"sessionId": "a"}),
    ):
        data = failed(raw, method, params)
        assert data == {"kind": "NoSessions", "workspaceUri": workspace.root.as_uri()}, method


def test_without_a_folder_there_is_no_workspace(start):
    raw = start()
    raw.initialize()
    for method in ("stats/session", "stats/history", "stats/model", "stats/export"):
        assert failed(raw, method, {}) == {"kind": "NoWorkspace"}, method


def test_a_folder_that_is_not_open_is_no_workspace(served):
    data = failed(served, "stats/history", {"workspaceUri": "file:///elsewhere"})
    assert data == {"kind": "NoWorkspace"}


def test_an_output_that_exists_is_named_by_uri(served, tmp_path):
    output = tmp_path / "it's [here] (1)~.json"
    output.touch()
    for named in (str(output), output.as_uri()):
        data = failed(served, "stats/export", {"output": named})
        assert data == {"kind": "OutputExists", "uri": output.as_uri()}


def test_an_output_that_cannot_be_written_is_named_by_uri(served, tmp_path):
    output = tmp_path / "missing" / "out.json"
    data = failed(served, "stats/export", {"output": str(output)})
    assert (data["kind"], data["uri"]) == ("OutputNotWritable", output.as_uri())
    assert data["reason"]
    assert not output.parent.exists()


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("stats/session", {"sessionId": "nobody"}),
        ("stats/session", {"uri": "file:///etc/passwd"}),
        ("stats/history", {"limit": 0}),
        ("stats/nothing", {}),
        ("textDocument/hover", {"textDocument": 5}),
        ("workspace/executeCommand", {"command": "rad.session", "arguments": [1]}),
        ("workspace/executeCommand", {"command": "rad.session", "arguments": [{}, {}]}),
        ("workspace/executeCommand", {"command": "rad.nothing"}),
        ("workspace/executeCommand", {"command": 5}),
        ("stats/export", {"output": "a" * 5000}),
    ],
)
def test_an_error_carries_no_traceback_and_no_path_of_the_machine(served, checkout, method, params):
    error = served.ask(method, params)["error"]
    said = str(error)
    assert "Traceback" not in said
    assert 'File "' not in said
    assert "site-packages" not in said
    assert str(checkout) not in said
    assert "\n" not in error["message"]


@pytest.mark.parametrize(
    ("command", "arguments", "code"),
    [
        ("rad.nothing", [], -32602),
        ("rad.session", [1], -32602),
        ("rad.session", [{}, {}], -32602),
        ("rad.session", [{"sessionId": 1}], -32602),
        ("rad.compare", [], -32602),
        ("rad.session", [{"sessionId": "nobody"}], -32803),
        ("rad.export", [{"sessionId": "nobody"}], -32803),
    ],
)
def test_a_command_fails_as_the_request_of_its_name(served, command, arguments, code):
    params = {"command": command, "arguments": arguments}
    assert served.ask("workspace/executeCommand", params)["error"]["code"] == code
