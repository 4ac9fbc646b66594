"""Whatever is sent, the server goes on, and answers each request once."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter

import pytest

MESSAGES = 2_000
SEED = 20261207

VALUES = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    2**31,
    2**53 + 1,
    2**64,
    10**40,
    1e308,
    "",
    "latest",
    "latest~1",
    "file:///",
    "file://[",
    "file:///a%00b",
    "\ud800",
    "\0",
    "😀" * 50,
    "x" * 1000,
    [],
    {},
    [[]],
    {"jsonrpc": "2.0", "method": "exit"},
    {"": {"": {}}},
]
KEYS = ["id", "method", "params", "jsonrpc", "uri", "error", "result", "sessionId", "limit", "😀"]


@pytest.fixture
def seeds(root):
    """Messages as an editor sends them."""
    uri = root.joinpath(".radium", "_internals", "sessions", "first.json").as_uri()
    document = {"uri": uri}
    start, end = {"line": 0, "character": 0}, {"line": 80, "character": 0}
    place = {"textDocument": document, "position": {"line": 20, "character": 7}}
    span = {"textDocument": document, "range": {"start": start, "end": end}}
    opened = {"uri": uri, "languageId": "json", "version": 1, "text": '{"metrics": {}}'}
    change = {"range": {"start": start, "end": start}, "text": " "}
    asked = [
        ("stats/session", {"sessionId": "latest"}),
        ("stats/session", {"uri": uri}),
        ("stats/model", {"since": "7d", "until": "2026-01-01"}),
        ("stats/engine", {"sessionId": "first"}),
        ("stats/history", {"limit": 5, "offset": 0}),
        ("stats/compare", {"sessionA": "first", "sessionB": "second"}),
        ("stats/export", {"format": "csv", "overwrite": False}),
        ("textDocument/hover", place),
        ("textDocument/codeLens", {"textDocument": document}),
        ("textDocument/inlayHint", span),
        ("textDocument/documentSymbol", {"textDocument": document}),
        ("textDocument/diagnostic", {"textDocument": document}),
        ("textDocument/codeAction", {**span, "context": {"diagnostics": []}}),
        ("workspace/symbol", {"query": "fir"}),
        ("workspace/executeCommand", {"command": "rad.session", "arguments": [{}]}),
    ]
    told = [
        ("textDocument/didOpen", {"textDocument": opened}),
        (
            "textDocument/didChange",
            {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [change]},
        ),
        ("textDocument/didClose", {"textDocument": document}),
        ("workspace/didChangeConfiguration", {"settings": {"radLsp": {"timezone": "UTC"}}}),
        ("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 2}]}),
        ("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": []}}),
        ("$/cancelRequest", {"id": 7}),
        ("$/setTrace", {"value": "verbose"}),
    ]
    requests = [{"id": 0, "method": method, "params": params} for method, params in asked]
    notifications = [{"method": method, "params": params} for method, params in told]
    return [{"jsonrpc": "2.0", **message} for message in requests + notifications]


def places(value):
    """Every container in a value, itself included."""
    if isinstance(value, (dict, list)):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from places(inner)


def mutate(dice, message):
    """Change a message in one place or a few; never into `exit` or `shutdown`."""
    message = copy.deepcopy(message)
    for _ in range(dice.choice([0, 1, 1, 1, 2, 4])):
        place = dice.choice(list(places(message)))
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        kind = dice.randrange(4)
        if kind == 0 and keys:
            del place[dice.choice(keys)]
        elif kind == 1 and isinstance(place, dict):
            place[dice.choice(KEYS)] = copy.deepcopy(dice.choice(VALUES))
        elif keys:
            place[dice.choice(keys)] = copy.deepcopy(dice.choice(VALUES))
    return message


def damage(dice, body):
    """Change a few bytes of a message."""
    body = bytearray(body)
    for _ in range(dice.choice([1, 1, 2, 8])):
        where = dice.randrange(len(body))
        if dice.random() < 0.5:
            body[where] = dice.randrange(256)
        else:
            del body[where : where + dice.randrange(1, 20)]
        if not body:
            break
    return bytes(body)


def asked_id(body):
    """The id that a message asks to be answered under, or None; and whether it must be answered."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None, False
    msg_id = message.get("id") if isinstance(message, dict) else None
    if not isinstance(msg_id, (str, int)) or isinstance(msg_id, bool):
        return None, False
    return msg_id, isinstance(message.get("method"), str)


def test_thousands_of_mutated_messages_are_survived_and_answered_once(served, seeds):
    dice = random.Random(SEED)  # noqa: S311
    asked, demanded = Counter(), Counter()
    for number in range(MESSAGES):
        message = dice.choice(seeds)
        if "id" in message:
            message = {**message, "id": number}
        message = mutate(dice, message)
        body = json.dumps(message).encode()
        if dice.random() < 0.15:
            body = damage(dice, body)
        msg_id, must = asked_id(body)
        asked[msg_id] += 1
        demanded[msg_id] += must
        served.send_bytes(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        if number % 100 == 99:  # the server is not to be buried in requests
            assert "result" in served.ask("stats/history", {"limit": 1})
    last = served.ask("stats/session", {"sessionId": "second"})
    assert last["result"]["sessionId"] == "second"
    taken = served.rest()
    # Exports are answered from threads, so maybe after what was asked later.
    late = demanded - Counter(m["id"] for m in taken if "method" not in m)
    taken += [served.reply(msg_id) for msg_id in late.elements()]
    taken += served.rest()
    replies = [m for m in taken if "method" not in m and m["id"] is not None]
    answered = Counter(m["id"] for m in replies if not str(m["id"]).startswith("own-"))
    assert {i: n for i, n in answered.items() if n > asked[i]} == {}
    assert {i: n for i, n in demanded.items() if n > answered[i]} == {}
    assert "Traceback" not in json.dumps(replies)
