"""A session that is tracked moves the status bar while it goes on."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys

import pytest
from lsprotocol import types

AGENT = """
import os, sys
with open(os.environ["RAD_SESSION_EVENTS"], "a", encoding="utf-8") as events:
    for line in sys.stdin:
        events.write(line)
        events.flush()
"""
TOOL = b'{"type": "tool", "gen_ai.tool.name": "grep", "duration": 1.5}\n'
REQUEST = b'{"type": "request", "gen_ai.request.model": "some-model", "rad.cost": 0.25}\n'


async def test_the_status_moves_with_a_tracked_session(client, workspace):
    await client.status()
    arguments = ("session", "run", "--session-id", "live", "--", sys.executable, "-c", AGENT)
    agent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "rad_lsp.cli",
        *arguments,
        cwd=workspace.root,
        env=dict(os.environ),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert agent.stdin
    await client.sessions("live")
    agent.stdin.write(TOOL)
    status = await client.status(lambda status: status["totals"]["toolCalls"] == 1)
    assert status["text"] == "$0.0000 · 100.0%"
    agent.stdin.write(REQUEST)
    status = await client.status(lambda status: status["totals"]["cost"] == 0.25)
    assert status["text"] == "$0.2500 · 100.0%"
    found = await client.ask("stats/session", {"sessionId": "live"})
    assert "(running)" in found["text"]
    await agent.communicate(b"")
    assert agent.returncode == 0
    await client.status(lambda status: status["session"] and status["session"]["endTime"])
    found = await client.ask("stats/session", {"sessionId": "live"})
    assert "(running)" not in found["text"]


async def test_each_run_of_a_resumed_session_has_what_was_done_in_it(
    client, workspace, rad, resume
):
    for name, requests in (("first", 2), ("second", 3)):
        tracked = ("session", "run", "--session-id", name, "--")
        await asyncio.to_thread(rad, *tracked, *resume(requests), cwd=workspace.root)
    shown = {"first": (2, pytest.approx(0.0090)), "second": (3, pytest.approx(0.0135))}
    # Before the report of the second run is seen, what it did is the transcript's own session.
    status = await client.status(
        lambda status: (
            status["session"]
            and (status["session"]["sessionId"], status["session"]["cost"])
            == ("second", shown["second"][1])
        )
    )
    assert status["totals"]["cost"] == pytest.approx(0.0225)
    history = (await client.ask("stats/history"))["sessions"]
    assert {row["sessionId"]: (row["requests"], row["cost"]) for row in history} == shown
    for name, (requests, cost) in shown.items():
        for params in (
            {"sessionId": name},
            {"uri": (workspace.sessions / f"{name}.json").as_uri()},
        ):
            found = await client.ask("stats/session", params)
            assert (found["requests"], found["cost"]) == (requests, cost)
        (row,) = (await client.ask("stats/model", {"sessionId": name}))["rows"]
        assert (row["requests"], row["cost"]) == (requests, cost)
        exported = await client.ask("stats/export", {"sessionId": name})
        assert json.loads(exported["content"])["metrics"]["total_cost"] == cost
        document = types.TextDocumentIdentifier(params["uri"])
        lenses = await client.text_document_code_lens_async(types.CodeLensParams(document))
        assert lenses[0].command.title.startswith(f"${cost.expected:.4f}")
    # What is done by hand is no part of either.
    await asyncio.to_thread(subprocess.run, resume(1), cwd=workspace.root, check=True)
    await client.status(lambda status: status["totals"]["toolCalls"] == 6)
    history = (await client.ask("stats/history"))["sessions"]
    costs = {row["sessionId"]: (row["requests"], row["cost"]) for row in history}
    assert costs == {"resumed": (1, pytest.approx(0.0045)), **shown}
