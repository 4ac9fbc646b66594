"""Budgets that are passed: said once, whichever server says it; and the request about them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from rad_lsp import settings
from tests.e2e.conftest import appears, capabilities_of

GATHERED = 1.0
"""Seconds after which a server says what it has gathered."""


@pytest.fixture
def two_days():
    """Two time zones in which it is not the same day, and neither day ends within a test."""

    def local(zone):
        return datetime.now(ZoneInfo(zone))

    west, east = (f"Etc/GMT+{hours}" for hours in (12, 11, 10)), ("Etc/GMT-14", "Etc/GMT-13")
    return next(
        (one, other)
        for one, other in product(west, east)
        if 0 < local(one).hour < 23 and 0 < local(other).hour < 23
        if local(one).date() != local(other).date()
    )


@pytest.fixture
def spend(workspace):
    """Adds a session that ended just now."""

    def add(session_id, cost):
        now = datetime.now(UTC)
        start = (now - timedelta(minutes=1)).isoformat()
        workspace.add(session_id, start_time=start, end_time=now.isoformat(), total_cost=cost)

    return add


def shows(status, session_id):
    return status["session"] is not None and status["session"]["sessionId"] == session_id


async def settled(clients, spend, session_id):
    """All of them have looked again, and had time to say what they had to say before."""
    spend(session_id, 0.0)
    for client in clients:
        await client.status(lambda status: shows(status, session_id))
    await asyncio.sleep(GATHERED)


async def is_said(clients, count):
    """Wait until so much was said, by any of them."""
    await appears(lambda: len(said(clients)) >= count)


def said(clients):
    return [message.message for client in clients for message in client.messages]


@pytest.fixture
def damaged():
    """A record of what was told in which nothing can be read."""
    told = settings.data_folder() / "told"
    told.parent.mkdir(parents=True)
    told.write_bytes(b"\0damaged")
    return told


async def test_a_budget_is_said_once_by_two_servers_and_again_in_the_next_period(
    connect, workspace, spend, two_days
):
    day, other_day = two_days
    own = {"timezone": day, "budget": {"day": 1.0}}
    clients = [await connect(settings=own), await connect(settings=own)]
    spend("a", 0.85)
    for client in clients:
        await client.status(lambda status: status["severity"] == "warning")
    await is_said(clients, 1)
    await settled(clients, spend, "b")
    name = workspace.root.name
    assert said(clients) == [f"80% of the day's budget of $1.0000 is passed: $0.8500 ({name})."]
    spend("c", 0.35)
    for client in clients:
        await client.status(lambda status: "$1.2000" in status["tooltip"])
    await is_said(clients, 2)
    await settled(clients, spend, "d")
    whole = f"The day's budget of $1.0000 is passed: $1.2000 ({name})."
    assert said(clients)[-1:] == [whole] or said(clients)[:1] == [whole]
    assert len(said(clients)) == 2
    late = await connect(settings=own)
    await late.status(lambda status: status["severity"] == "warning")
    await settled([late], spend, "e")
    assert late.messages == []
    for client in clients:
        client.messages.clear()
        client.configures(own | {"timezone": other_day})
    await settled(clients, spend, "f")
    await is_said(clients, 1)
    await settled(clients, spend, "g")
    assert said(clients) == [whole]


async def test_a_record_that_is_damaged_is_made_anew(connect, spend, midday, damaged):
    spend("a", 5.0)
    own = {"timezone": midday, "budget": {"month": 1}}
    client = await connect(settings=own)
    assert "The month's budget of $1.0000 is passed: $5.0000" in (await client.message()).message
    assert await asyncio.to_thread(damaged.is_dir)
    other = await connect(settings=own)
    await other.status(lambda status: status["severity"] == "warning")
    await settled([client, other], spend, "b")
    assert len(said([client, other])) == 1


async def test_a_projects_budget_is_said_in_its_own_windows(
    connect, workspace, claude_code, user_settings, midday, tmp_path
):
    other = tmp_path / "other"
    other.mkdir()
    now = (datetime.now(UTC) - timedelta(seconds=30)).isoformat()
    claude_code("a", start=now).answer()
    claude_code("b", other, start=now).answer()
    user_settings(
        f'timezone = "{midday}"\n[budget.projects.workspace]\nmonth = 0.001\n'
        '[budget.projects."\\u001b[2J\\u202e"]\nday = 0\n'
    )
    client = await connect([workspace.root, other])
    status = await client.status(lambda one: one["severity"] == "warning", workspace.root)
    sentence = "The month's budget of $0.0010 for workspace is passed: $0.0045"
    assert sentence in status["tooltip"]
    assert (await client.message()).message == f"{sentence}."
    status = await client.status(lambda one: one["session"] is not None, other)
    assert status["severity"] == "ok"


async def test_a_request_tells_of_all_budgets(connect, spend, user_settings, midday):
    user_settings("[budget.projects.other]\nweek = 7\n")
    spend("a", 5.0)
    client = await connect(settings={"timezone": midday, "budget": {"day": 4, "session": 9}})
    await client.status(lambda status: status["severity"] == "warning")
    found = await client.ask("stats/budget")
    session, day, other = found["rows"]
    assert (session["name"], session["sessionId"], session["cost"]) == ("session", "a", 5.0)
    assert (day["left"], day["used"], day["passed"], day["expected"]) == (-1.0, 125.0, True, None)
    assert (other["project"], other["cost"], other["limit"]) == ("other", 0.0, 7.0)
    assert found["text"].startswith("Budgets\n")
    assert found["markdown"].startswith("## Budgets\n")
    assert found["warnAt"] == [80, 100]


OURS = capabilities_of("visual-studio-code", ["radLsp.showNotice"])


def choosing(title):
    """What a user does who answers at once with an action of this title."""

    async def answer(params):
        return next(action for action in params.actions if action.title == title)

    return answer


async def test_a_notice_can_be_shown_and_silenced_for_good(connect, workspace, spend, midday):
    own = {"timezone": midday, "budget": {"day": 1.0, "month": 1.0}}
    clients = [await connect(settings=own, editor=OURS) for _ in range(2)]
    for client in clients:
        client.answer = choosing("Show")
    spend("a", 0.85)
    first = await _told(clients)
    (notice,) = first.notices
    assert [action.title for action in notice.actions] == ["Show", "Not again"]
    # Both budgets are one message, in one of the windows.
    assert "80% of the day's budget" in notice.message
    assert "80% of the month's budget" in notice.message
    await first.until(lambda: first.shown)
    assert first.shown == [{"what": "budget", "workspaceUri": workspace.root.as_uri()}]
    for client in clients:
        client.answer = choosing("Not again")
        client.notices.clear()
    spend("b", 1.0)
    await _told(clients)
    silenced = settings.data_folder() / "silenced" / "budget"
    await appears(silenced.exists)
    for client in clients:
        client.notices.clear()
    spend("c", 50.0)
    late = await connect(settings=own | {"budget": {"week": 1.0}}, editor=OURS)
    for client in (*clients, late):
        await client.status(lambda status: shows(status, "c"))
    silenced.unlink()
    spend("d", 50.0)
    other = await connect(settings=own | {"budget": {"week": 2.0}}, editor=OURS)
    told = await _told([*clients, late, other])
    assert "week" in told.notices[0].message


async def _told(clients):
    """The first client to whose user a notice is shown; the others have none."""
    tasks = [asyncio.create_task(client.until(lambda c=client: c.notices)) for client in clients]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    return next(client for client in clients if client.notices)


async def test_an_editor_may_answer_a_notice_late_or_never_or_with_an_error(connect, spend, midday):
    own = {"timezone": midday, "budget": {"day": 1.0}}
    client = await connect(settings=own, editor=OURS)
    until = asyncio.Event()

    async def never(_params):
        await until.wait()
        raise ValueError("the editor is confused")

    client.answer = never
    spend("a", 0.85)
    await client.until(lambda: client.notices)
    spend("b", 0.5)
    await client.until(lambda: len(client.notices) == 2)
    assert "The day's budget" in client.notices[1].message
    until.set()
    spend("c", 0.1)
    await client.status(lambda status: shows(status, "c"))
    until.clear()
    client.configures(own | {"budget": {"day": 0.5}})
    await client.until(lambda: len(client.notices) == 3)
    until.set()


async def test_an_editor_that_offers_no_answers_is_told_as_before(connect, spend, midday):
    own = {"timezone": midday, "budget": {"day": 1.0}}
    editor = capabilities_of("visual-studio-code")
    editor.window.show_message = None
    client = await connect(settings=own, editor=editor)
    spend("a", 0.85)
    assert "80% of the day's budget" in (await client.message()).message
    assert client.notices == []
