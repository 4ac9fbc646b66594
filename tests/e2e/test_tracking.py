"""A session that is tracked moves the status bar while it goes on."""

from __future__ import annotations

import asyncio
import os
import sys

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
