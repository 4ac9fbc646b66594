"""Every request gets exactly one reply, whatever arrives."""

from __future__ import annotations

import json

import pytest

METHODS = [
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
]
ALL_OPTIONAL = [method for method in METHODS if method != "stats/compare"]

REQUESTS = [
    *METHODS,
    "textDocument/hover",
    "textDocument/codeLens",
    "textDocument/inlayHint",
    "textDocument/documentSymbol",
    "textDocument/diagnostic",
    "textDocument/codeAction",
    "workspace/symbol",
    "workspace/executeCommand",
]
SHAPES = [None, [], [1], {}, "text", 5, True, {"": None}, {"textDocument": {"uri": 5}}]


MALFORMED = [
    b'{"jsonrpc": "2.0", "id": 1, "method": "stats/session", "params": xyzzy}',
    b'["xyzzy"]',
    b'{"jsonrpc": "xyzzy", "id": 1, "method": "stats/session"}',
    b'{"jsonrpc": "2.0", "xyzzy": 1}',
    b'{"jsonrpc": "2.0", "id": 1, "method": ["xyzzy"]}',
    b'{"jsonrpc": "2.0", "id": {"xyzzy": 1}, "method": "stats/session"}',
    b'{"jsonrpc": "2.0", "id": 1, "method": "textDocument/hover", "params": {"xyzzy": 1}}',
]


