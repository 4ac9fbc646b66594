"""Plan limits as a client of the server gets them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.conftest import appears

pytestmark = pytest.mark.asyncio(loop_scope="function")


@pytest.fixture
def limited(codex):
    """Records that 42.5 % of the 5-hour window are used."""
    start = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    resets = int(time.time()) + 3600
    window = {"used_percent": 42.5, "window_minutes": 300, "resets_at": resets}
    transcript = codex("limited", start=start)
    transcript.answer()
    told = {"primary": window}
    return transcript.line("event_msg", type="token_count", info=None, rate_limits=told)


@pytest.mark.usefixtures("limited")
async def test_they_are_answered_with_the_text_of_the_command(connect, rad, workspace):
    client = await connect()
    answer = await client.ask("stats/limits")
    (limit,) = answer["limits"]
    assert (limit["source"], limit["state"], limit["usedPercent"]) == ("codex", "current", 42.5)
    assert limit["windowSeconds"] == 18_000
    assert answer["text"] == rad("limits", cwd=workspace.root).stdout
    assert answer["markdown"].startswith("## Plan limits\n\n| Source |")


@pytest.mark.usefixtures("limited")
async def test_the_status_shows_them_where_its_format_says_so(connect):
    client = await connect(settings={"statusBar": {"format": "{limit_5h} {limit_week}"}})
    assert (await client.status())["text"] == "42.5% n/a"


async def test_a_window_that_is_nearly_used_up_is_told_once_by_any_server(connect, codex):
    """Also where the status line shows no limits, and the reset is told a little differently."""
    resets = int(time.time()) + 3600
    transcript = codex("limited", start=(datetime.now(UTC) - timedelta(minutes=5)).isoformat())

    def uses(percent, later=0):
        window = {"used_percent": percent, "window_minutes": 300, "resets_at": resets + later}
        transcript.answer()
        transcript.line("event_msg", type="token_count", info=None, rate_limits={"primary": window})

    uses(83.0)
    clients = [await connect(), await connect()]

    def told():
        return [message.message for client in clients for message in client.messages]

    await appears(told)
    assert told()[0].startswith("80% of the 5h limit of codex is used: 83.0%, until the reset at ")
    uses(85.0, later=7)
    uses(96.5, later=-7)
    await appears(lambda: len(told()) > 1)
    assert [sentence[:43] for sentence in told()[1:]] == [
        "95% of the 5h limit of codex is used: 96.5%"
    ]
