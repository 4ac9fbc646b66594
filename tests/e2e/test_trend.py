"""Sums over time and by tool, as a client of ours asks for them."""

from __future__ import annotations

import pytest
from pygls.exceptions import JsonRpcException


async def test_sums_over_time_are_those_that_the_command_prints(connect, workspace, rad):
    for name, day in (("a", "2026-03-02"), ("b", "2026-03-04")):
        begun, ended = f"{day}T09:00:00Z", f"{day}T12:00:00Z"
        workspace.add(name, start_time=begun, end_time=ended, generated_at=ended)
    client = await connect()
    params = {"unit": "day", "since": "2026-03-01", "until": "2026-03-04", "split": "model"}
    found = await client.ask("stats/trend", params)
    assert [row["label"] for row in found["rows"]] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert [row["sessions"] for row in found["rows"]] == [1, 0, 1]
    assert found["total"]["cost"] == pytest.approx(0.255)
    assert len(found["rows"][0]["parts"]) == 2
    period = ("--since", "2026-03-01", "--until", "2026-03-04")
    done = rad("stats", "daily", "--split", "model", *period, cwd=workspace.root)
    assert found["text"] == done.stdout
    assert found["markdown"].startswith("## Daily usage\n\n| Day / Model | Cost |")


async def test_tools_are_those_that_the_command_prints(connect, workspace, claude_code, rad):
    claude_code("a").answer(tools=["1"]).result("1")
    workspace.add("r")
    client = await connect()
    found = await client.ask("stats/tools", {"sessionId": "a"})
    assert [(row["name"], row["calls"], row["ok"]) for row in found["rows"]] == [("Bash", 1, 1)]
    assert found["text"] == rad("stats", "tools", "a", cwd=workspace.root).stdout
    assert (await client.ask("stats/tools"))["total"]["calls"] == 232


async def test_params_that_mean_nothing_are_refused(connect, workspace):
    workspace.add("a", end_time="2020-03-02T12:00:00Z")
    client = await connect()
    for params in ({"unit": "year"}, {"count": 0}, {"split": "day"}, {"since": "yesterday"}):
        with pytest.raises(JsonRpcException):
            await client.ask("stats/trend", params)
    with pytest.raises(JsonRpcException, match="more than 10,000 hours"):
        await client.ask("stats/trend", {"unit": "hour", "since": "2020-01-01"})
