"""What a session is called, and the day that it is listed under."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from rad_lsp import sources
from rad_lsp.core.wording import is_hidden
from rad_lsp.render import label
from rad_lsp.render.table import cells

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
UUID = "0199f3c2-85b6-78f1-88e1-f428ca458337"


@pytest.fixture
def last_active(session):
    """A session of an agent that was last active at a time."""
    return lambda time, source="claude-code", session_id=UUID: msgspec.structs.replace(
        session(session_id, end_time=time), source=source
    )


@pytest.mark.parametrize(
    ("time", "told", "day", "day_label"),
    [
        ("2026-03-02T13:05:00Z", "14:05", "2026-03-02", "Today"),
        ("2026-03-01T22:59:59Z", "1 Mar 23:59", "2026-03-01", "Yesterday"),
        ("2026-03-01T23:00:00Z", "00:00", "2026-03-02", "Today"),
        ("2026-02-09T07:00:00Z", "9 Feb 08:00", "2026-02-09", "Mon 9 Feb"),
        ("2025-12-31T22:00:00Z", "31 Dec 2025 23:00", "2025-12-31", "Wed 31 Dec 2025"),
        ("2026-03-04T11:00:00Z", "4 Mar 12:00", "2026-03-04", "Wed 4 Mar"),
    ],
)
def test_a_session_is_told_by_the_users_clock_and_day(last_active, time, told, day, day_label):
    found = last_active(time)
    assert label.of(found, NOW, BERLIN) == f"Claude Code · 0199f3c2 · {told}"
    assert label.day(found, BERLIN) == day
    assert label.day_label(found, NOW, BERLIN) == day_label


@pytest.mark.parametrize("year", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_label_can_be_made_at_the_ends_of_time(last_active, year):
    for zone in (ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")):
        assert year[:4].lstrip("0") in label.of(last_active(year), NOW, zone)
        assert label.day(last_active(year), zone) == year[:10]


def test_the_title_takes_the_place_of_the_id(last_active):
    found = last_active("2026-03-02T13:05:00Z")
    assert label.of(found, NOW, UTC, "Fix it") == "Claude Code · Fix it · 13:05"


@pytest.mark.parametrize(
    "title", ["word " * 30, "修复不稳定的测试" * 20, "👩‍👩‍👧" * 50, "x" * 100_000]
)
def test_a_long_title_is_cut_in_a_label(last_active, title):
    _, shown, _ = label.of(last_active("2026-03-02T13:05:00Z"), NOW, UTC, title).split(" · ")
    assert shown.endswith("…")
    assert 35 < cells(shown) <= 40


def test_a_hostile_title_is_harmless(last_active):
    hostile = "\x1b]0;title\x07\u202e\x9b"
    shown = label.of(last_active("2026-03-02T13:05:00Z"), NOW, UTC, hostile)
    assert not any(map(is_hidden, shown))
    assert not any(map(is_hidden, label.shown(hostile * 1000)))
    assert len(label.shown(hostile * 1000)) < 2000


@pytest.mark.parametrize(
    ("session_id", "short"),
    [
        (UUID, "0199f3c2"),
        (UUID.upper(), "0199F3C2"),
        ("my-session", "my-session"),
        ("session-2026-03-02T14-05-00-of-mine", "session-2026-03-02T14-0..."),
        ("\u202e", "\\u202e"),
    ],
)
def test_an_id_is_short(session_id, short):
    assert label.short_id(session_id) == short


def test_every_agent_has_a_name_for_people(last_active):
    names = [label.agent(last_active("2026-03-02T13:05:00Z", name)) for name in sources.NAMES]
    assert names == ["Radium", "Claude Code", "Codex", "Copilot CLI", "Gemini CLI"]
    assert label.agent(last_active("2026-03-02T13:05:00Z", "other\x1b")) == "other\\x1b"


@pytest.mark.parametrize(
    ("source", "command"),
    [
        ("claude-code", "claude --resume"),
        ("codex", "codex resume"),
        ("gemini-cli", "gemini --resume"),
        ("copilot-cli", "copilot --resume"),
        ("radium", None),
        ("of-later", None),
    ],
)
def test_an_agent_goes_on_with_a_session_by_its_own_command(last_active, source, command):
    found = last_active("2026-03-02T13:05:00Z", source)
    assert label.resume(found) == (command and f"{command} {UUID}")
    assert label.resume(msgspec.structs.replace(found, deleted=True)) is None


@pytest.mark.parametrize(
    "session_id", ["a; rm -rf ~", "$(x)", "`x`", "--yes", "a b", "a\nb", "é", ""]
)
def test_an_id_that_a_shell_may_not_take_for_one_word_is_in_no_command(last_active, session_id):
    assert label.resume(last_active("2026-03-02T13:05:00Z", "codex", session_id)) is None


def test_the_time_stands_alone_below_a_day(last_active):
    assert label.time(last_active("2026-03-01T22:59:59Z"), BERLIN) == "23:59"