@pytest.mark.parametrize("body", MALFORMED)
def test_a_malformed_message_is_answered_and_logged_by_its_length_alone(start, workspace, body):
    raw = start("--log-level", "debug")
    raw.initialize(workspace.root)
    raw.send_bytes(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    reply = raw.next(lambda message: "error" in message and message.get("id") in {None, 1})
    assert f"{len(body)} bytes" in reply["error"]["message"]
    raw.notify("textDocument/didOpen", {"xyzzy": 1})
    raw.said(rb"Ignored a message of \d+ bytes")
    raw.said(b"Refused a message of %d bytes" % len(body))
    assert "xyzzy" not in json.dumps(reply)
    assert b"xyzzy" not in raw.errors


def only_reply(served, msg_id):
    """The reply to a request, and that there is no second one."""
    reply = served.reply(msg_id)
    assert not [m for m in served.rest() if "method" not in m and m.get("id") == msg_id]
    return reply


@pytest.mark.parametrize("params", [(), (None,), ({},)], ids=["missing", "null", "empty"])
@pytest.mark.parametrize("method", ALL_OPTIONAL)
def test_params_may_be_missing_or_null_where_all_are_optional(served, method, params):
    assert "result" in served.ask(method, *params)


@pytest.mark.parametrize("params", [(), (None,), ({},)], ids=["missing", "null", "empty"])
def test_a_field_that_is_missing_is_named(served, params):
    error = served.ask("stats/compare", *params)["error"]
    assert error["code"] == -32602
    assert "sessionB" in error["message"]


@pytest.mark.parametrize(
    ("method", "params", "field"),
    [
        ("stats/session", {"sessionId": 5}, "sessionId"),
        ("stats/session", {"uri": ["a"]}, "uri"),
        ("stats/session", {"sessionId": "a", "uri": "file:///a"}, "uri"),
        ("stats/session", {"workspaceUri": 1}, "workspaceUri"),
        ("stats/model", {"since": 5}, "since"),
        ("stats/model", {"since": "yesterday"}, "since"),
        ("stats/engine", {"until": "never"}, "until"),
        ("stats/cost", {"sessionId": 5}, "sessionId"),
        ("stats/cost", {"since": "yesterday"}, "since"),
        ("stats/cost", {"uri": "file:///a"}, "uri"),
        ("stats/budget", {"sessionId": "a"}, "sessionId"),
        ("stats/history", {"limit": 0}, "limit"),
        ("stats/history", {"limit": 101}, "limit"),
        ("stats/history", {"limit": "5"}, "limit"),
        ("stats/history", {"limit": 1.5}, "limit"),
        ("stats/history", {"limit": True}, "limit"),
        ("stats/history", {"offset": -1}, "offset"),
        ("stats/history", {"offset": 10**400}, "offset"),
        ("stats/compare", {"sessionA": "a"}, "sessionB"),
        ("stats/compare", {"sessionA": "a", "sessionB": None}, "sessionB"),
        ("stats/compare", {"sessionA": 5, "sessionB": "a"}, "sessionA"),
        ("stats/export", {"format": "xml"}, "format"),
        ("stats/export", {"overwrite": "yes"}, "overwrite"),
        ("stats/export", {"output": 1}, "output"),
        ("stats/export", {"output": ""}, "output"),
        ("stats/export", {"output": "a\0b"}, "output"),
        ("stats/export", {"output": "file:"}, "output"),
        ("stats/session", {"uri": "file:///etc/passwd"}, "uri"),
        ("stats/session", {"uri": "untitled:Untitled-1"}, "uri"),
        ("stats/session", {"uri": "file://[/x.json"}, "uri"),
        ("stats/session", {"sessionID": "a"}, "sessionID"),
        ("stats/history", {"limit": 5, "page": 2}, "page"),
    ],
)
def test_params_of_the_wrong_shape_are_refused_by_the_fields_name(served, method, params, field):
    error = served.ask(method, params)["error"]
    assert error["code"] == -32602
    assert field in error["message"]
    assert "\n" not in error["message"]


@pytest.mark.parametrize("params", [[], [1], "text", 5, True])
@pytest.mark.parametrize("method", METHODS)
def test_params_that_are_no_object_are_refused(served, method, params):
    assert served.ask(method, params)["error"]["code"] == -32602


@pytest.mark.parametrize("method", REQUESTS)
def test_a_request_gets_one_reply_whatever_its_params(served, method):
    ids = []
    for params in SHAPES:
        ids.append(served.new_id())
        served.send({"id": ids[-1], "method": method, "params": params})
    ids.append(served.new_id())
    served.send({"id": ids[-1], "method": method})
    replies = [served.reply(msg_id) for msg_id in ids]
    assert [m for m in served.rest() if m.get("id") in ids] == []
    for reply in replies:
        assert ("result" in reply) != ("error" in reply)
        assert reply.get("error", {}).get("code") != -32603


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "x",
        "file://",
        "file:///",
        "file://[",
        "http://[",
        "file:///a%00/.radium/_internals/sessions/a.json",
        "file:///" + "a" * 5000 + "/.radium/_internals/sessions/a.json",
        "file:///.radium/_internals/sessions/" + "a" * 300 + ".json",
        "file://server/share/.radium/_internals/sessions/a.json",
        "http://example.com/.radium/_internals/sessions/a.json",
        "git:/w/.radium/_internals/sessions/a.json?%7B%7D",
        "file:///%ff/.radium/_internals/sessions/a.json",
        "\ud800",
    ],
)
def test_a_uri_that_is_no_reports_has_nothing_to_show(served, uri):
    document = {"uri": uri}
    position = {"line": 0, "character": 0}
    asked = {
        "textDocument/hover": {"textDocument": document, "position": position},
        "textDocument/codeLens": {"textDocument": document},
        "textDocument/documentSymbol": {"textDocument": document},
    }
    for method, params in asked.items():
        assert not served.ask(method, params).get("result", "an error"), method


@pytest.mark.parametrize(
    ("line", "character"),
    [(-1, 0), (0, -1), (10**9, 0), (0, 10**9), (2**31 - 1, 2**31 - 1), (2**64, 0)],
)
def test_a_position_outside_of_a_report_is_no_fault(served, root, line, character):
    uri = (root / ".radium" / "_internals" / "sessions" / "first.json").as_uri()
    position = {"line": line, "character": character}
    params = {"textDocument": {"uri": uri}, "position": position}
    reply = served.ask("textDocument/hover", params)
    assert reply.get("error", {}).get("code") in {None, -32602}


@pytest.mark.parametrize(
    "nested",
    [{"jsonrpc": "2.0"}, {"jsonrpc": "2.0", "method": "exit"}, {"jsonrpc": "2.0", "id": 1}],
)
def test_a_nested_jsonrpc_key_is_just_a_key(served, nested):
    reply = served.ask("stats/session", {"sessionId": nested})
    assert reply["error"]["code"] == -32602
    arguments = {"command": "rad.session", "arguments": [nested]}
    reply = served.ask("workspace/executeCommand", arguments)
    assert reply["error"]["code"] == -32602


