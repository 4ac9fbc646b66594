"""`stats/overview`, and requests about the sessions of all projects."""

from __future__ import annotations

import json
import time

import pytest
from pygls.exceptions import JsonRpcException


@pytest.fixture
def now():
    """A time some seconds ago."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - 20))


@pytest.fixture
def two(workspace, claude_code, codex, now, tmp_path):
    """A workspace with a session of today, beside another project with two."""
    claude_code("mine", start=now).answer(tools=["a"]).result("a")
    claude_code("other", tmp_path / "elsewhere", start=now).prompt().prompt().answer().answer()
    codex("third", tmp_path / "elsewhere").answer()
    return workspace.root


async def test_an_overview_is_that_of_the_command(connect, two, rad, midday):
    client = await connect(settings={"timezone": midday, "budget": {"day": 0.005}})
    await client.status()
    found = await client.ask("stats/overview")
    flags = ("--timezone", midday)
    told = json.loads(rad("--json", *flags, cwd=two).stdout)
    for where, spans in (("here", told["here"]), ("everywhere", told["all_projects"])):
        for span in found[where]:
            figures = spans[span["name"]]
            assert (span["sessions"], span["tokens"]) == (
                figures["sessions"],
                figures["total_tokens"],
            )
            assert span["cost"] == pytest.approx(figures["cost"])
            assert span["before"]["cost"] == pytest.approx(figures["before"]["cost"])
    today = found["here"][0]
    assert (today["label"], today["costText"], today["change"]) == ("Today", "$0.0045", "")
    assert found["everywhere"][0]["costText"] == "$0.0135"
    assert [one["label"] for one in found["projects"]] == ["elsewhere", "workspace"]
    assert found["last"]["label"].startswith("Claude Code · mine · ")
    assert [row["summary"] for row in found["budgets"]] == ["Day: $0.0045 of $0.0050 (90.0%)"]
    assert "⚠ Day: $0.0045 of $0.0050 (90.0%)" in found["text"]
    heading, _, table = found["markdown"].partition("\n\n")
    assert heading.startswith("## ")
    assert table.startswith("|  | Cost | Before |")


async def test_an_overview_follows_what_is_written(connect, two, claude_code, now, tmp_path):  # noqa: ARG001
    client = await connect()
    await client.status()
    before = (await client.ask("stats/overview"))["everywhere"][2]["sessions"]
    claude_code("new", start=now).answer()
    await client.status(lambda status: status["totals"]["sessions"] == 2)
    found = await client.ask("stats/overview")
    assert found["everywhere"][2]["sessions"] == before + 1
    assert found["here"][2]["sessions"] == 2


async def test_a_folder_without_sessions_has_an_overview_of_all_projects(connect, two, tmp_path):  # noqa: ARG001
    empty = tmp_path / "empty"
    empty.mkdir()
    client = await connect(folders=[empty])
    await client.status()
    found = await client.ask("stats/overview")
    assert (found["here"], found["last"]["agent"]) == ([], "Claude Code")
    assert found["markdown"].startswith("## All projects\n")


async def test_where_no_agent_has_worked_an_overview_is_empty(connect):
    client = await connect()
    await client.status()
    found = await client.ask("stats/overview")
    assert (found["here"], found["last"], found["projects"]) == ([], None, [])
    assert found["text"] == found["markdown"] == "No session history found.\n"


async def test_lists_are_of_all_projects_when_that_is_asked_for(
    connect,
    two,  # noqa: ARG001
    claude_code,
    now,
    tmp_path,
):
    client = await connect()
    await client.status()
    everywhere = {"allProjects": True}
    found = await client.ask("stats/history", everywhere)
    assert [one["sessionId"] for one in found["sessions"]] == ["other", "mine", "third"]
    assert (await client.ask("stats/history"))["total"] == 1
    assert (await client.ask("stats/model", everywhere))["sessions"] == 3
    assert (await client.ask("stats/engine", everywhere))["sessions"] == 3
    assert (await client.ask("stats/cost", everywhere))["sessions"] == 3
    assert (await client.ask("stats/tools", everywhere))["total"]["calls"] == 1
    trend = await client.ask("stats/trend", {"unit": "month", "count": 999, **everywhere})
    assert trend["total"]["sessions"] == 3
    claude_code("fourth", tmp_path / "far", start=now).answer()
    while (await client.ask("stats/history", everywhere))["total"] < 4:
        pass


async def test_a_session_of_any_project_is_found_when_that_is_asked_for(connect, two):  # noqa: ARG001
    client = await connect()
    await client.status()
    one = {"sessionId": "other", "allProjects": True}
    assert (await client.ask("stats/session", one))["requests"] == 2
    assert (await client.ask("stats/cost", one))["sessions"] == 1
    both = {"sessionB": "other", "allProjects": True}
    compared = await client.ask("stats/compare", both)
    assert compared["sessionA"]["sessionId"] == "mine"
    with pytest.raises(JsonRpcException) as caught:
        await client.ask("stats/session", {"sessionId": "other"})
    assert caught.value.data
    assert caught.value.data["kind"] == "SessionNotFound"


async def test_a_list_can_be_that_of_one_project(connect, two, tmp_path):  # noqa: ARG001
    client = await connect()
    await client.status()
    trend = await client.ask(
        "stats/trend", {"unit": "month", "count": 999, "split": "project", "allProjects": True}
    )
    costs = {part["name"]: part["costText"] for part in trend["total"]["parts"]}
    elsewhere = str(tmp_path / "elsewhere")
    assert costs[elsewhere].startswith("$0.0")
    question = {"allProjects": True, "project": elsewhere}
    found = await client.ask("stats/history", {**question, "limit": 1})
    assert (len(found["sessions"]), found["total"]) == (1, 2)
    more = await client.ask("stats/history", {**question, "offset": 1})
    named = {row["sessionId"]: row["project"] for row in found["sessions"] + more["sessions"]}
    assert named == {"other": elsewhere, "third": elsewhere}
    for nowhere in ("", "/no/such"):
        question["project"] = nowhere
        assert (await client.ask("stats/history", question))["total"] == 0
    assert (await client.ask("stats/history", {"project": elsewhere}))["total"] == 0
