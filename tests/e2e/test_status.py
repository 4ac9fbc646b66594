"""`stats/status`: what a status bar shows, and when."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from lsprotocol import types

from tests.e2e.conftest import EDITORS, as_folder, replace

KEYS = [
    "workspaceUri",
    "session",
    "totals",
    "today",
    "skipped",
    "text",
    "tooltip",
    "severity",
    "spoken",
]


def now():
    return datetime.now(UTC).isoformat()


@pytest.mark.parametrize("editor", EDITORS)
async def test_every_editor_hears_the_status_and_each_change(connect, workspace, editor):
    client = await connect(editor=editor)
    status = await client.status()
    assert list(status) == KEYS
    assert (status["text"], status["session"], status["severity"]) == ("no sessions", None, "ok")
    assert status["totals"] == {"sessions": 0, "cost": 0, "toolCalls": 0, "successRate": None}
    workspace.add("first", total_cost=0.1275)
    status = await client.sessions("first")
    assert status["text"] == "$0.1275 · 92.6%"
    assert status["session"]["uri"] == (workspace.sessions / "first.json").as_uri()
    assert status["workspaceUri"] == workspace.root.as_uri()
    assert [status["totals"]["sessions"] for status in client.statuses] == [0, 1]


async def test_the_status_sums_up_all_sessions_and_todays(connect, workspace, midday):
    workspace.add("old", tool_calls=100, successful_tool_calls=50, failed_tool_calls=50)
    workspace.add("new", end_time=now(), tool_calls=0, successful_tool_calls=0, failed_tool_calls=0)
    client = await connect(settings={"timezone": midday})
    status = await client.status()
    assert status["totals"] == {
        "sessions": 2,
        "cost": pytest.approx(0.255),
        "toolCalls": 100,
        "successRate": 50.0,
    }
    assert status["today"] == {"sessions": 1, "cost": 0.1275}
    assert status["text"] == "$0.1275 · n/a"
    for part in ("new", "Today: $0.1275 in 1 session", "All: $0.2550 in 2 sessions", "50.0%"):
        assert part in status["tooltip"]


async def test_of_reports_that_end_in_the_same_second_the_new_one_is_shown(
    connect, workspace, report_bytes
):
    """Whatever their ids: the one that was written last. Lists go by the ids."""
    client = await connect()
    await client.sessions()
    for number, name in enumerate(["m", "z", "a", "k"]):
        path = workspace.sessions / f"{name}.json"
        end = "2026-01-01T00:00:00Z"
        replace(path, report_bytes(session_id=name, end_time=end, total_cost=number))
        await client.status(
            lambda status, name=name: status["session"] and status["session"]["sessionId"] == name
        )
        assert client.statuses[-1]["text"].startswith(f"${number}.0000")
    told = [status["totals"]["sessions"] for status in client.statuses]
    assert sorted(set(told)) == [0, 1, 2, 3, 4]
    rows = (await client.ask("stats/history"))["sessions"]
    assert [row["sessionId"] for row in rows] == ["a", "k", "m", "z"]
    anew = await connect(env={"XDG_DATA_HOME": str(workspace.root / "data")})
    status = await anew.status(lambda status: status["totals"]["sessions"] == 4)
    assert status["session"]["sessionId"] == "k"
    path = workspace.sessions / "z.json"
    anew.opens(path.as_uri(), path.read_text(encoding="utf-8") + " ")
    replace(workspace.sessions / "m.json", report_bytes(session_id="m", end_time=end))
    await anew.status(lambda status: status["session"]["sessionId"] == "m")


async def test_what_is_wrong_is_a_warning_in_the_tooltip(client, workspace):
    workspace.raw("torn.json", b'{"metrics": {')
    status = await client.status(lambda status: status["skipped"])
    assert (status["skipped"], status["severity"]) == (1, "warning")
    assert "1 file skipped" in status["tooltip"]
    (workspace.sessions / "torn.json").unlink()
    workspace.add("odd", failed_tool_calls=9_999)
    status = await client.sessions("odd")
    assert (status["skipped"], status["severity"]) == (0, "warning")
    assert "more than the 231 tool calls" in status["tooltip"]
    workspace.add("odd")
    status = await client.status(lambda s: s["session"] and s["severity"] == "ok")
    assert "⚠" not in status["tooltip"]


async def test_names_from_files_cannot_put_links_into_the_tooltip(client, workspace):
    workspace.add("[a](command:b) <i>")
    status = await client.status(lambda status: status["session"])
    assert "\\[a\\](command:b) \\<i\\>" in status["tooltip"]


async def test_each_folder_has_a_status_of_its_own(connect, workspace, tmp_path, report_bytes):
    workspace.add("one")
    other = tmp_path / "other place ü#%20"
    sessions = other / ".radium" / "_internals" / "sessions"
    sessions.mkdir(parents=True)
    (sessions / "two.json").write_bytes(report_bytes(session_id="two", total_cost=2))
    client = await connect([workspace.root, other])
    assert (await client.sessions("one", folder=workspace.root))["text"] == "$0.1275 · 92.6%"
    assert (await client.sessions("two", folder=other))["text"] == "$2.0000 · 92.6%"
    for folder in (workspace.root, other):  # once more when prices are there
        await client.status(lambda status: "$0.0169 saved" in status["tooltip"], folder)
    before = len(client.statuses)
    (sessions / "three.json").write_bytes(
        report_bytes(session_id="three", end_time="2026-01-01T00:00:00Z")
    )
    await client.sessions("three", "two", folder=other)
    told = [status["workspaceUri"] for status in client.statuses[before:]]
    assert workspace.root.as_uri() not in told
    for folder, count in ((workspace.root, 1), (other, 2), (None, 1)):
        params = {"workspaceUri": folder and folder.as_uri()}
        assert (await client.ask("stats/history", params))["total"] == count


async def test_a_folder_inside_another_follows_its_own_sessions_or_those_around_it(
    connect, workspace, report_bytes
):
    workspace.add("outer")
    inner = workspace.root / "packages" / "inner"
    inner.mkdir(parents=True)
    client = await connect([workspace.root, inner])
    await client.sessions("outer", folder=workspace.root)
    await client.sessions("outer", folder=inner)
    sessions = inner / ".radium" / "_internals" / "sessions"
    sessions.mkdir(parents=True)
    (sessions / "inner.json").write_bytes(report_bytes(session_id="inner"))
    await client.sessions("inner", folder=inner)
    workspace.add("later", end_time="2026-01-01T00:00:00Z")
    await client.sessions("later", "outer", folder=workspace.root)
    assert (await client.ask("stats/session", {"workspaceUri": inner.as_uri()}))[
        "sessionId"
    ] == "inner"


async def test_an_edit_shows_in_every_folder_of_the_workspace(connect, workspace, report_bytes):
    workspace.add("outer")
    inner = workspace.root / "inner"
    inner.mkdir()
    client = await connect([workspace.root, inner])
    await client.sessions("outer", folder=workspace.root)
    await client.sessions("outer", folder=inner)
    uri = (workspace.sessions / "outer.json").as_uri()
    client.opens(uri, report_bytes(session_id="outer", total_cost=7).decode())
    for folder in (workspace.root, inner):
        await client.status(lambda s: s["text"].startswith("$7.0000"), folder)


async def test_folders_come_and_go(connect, workspace, tmp_path, report_bytes):
    workspace.add("one")
    other = tmp_path / "other"
    sessions = other / ".radium" / "_internals" / "sessions"
    sessions.mkdir(parents=True)
    (sessions / "two.json").write_bytes(report_bytes(session_id="two"))
    torn = sessions / "torn.json"
    torn.write_bytes(b"{")
    client = await connect()
    assert "Folder:" not in (await client.sessions("one"))["tooltip"]
    client.changes_folders(added=[other])
    assert "Folder: other" in (await client.sessions("two", folder=other))["tooltip"]
    await client.status(lambda status: "Folder: workspace" in status["tooltip"], workspace.root)
    await client.diagnostics_of(torn.as_uri(), bool)
    client.statuses.clear()
    client.changes_folders(removed=[other])
    await client.status(lambda status: "Folder:" not in status["tooltip"], workspace.root)
    await client.diagnostics_of(torn.as_uri(), lambda found: not found)
    error = await _error(client, "stats/history", {"workspaceUri": other.as_uri()})
    assert error.data["kind"] == "NoWorkspace"
    client.statuses.clear()
    (sessions / "three.json").write_bytes(
        report_bytes(session_id="three", end_time="2026-01-01T00:00:00Z")
    )
    workspace.add("four", end_time="2026-01-01T00:00:00Z")
    await client.sessions("four", "one")
    client.changes_folders(added=[other], removed=[workspace.root])
    await client.sessions("three", "two", folder=other)
    heard_first = next(s for s in client.statuses if s["workspaceUri"] == other.as_uri())
    assert heard_first["totals"]["sessions"] == 2
    assert (await client.ask("stats/session"))["sessionId"] == "three"


async def _error(client, method, params):
    from pygls.exceptions import JsonRpcException

    with pytest.raises(JsonRpcException) as caught:
        await client.ask(method, params)
    return caught.value


async def test_a_folder_that_does_not_exist_has_no_sessions_yet(connect, tmp_path):
    folder = tmp_path / "later"
    client = await connect([folder])
    assert (await client.status())["text"] == "no sessions"


async def test_a_folder_that_is_no_files_is_left_alone(connect, workspace):
    workspace.add("one")
    client = await connect()
    event = types.WorkspaceFoldersChangeEvent(
        added=[types.WorkspaceFolder(uri="vscode-vfs://github/a/b", name="b")],
        removed=[as_folder(workspace.root / "never-opened")],
    )
    client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))
    assert (await client.ask("stats/session"))["sessionId"] == "one"