@pytest.mark.parametrize("method", ["stats/nothing", "", "$/private", "workspace/configuration"])
def test_an_unknown_method_is_said_to_be_unknown(served, method):
    msg_id = served.new_id()
    served.send({"id": msg_id, "method": method, "params": {"items": []}})
    assert only_reply(served, msg_id)["error"]["code"] == -32601


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("initialized", {}),
        ("textDocument/didOpen", {}),
        (
            "textDocument/didClose",
            {"textDocument": {"uri": "file:///w/.radium/_internals/sessions/a.json"}},
        ),
        ("workspace/didChangeConfiguration", {"settings": None}),
        ("textDocument/publishDiagnostics", {"uri": "file:///a", "diagnostics": []}),
        ("$/cancelRequest", {"id": 1}),
        ("$/setTrace", {"value": "off"}),
        ("stats/status", {}),
        ("exit", None),
    ],
)
def test_a_notification_sent_as_a_request_is_answered_all_the_same(served, method, params):
    msg_id = served.new_id()
    served.send({"id": msg_id, "method": method, "params": params})
    assert "error" in only_reply(served, msg_id)


@pytest.mark.parametrize("extra", [{"error": {}}, {"result": 1}, {"error": None, "result": None}])
def test_a_request_that_also_looks_like_a_response_is_answered(served, extra):
    msg_id = served.new_id()
    served.send({"id": msg_id, "method": "stats/history", **extra})
    only_reply(served, msg_id)


@pytest.mark.parametrize("msg_id", [0, -1, 2**31, 2**53, 2**64, 10**30, "", "é", "x" * 10_000])
@pytest.mark.parametrize("method", ["stats/history", "stats/nothing"])
def test_a_reply_carries_the_id_as_it_was_sent(served, msg_id, method):
    served.send({"id": msg_id, "method": method})
    assert only_reply(served, msg_id)["id"] == msg_id


@pytest.mark.parametrize("msg_id", [None, 1.5, True, [], {}])
def test_a_request_whose_id_is_of_no_use_is_an_invalid_request(served, msg_id):
    served.send({"id": msg_id, "method": "stats/history"})
    assert only_reply(served, None)["error"]["code"] == -32600


@pytest.mark.parametrize(
    "message",
    [
        {"method": "stats/nothing \ud800"},
        {"method": "stats/session", "params": {"sessionId": "\ud800"}},
        {"method": "stats/session", "params": {"\udfff": 1}},
        {"method": "stats/session", "params": {"workspaceUri": "\ud800"}},
        {"method": "stats/compare", "params": {"sessionA": "\ud800", "sessionB": "a"}},
        {"method": "stats/model", "params": {"since": "\ud800"}},
        {"method": "stats/export", "params": {"output": "\ud800"}},
        {"method": "stats/session", "params": {"uri": "file:///\ud800"}},
        {"method": "workspace/symbol", "params": {"query": "\ud800"}},
        {"method": "workspace/executeCommand", "params": {"command": "\ud800"}},
    ],
)
def test_half_a_character_in_a_request_does_not_cost_the_reply(served, message):
    msg_id = served.new_id()
    served.send({"id": msg_id, **message})
    only_reply(served, msg_id)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("stats/session", {"sessionId": "\ud800"}),
        ("stats/session", {"workspaceUri": "file:///\udcff"}),
        ("stats/export", {"output": "\ud800"}),
        ("stats/export", {"output": "a\udcff.csv"}),
        ("stats/export", {"format": "\ud800"}),
        (
            "workspace/executeCommand",
            {"command": "rad.export", "arguments": [{"output": "\ud800"}]},
        ),
    ],
)
def test_half_a_character_in_params_of_ours_makes_them_invalid(served, method, params):
    error = served.ask(method, params)["error"]
    assert (error["code"], error["message"]) == (-32602, "Half of a surrogate pair is no character")


