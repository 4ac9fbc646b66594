"""Opening the sessions of a workspace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rad_lsp import settings
from rad_lsp.core.period import Period
from rad_lsp.core.price import Override
from rad_lsp.service import sessions


@pytest.fixture
def machine():
    machine = sessions.open_machine()
    yield machine
    machine.close()


def ids(snapshot):
    return [entry.id for entry in snapshot.entries]


def test_a_store_has_the_sessions_of_its_sources(machine, workspace, claude_code):
    workspace.add("report", end_time="2020-01-01T10:00:00Z", start_time="2020-01-01T09:00:00Z")
    claude_code("from-claude").prompt().answer()
    for names, found in (
        (None, ["from-claude", "report"]),
        (["radium"], ["report"]),
        (["claude-code"], ["from-claude"]),
    ):
        assert ids(sessions.open_store(machine, workspace.root, names, {}).refresh()) == found


def test_a_store_of_everywhere_has_the_sessions_of_all_folders(
    machine, workspace, tmp_path, claude_code
):
    claude_code("elsewhere", tmp_path / "elsewhere").prompt().answer()
    assert ids(sessions.open_store(machine, workspace.root, None, {}).refresh()) == []
    store = sessions.open_store(machine, workspace.root, None, {}, everywhere=True)
    assert ids(store.refresh()) == ["elsewhere"]


def test_the_users_own_prices_count(machine, workspace, claude_code):
    claude_code("a").prompt().answer()
    prices = {"claude-sonnet-4-5-20250929": Override(1000, 10_000)}
    store = sessions.open_store(machine, workspace.root, None, prices)
    assert store.refresh().latest().cost == pytest.approx(2)


def test_a_new_store_takes_over_the_open_buffers(machine, workspace, report_bytes):
    path = workspace.add("a", total_cost=1.0)
    before = sessions.open_store(machine, workspace.root, None, {})
    before.refresh()
    session = before.snapshot.latest()
    before.edit(str(path), session)
    path.write_bytes(report_bytes(session_id="a", total_cost=9.0))
    after = sessions.open_store(machine, workspace.root, None, {})
    after.edited = before.edited
    assert after.refresh().latest().cost == 1.0


def test_recent_sessions_are_the_newest_and_the_named_one(machine, workspace, claude_code):
    for day in (1, 2, 3):
        claude_code(f"day-{day}", start=f"2026-03-0{day}T12:00:00+00:00").prompt().answer()
    selection = sessions.recent(Period(datetime(2027, 1, 1, tzinfo=UTC)), "day-1")
    store = sessions.open_store(machine, workspace.root, None, {}, selection=selection)
    assert ids(store.refresh()) == ["day-3", "day-1"]


@pytest.mark.parametrize("start", ["2026-03-05T09:00:00Z", "2200-01-01T09:00:00Z"])
def test_a_session_of_the_future_is_found_by_its_id_and_is_not_the_newest(
    machine, workspace, start
):
    for day in (1, 2, 3):
        workspace.add(f"day-{day}", end_time=f"2026-03-0{day}T09:00:00Z")
    generated = start if start > "2100" else "2026-03-01T00:00:00Z"
    later = {"end_time": "2200-01-02T09:00:00Z", "generated_at": generated}
    workspace.add("later", start_time=start, **later)
    period = Period(datetime(2026, 3, 3, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC))

    def found(session_id):
        selection = sessions.recent(period, session_id)
        store = sessions.open_store(machine, workspace.root, None, {}, selection=selection)
        return ids(store.refresh())

    if start > "2100":
        assert found("") == ["day-3"]
        assert found("later") == ["day-3", "later"]
    else:
        assert found("") == ["later", "day-3"]
    assert found("day-1") == [*found(""), "day-1"]


def test_the_newest_sessions_and_the_number_of_all(machine, workspace, claude_code):
    for day in (1, 2, 3):
        claude_code(f"day-{day}", start=f"2026-03-0{day}T12:00:00+00:00").prompt().answer()
    for day in (1, 2, 3):
        workspace.add(f"report-{day}", end_time=f"2026-03-0{day}T09:00:00Z")
    selection = sessions.newest(2)
    snapshot = sessions.open_store(machine, workspace.root, None, {}, selection=selection).refresh()
    assert ids(snapshot)[:3] == ["day-3", "report-3", "day-2"]
    assert snapshot.total == 6
    assert snapshot.sources == {"claude-code", "radium"}


def test_sessions_that_were_active_in_a_folder_since_a_moment(machine, workspace, claude_code):
    claude_code("a").prompt().answer()
    now = datetime.now(UTC)
    begun = now - timedelta(days=3650)
    found = machine.active_since(workspace.root, begun)
    assert [(child.source, child.session_id) for child in found] == [("claude-code", "a")]
    assert machine.active_since(workspace.root, now) == []


def test_an_index_that_is_kept_on_disk_has_nothing_to_say(machine):
    assert machine.index.trouble == ""


def test_an_index_that_can_not_be_kept_on_disk_says_why():
    folder = settings.data_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_bytes(b"a file where the folder should be")
    machine = sessions.open_machine()
    assert str(folder) in machine.index.trouble
    machine.close()


def test_folders_of_transcripts_lie_in_the_users_home():
    folders = sessions.transcript_folders()
    assert folders
    assert all(folder.is_relative_to(Path.home()) for folder in folders)
