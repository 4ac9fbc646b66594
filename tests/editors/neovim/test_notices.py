"""Notices of the server that offer something to do: they wait until the user wants them."""

from __future__ import annotations

import json
import re
import sys

import pytest

SERVER = """
import json, sys

def send(**message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\\r\\n\\r\\n%b" % (len(body), body))
    sys.stdout.buffer.flush()

def receive():
    length = 0
    while (line := sys.stdin.buffer.readline()).strip():
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return json.loads(sys.stdin.buffer.read(length)) if length else None

while message := receive():
    if message.get("method") == "initialize":
        send(id=message["id"], result={"capabilities": {}})
    elif message.get("method") == "initialized":
        actions = [{"title": "Show"}, {"title": "Not again"}]
        for number, text in enumerate(["80% of today's $20 are spent. " * 9, "Second\\nnotice"], 1):
            params = {"type": 2, "message": text, "actions": actions}
            send(id=number, method="window/showMessageRequest", params=params)
    elif "method" not in message:
        with open(sys.argv[1], "a") as answers:
            print(json.dumps(message.get("result")), file=answers)
        if message["result"] == {"title": "Show"}:
            send(method="stats/show", params={"what": "budget", "workspaceUri": "file:///w"})
    elif message.get("method") == "stats/budget":
        text = "Budgets of " + message["params"]["workspaceUri"]
        send(id=message["id"], result={"rows": [{}], "text": text})
"""


@pytest.fixture
def answers(tmp_path):
    (tmp_path / "server.py").write_text(SERVER, encoding="utf-8")
    file = tmp_path / "answers"
    file.touch()
    return lambda: [json.loads(line) for line in file.read_text().splitlines()]


def test_a_notice_does_not_keep_anyone_from_typing(start, workspace, tmp_path, answers):
    command = [sys.executable, str(tmp_path / "server.py"), str(tmp_path / "answers")]
    nvim = start(workspace.root / "a.txt", command=command, extra="vim.cmd('startinsert')")
    nvim.terminal.type("typed on")
    messages = "vim.fn.execute('messages')"
    nvim.wait(f"{messages}:find('rad-lsp: Second notice (:Rad notice)', 1, true)")
    nvim.terminal.type(" and on\x1b")
    nvim.wait("vim.api.nvim_buf_get_lines(0, 0, -1, false)[1] == 'typed on and on'")
    assert "rad-lsp: 80% of today's $20 are spent." in nvim.lua(f"return {messages}")
    nvim.type_command("Rad notice")
    nvim.terminal.wait("Type number and <Enter>")
    nvim.terminal.type("2\r")
    second = re.compile("Second\nnotice.*Type number and <Enter>", re.DOTALL)
    nvim.terminal.wait(lambda: second.search(nvim.terminal.text), "the second notice")
    nvim.terminal.type("1\r")
    nvim.terminal.wait(lambda: len(answers()) == 2, "both answers")
    assert answers() == [{"title": "Not again"}, {"title": "Show"}]
    nvim.terminal.wait("Budgets of file:///w")
    nvim.terminal.type("q")
    nvim.type_command("Rad notice")
    nvim.terminal.wait("rad-lsp: There is no notice")