def test_half_a_character_as_an_id_does_not_end_the_server(served):
    served.send({"id": "\ud800", "method": "stats/history"})
    assert "result" in served.ask("stats/history")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"nonsense",
        b'{"jsonrpc": "2.0", "id": 1, "method": "stats/session"',
        b"\xff\xfe",
        b'{"jsonrpc": "2.0", "id": 1, "method": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 10_000,
    ],
    ids=["empty", "blank", "brace", "word", "cut", "bytes", "not-utf8", "deep", "keys", "digits"],
)
def test_what_is_not_json_is_a_parse_error(served, body):
    served.send_bytes(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    assert only_reply(served, None)["error"]["code"] == -32700


@pytest.mark.parametrize(
    "message",
    [
        [],
        [{"jsonrpc": "2.0", "id": 1, "method": "stats/session"}],
        5,
        None,
        "text",
        {},
        {"id": 1, "method": "stats/session"},
        {"jsonrpc": "1.0", "method": "stats/session"},
        {"jsonrpc": 2.0, "id": 1, "method": "stats/session"},
        {"jsonrpc": "2.0"},
        {"jsonrpc": "2.0", "id": 1, "method": 5},
        {"jsonrpc": "2.0", "method": None},
    ],
)
def test_what_is_no_message_is_an_invalid_request(served, message):
    body = json.dumps(message).encode()
    served.send_bytes(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    msg_id = message.get("id") if isinstance(message, dict) else None
    assert only_reply(served, msg_id)["error"]["code"] == -32600


@pytest.mark.parametrize(
    "message",
    [
        {"id": "nobody", "result": None},
        {"id": 99, "error": {"code": 1, "message": "x"}},
        {"id": None, "result": 1},
        {"id": [], "result": 1},
        {"id": 1},
        {"id": 1, "error": None},
        {"method": "stats/status", "params": {}},
        {"method": "textDocument/didOpen", "params": 5},
        {"method": "textDocument/didChange"},
        {"method": "textDocument/didClose", "params": {"textDocument": {"uri": "x"}}},
        {
            "method": "textDocument/didChange",
            "params": {"textDocument": {"uri": "x", "version": 1}, "contentChanges": []},
        },
        {
            "method": "textDocument/didChange",
            "params": {
                "textDocument": {"uri": "file:///never-opened", "version": 1},
                "contentChanges": [{"text": "x"}],
            },
        },
        {"method": "$/cancelRequest", "params": {"id": "nobody"}},
        {"method": "$/cancelRequest"},
        {"method": "$/cancelRequest", "params": {"id": []}},
        {"method": "window/workDoneProgress/cancel", "params": {"token": "nobody"}},
        {"method": "workspace/didChangeConfiguration", "params": []},
        {"method": "workspace/didChangeWatchedFiles", "params": {"changes": [{"uri": 1}]}},
        {
            "method": "workspace/didChangeWatchedFiles",
            "params": {"changes": [{"uri": "file://[", "type": 1}]},
        },
        {"method": "workspace/didChangeWorkspaceFolders", "params": {"event": None}},
        {"method": "shutdown"},
        {"method": "initialize", "params": {"capabilities": {}}},
        {"method": "nothing/known"},
    ],
)
def test_what_asks_nothing_is_answered_nothing_and_the_server_goes_on(served, message):
    served.rest()
    served.send(message)
    assert "result" in served.ask("stats/history")
    assert [m for m in served.rest() if "method" not in m] == []


def test_a_response_with_a_requests_id_does_not_answer_it_twice(served):
    msg_id = served.new_id()
    served.send({"id": msg_id, "method": "stats/export"})
    served.send({"id": msg_id, "result": "mine"})
    assert only_reply(served, msg_id)["result"]["sessions"] == 2


def test_requests_sent_all_at_once_are_all_answered(served):
    ids = [served.new_id() for _ in range(200)]
    body = b""
    for msg_id in ids:
        message = {"jsonrpc": "2.0", "id": msg_id, "method": "stats/session"}
        one = json.dumps(message).encode()
        body += b"Content-Length: %d\r\n\r\n%b" % (len(one), one)
    served.send_bytes(body)
    for msg_id in ids:
        assert served.reply(msg_id)["result"]["sessionId"] == "second"
    assert [m for m in served.rest() if m.get("id") in ids] == []


def test_a_message_in_pieces_is_one_message(served):
    msg_id = served.new_id()
    body = json.dumps({"jsonrpc": "2.0", "id": msg_id, "method": "stats/session"}).encode()
    header = b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n"
    for byte in header + b"content-length:%d\r\n\r\n%b" % (len(body), body):
        served.send_bytes(bytes([byte]))
    assert only_reply(served, msg_id)["result"]["sessionId"] == "second"


def test_a_large_message_is_read(served):
    reply = served.ask("stats/session", {"sessionId": "x" * 3_000_000})
    assert reply["error"]["data"]["kind"] == "SessionNotFound"
