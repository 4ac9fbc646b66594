"""Every change of the reports reaches the status bar, whatever the file system tells."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from lsprotocol import types

from tests.e2e.conftest import replace

NO_EVENTS = """
import watchfiles

async def awatch(*paths, **options):
    raise OSError(28, "inotify watch limit reached")
    yield

watchfiles.awatch = awatch
"""

NO_EVENTS_AND_NO_SCANS = f"""
{NO_EVENTS}
import rad_lsp.server.folders

rad_lsp.server.folders.SCAN_SECONDS = 10**9
"""


async def costs(client, amount):
    return await client.status(lambda s: s["text"].startswith(f"${amount}.0000"))


async def _a_reports_life(client, workspace, report_bytes):
    await client.sessions()
    path = workspace.sessions / "first.json"
    replace(path, report_bytes(session_id="first", total_cost=1))
    await costs(client, 1)
    replace(path, report_bytes(session_id="first", total_cost=2))
    await costs(client, 2)
    path.write_bytes(report_bytes(session_id="first", total_cost=3))
    await costs(client, 3)
    renamed = path.rename(workspace.sessions / "renamed.json")
    moved = await client.status(lambda s: s["session"] and s["session"]["uri"] == renamed.as_uri())
    assert moved["totals"]["sessions"] == 1
    client.statuses.clear()
    renamed.unlink()
    await client.sessions()


async def test_a_report_is_followed_through_its_life(client, workspace, report_bytes):
    await _a_reports_life(client, workspace, report_bytes)


async def test_without_events_of_the_system_scans_see_the_same(
    connect, patched, workspace, report_bytes
):
    client = await connect(editor="neovim", env=patched(NO_EVENTS))
    await _a_reports_life(client, workspace, report_bytes)


async def test_an_editors_own_events_are_enough(connect, patched, workspace, report_bytes):
    path = workspace.add("first", total_cost=1)
    client = await connect(env=patched(NO_EVENTS_AND_NO_SCANS))
    await costs(client, 1)
    path.write_bytes(report_bytes(session_id="first", total_cost=2))  # the folder stays the same
    client.says_changed(path.as_uri())
    await costs(client, 2)
    other = workspace.add("second", total_cost=3, end_time="2026-01-01T00:00:00Z")
    client.says_changed(other.as_uri(), kind=types.FileChangeType.Created)
    await costs(client, 3)
    other.unlink()
    client.says_changed(other.as_uri(), kind=types.FileChangeType.Deleted)
    client.statuses.clear()
    await client.sessions("first")


async def test_events_that_are_not_true_change_nothing(client, workspace):
    path = workspace.add("first")
    await client.sessions("first")
    client.says_changed(
        path.as_uri(),
        (workspace.sessions / "never.json").as_uri(),
        (workspace.sessions / "first.tmp.1").as_uri(),
        (workspace.root / "src" / "a.py").as_uri(),
        "untitled:Untitled-1",
    )
    workspace.add("second", end_time="2026-01-01T00:00:00Z")
    await client.sessions("second", "first")
    assert [status["skipped"] for status in client.statuses] == [0] * len(client.statuses)


async def test_the_folder_may_come_later_go_and_come_again(connect, tmp_path, report_bytes):
    root = tmp_path / "fresh"
    root.mkdir()
    client = await connect([root])
    await client.sessions()
    sessions = root / ".radium" / "_internals" / "sessions"
    sessions.mkdir(parents=True)
    (sessions / "a.json").write_bytes(report_bytes(session_id="a"))
    await client.sessions("a")
    client.statuses.clear()
    shutil.rmtree(sessions)
    await client.sessions()
    sessions.mkdir()
    (sessions / "b.json").write_bytes(report_bytes(session_id="b"))
    await client.sessions("b")
    client.statuses.clear()
    shutil.rmtree(root / ".radium")
    await client.sessions()
    sessions.mkdir(parents=True)
    (sessions / "c.json").write_bytes(report_bytes(session_id="c"))
    await client.sessions("c")


async def test_the_radium_folder_may_be_replaced(client, workspace, tmp_path, report_bytes):
    workspace.add("first")
    await client.sessions("first")
    other = tmp_path / "other"
    sessions = other / "_internals" / "sessions"
    sessions.mkdir(parents=True)
    (sessions / "second.json").write_bytes(report_bytes(session_id="second"))
    radium = workspace.root / ".radium"
    radium.rename(tmp_path / "before")
    other.rename(radium)
    await client.sessions("second")
    workspace.add("third", end_time="2026-01-01T00:00:00Z")
    await client.sessions("third", "second")
    (tmp_path / "before" / "_internals" / "sessions" / "stray.json").write_bytes(b"{")
    workspace.add("fourth", end_time="2026-02-01T00:00:00Z")
    status = await client.sessions("fourth", "third", "second")
    assert status["skipped"] == 0


async def test_what_is_no_report_is_not_counted(client, workspace, report_bytes):
    await client.sessions()
    workspace.raw("a.tmp.6f1c2a52-0d5c-4c7e-9a43-1b8e2c9d7f10", b"{")
    workspace.raw("notes.txt", b"x")
    sub = workspace.sessions / "a"
    sub.mkdir()
    (sub / "session.json").write_bytes(report_bytes(session_id="inside"))
    workspace.add("a")
    await client.sessions("a")
    assert {status["skipped"] for status in client.statuses} == {0}


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
async def test_a_workspace_behind_a_link_is_watched(connect, workspace, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(workspace.root, target_is_directory=True)
    client = await connect([link])
    await client.sessions()
    workspace.add("first")
    status = await client.sessions("first")
    assert status["workspaceUri"] == link.as_uri()


async def test_a_thousand_reports_at_once_are_few_notifications(client, workspace, report_bytes):
    await client.sessions()
    template = report_bytes(session_id="SESSION", end_time="2026-01-01T00:00:00.000Z")
    for number in range(1000):
        data = template.replace(b"SESSION", b"s%04d" % number)
        replace(
            workspace.sessions / f"s{number:04}.json", data.replace(b".000Z", b".%03dZ" % number)
        )
    status = await client.status(lambda status: status["totals"]["sessions"] == 1000)
    assert status["session"]["sessionId"] == "s0999"
    assert status["totals"]["toolCalls"] == 231_000
    history = await client.ask("stats/history", {"limit": 100})
    assert (history["total"], len(history["sessions"])) == (1000, 100)
    assert len(client.statuses) <= 100
    told = [status["totals"]["sessions"] for status in client.statuses]
    assert told == sorted(told)


async def test_requests_see_a_consistent_state_amid_changes(client, workspace):
    for number in range(20):
        workspace.add(f"s{number}", end_time=f"2026-01-01T00:00:{number:02}Z")
        history = await client.ask("stats/history", {"limit": 100})
        assert len(history["sessions"]) == history["total"]
    await client.status(lambda status: status["totals"]["sessions"] == 20)
    assert json.dumps(client.statuses[-1]["totals"]["sessions"]) == "20"
