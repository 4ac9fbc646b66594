"""`stats/status`: what a status bar shows, and when."""

from __future__ import annotations


async def test_an_empty_workspace_says_no_sessions(client):
    status = await client.status()
    assert (status["text"], status["session"], status["severity"]) == ("no sessions", None, "ok")


async def test_a_report_that_is_added_is_reported(client, workspace):
    await client.status()
    workspace.add("first", total_cost=0.1275)
    status = await client.status(lambda status: status["session"])
    assert status["text"] == "$0.1275 · 92.6%"
    assert status["session"]["sessionId"] == "first"
    assert status["workspaceUri"] == workspace.root.as_uri()
    assert status["totals"]["sessions"] == 1


async def test_a_corrupt_report_is_counted_and_warned_of(client, workspace):
    workspace.raw("torn.json", b'{"metrics": {')
    status = await client.status(lambda status: status["skipped"])
    assert (status["skipped"], status["severity"]) == (1, "warning")
