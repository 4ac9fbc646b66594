"""A glance finds what is new in a folder, and lists the folder only where it has changed."""

from __future__ import annotations

import os
import shutil
import time

import pytest

from rad_lsp.sources.radium import Radium
from rad_lsp.store import glance
from rad_lsp.store.query import Selection
from rad_lsp.store.store import Store

NEWEST = Selection(2**62)


@pytest.fixture
def listings(monkeypatch):
    """The folders that were listed."""
    listed = []
    paths = Radium.paths

    def noted(source):
        listed.append(source.folders[0])
        return paths(source)

    monkeypatch.setattr(Radium, "paths", noted)
    return listed


@pytest.fixture
def known(machine):
    """The one index of these tests."""
    return machine(None)


@pytest.fixture
def store(known, workspace):
    """A store of the newest of three reports, which have been read just now."""
    for day, name in enumerate(("old", "older", "new"), 1):
        add(workspace, name, day=day)
    store = Store(known, workspace.root, ["radium"], selection=NEWEST)
    store.refresh()
    return store


@pytest.fixture
def settled(store, monkeypatch, listings):
    """The same store, which has looked at all of them again an hour later."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 3_600_000_000_000)
    store.refresh()
    listings.clear()
    return store


def add(workspace, name, day=9, calls=1):
    """Write a report that ended on a day of January."""
    end = f"2026-01-{day:02}T00:00:00Z"
    return workspace.add(name, end_time=end, tool_calls=calls, successful_tool_calls=calls)


def newest(snapshot):
    (session,) = snapshot.sessions()
    return session.id, session.tool_calls


def test_where_nothing_is_new_the_folder_is_not_listed(settled, listings):
    assert newest(settled.glance()) == ("new", 1)
    assert listings == []


@pytest.mark.usefixtures("settled")
def test_another_process_need_not_list_it_either(known, workspace, listings):
    store = Store(known, workspace.root, ["radium"], selection=NEWEST)
    assert newest(store.glance()) == ("new", 1)
    assert listings == []


def test_what_is_added_is_found(settled, workspace):
    add(workspace, "newer")
    assert newest(settled.glance()) == ("newer", 1)


def test_what_is_removed_is_found(settled, workspace):
    (workspace.sessions / "new.json").unlink()
    assert newest(settled.glance()) == ("older", 1)


def test_what_is_replaced_is_found(settled, workspace, tmp_path):
    path = add(workspace, "older")
    other = shutil.copy(path, tmp_path / "other")
    add(workspace, "older", day=2)
    settled.refresh()
    os.replace(other, path)  # noqa: PTH105
    assert newest(settled.glance()) == ("older", 1)


def test_what_is_written_in_place_is_found(settled, workspace, listings):
    add(workspace, "new", day=3, calls=7)
    assert newest(settled.glance()) == ("new", 7)
    add(workspace, "old", day=8, calls=7)
    assert newest(settled.glance()) == ("old", 7)
    assert listings == []


def test_a_report_that_was_torn_is_found_when_it_is_whole(settled, workspace):
    workspace.raw("torn.json", b"{")
    assert [skipped.path for skipped in settled.glance().skipped] == [
        str(workspace.sessions / "torn.json")
    ]
    add(workspace, "torn")
    assert newest(settled.glance()) == ("torn", 1)


def test_a_folder_that_changed_just_now_is_listed(store, listings):
    store.glance()
    store.glance()
    assert len(listings) == 2


def test_a_folder_that_is_another_one_is_listed(settled, workspace, tmp_path):
    workspace.sessions.rename(tmp_path / "before")
    workspace.sessions.mkdir()
    assert settled.glance().entries == ()


def test_a_folder_that_moved_out_of_the_workspace_is_not_followed(settled, workspace, tmp_path):
    (workspace.root / ".radium").rename(tmp_path / "outside")
    (workspace.root / ".radium").symlink_to(tmp_path / "outside")
    snapshot = settled.glance()
    assert snapshot.entries == ()
    assert len(snapshot.skipped) == 1


@pytest.mark.usefixtures("settled")
def test_of_many_files_a_part_is_looked_at_each_time_and_soon_all(known, workspace):
    radium = Radium(workspace.root)
    changed = {str(add(workspace, name, calls=7)) for name in ("old", "older", "new")}

    def found(likely=()):
        return glance.overwritten(known.index.connection, radium, likely, most=1)

    looks = [found() for _ in range(100)]
    assert all(len(look) == 1 for look in looks)
    assert {path for look in looks for path in look} == changed
    likely = min(changed)
    assert all(likely in found([likely]) for _ in range(20))


@pytest.mark.usefixtures("settled")
def test_an_index_that_can_not_be_written_serves_as_before(machine, workspace):
    on_disk = machine()
    store = Store(on_disk, workspace.root, ["radium"], selection=NEWEST)
    store.refresh()
    add(workspace, "unread")
    (workspace.sessions / "unread.json").unlink()
    on_disk.index.connection.execute("PRAGMA query_only=ON")
    assert newest(store.glance()) == ("new", 1)
    assert on_disk.index.trouble == ""
