"""`stats/session`: one session in full."""

from __future__ import annotations

import pytest
from pygls.exceptions import JsonRpcException


async def test_a_session_has_its_figures_and_the_text_of_the_command(client, workspace, rad):
    workspace.add("first")
    await client.status(lambda status: status["session"])
    stats = await client.ask("stats/session", {"sessionId": "fir"})
    assert stats["sessionId"] == "first"
    assert stats["successRate"] == pytest.approx(100 * 214 / 231)
    assert stats["wallTime"] == 14994
    assert stats["approvals"] == {"allowed": 40, "denied": 2, "asked": 9}
    assert stats["text"] == rad("stats", "session", cwd=workspace.root).stdout


async def test_without_sessions_the_answer_says_so(client):
    with pytest.raises(JsonRpcException) as caught:
        await client.ask("stats/session")
    assert caught.value.code == -32803
    assert caught.value.data["kind"] == "NoSessions"
