"""What changes by the clock alone, without any event."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from tests.e2e.conftest import Library, capabilities_of, started, stop

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(sys.platform == "win32", reason="there is no TZ variable there"),
]

MARGIN = timedelta(seconds=6)
"""The server has to be there by then."""


def zone_whose_midnight_comes(moment):
    """A POSIX time zone in which a moment, UTC, is midnight."""
    west = moment - moment.replace(hour=0, minute=0, second=0, microsecond=0)
    hours, rest = divmod(int(west.total_seconds()), 3600)
    return f"MID+{hours}:{rest // 60:02}:{rest % 60:02}"


@pytest.fixture(scope="module")
def ended(tmp_path_factory, report_bytes):
    return Library(tmp_path_factory.mktemp("ended"), report_bytes)


@pytest.fixture(scope="module")
def unended(tmp_path_factory, report_bytes):
    return Library(tmp_path_factory.mktemp("unended"), report_bytes)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def late(ended, unended, own_home, report_dict):
    """A client, seconds before midnight and before a session has been quiet for ten minutes."""
    now = datetime.now(UTC)
    ended.add("ended", end_time=now.isoformat())
    reported = (now - timedelta(minutes=10) + MARGIN).isoformat()
    report = report_dict(session_id="open", end_time=None, generated_at=reported)
    (unended.sessions / "open.json").write_text(json.dumps(report))
    midnight = (now + MARGIN).replace(microsecond=0)
    client = await started(
        [ended.root, unended.root],
        capabilities_of("visual-studio-code"),
        env={**own_home, "TZ": zone_whose_midnight_comes(midnight)},
    )
    yield client
    await stop(client)


async def test_at_local_midnight_today_begins_anew(late, ended):
    status = await late.status(lambda status: status["today"]["sessions"] == 1, ended.root)
    assert status["today"] == {"sessions": 1, "cost": 0.1275}
    status = await late.status(lambda status: status["today"]["sessions"] == 0, ended.root)
    assert status["today"] == {"sessions": 0, "cost": 0}
    assert status["totals"]["sessions"] == 1


async def test_a_session_that_is_not_heard_of_any_more_is_interrupted(late, unended):
    status = await late.status(lambda status: status["session"]["running"], unended.root)
    assert "running" in status["tooltip"]
    status = await late.status(lambda status: not status["session"]["running"], unended.root)
    assert "no end recorded" in status["tooltip"]
