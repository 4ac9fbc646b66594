"""Exports to a file that the user named."""

from __future__ import annotations

import asyncio
import json
import os

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.e2e.conftest import appears

GATE = """
import os, time
gate, opened = os.environ["GATE"], os.open

def open(path, *args, **options):
    while str(path).endswith(".json") and os.path.exists(gate):
        time.sleep(0.005)
    return opened(path, *args, **options)

os.open = open
"""


async def failed(client, params):
    with pytest.raises(JsonRpcException) as caught:
        await client.ask("stats/export", params)
    assert caught.value.code == -32803
    return caught.value.data


async def test_an_export_goes_where_the_user_said_and_nowhere_else(client, workspace, tmp_path):
    workspace.add("first")
    await client.sessions("first")
    target = tmp_path / "out put ü#.json"
    for named in (str(target), target.as_uri()):
        found = await client.ask("stats/export", {"sessionId": "first", "output": named})
        assert list(found) == ["format", "sessions", "bytes", "uri"]
        assert (found["uri"], found["sessions"]) == (target.as_uri(), 1)
        assert found["bytes"] == target.stat().st_size
        assert json.loads(target.read_bytes())["metrics"]["session_id"] == "first"
        target.unlink()
    found = await client.ask("stats/export", {"output": "here.csv", "format": "csv"})
    assert found["uri"] == (workspace.root / "here.csv").as_uri()
    assert sorted(path.name for path in workspace.root.iterdir()) == [".radium", "here.csv"]


@pytest.mark.parametrize(
    "uri",
    [
        "file:relative.csv",
        "file:./relative.csv",
        "file://relative.csv",
        "file://host{folder}/o.csv",
        "file://{folder}/o.csv?query",
        "file://{folder}/o.csv#fragment",
        "file://{folder}/o%00.csv",
        "file://{folder}/o\n.csv",
    ],
)
async def test_a_uri_that_names_no_one_file_is_refused_before_anything_is_written(
    client, workspace, tmp_path, uri
):
    workspace.add("first")
    await client.sessions("first")
    before = sorted(tmp_path.rglob("*"))
    output = uri.format(folder=tmp_path.as_posix())
    with pytest.raises(JsonRpcException) as caught:
        await client.ask("stats/export", {"output": output, "format": "csv"})
    assert caught.value.code == -32602
    assert "output: is not the absolute URI of a file here, in UTF-8" in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before
    assert not os.path.exists("relative.csv")  # noqa: ASYNC240, PTH110  (the server's folder)


async def test_what_is_there_is_only_overwritten_when_asked(client, workspace, tmp_path):
    workspace.add("first")
    await client.sessions("first")
    target = tmp_path / "out.md"
    target.write_text("mine")
    params = {"output": str(target), "format": "markdown"}
    assert await failed(client, params) == {"kind": "OutputExists", "uri": target.as_uri()}
    assert target.read_text() == "mine"
    await client.ask("stats/export", {**params, "overwrite": True})
    assert "first" in target.read_text(encoding="utf-8")


async def test_folders_are_not_made_for_an_export(client, workspace, tmp_path):
    workspace.add("first")
    await client.sessions("first")
    target = tmp_path / "missing" / "out.json"
    data = await failed(client, {"output": str(target)})
    assert (data["kind"], data["uri"]) == ("OutputNotWritable", target.as_uri())
    data = await failed(client, {"output": str(tmp_path), "overwrite": True})
    assert data["kind"] == "OutputNotWritable"
    assert not target.parent.exists()


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
async def test_an_export_follows_no_link_out_of_the_workspace(client, workspace, tmp_path):
    workspace.add("first")
    await client.sessions("first")
    target = tmp_path / "precious"
    target.write_text("mine")
    link = workspace.root / "link.json"
    link.symlink_to(target)
    for named in ("link.json", str(link), link.as_uri()):
        data = await failed(client, {"output": named, "overwrite": True})
        assert (data["kind"], data["uri"]) == ("OutputNotWritable", link.as_uri())
        assert str(target) in data["reason"]
    assert (target.read_text(), link.is_symlink()) == ("mine", True)


@pytest.fixture
async def gated(connect, workspace, tmp_path, patched):
    """A client whose server reads no report while the file `gate` is there."""
    gate = tmp_path / "gate"
    for number in range(3):
        workspace.add(f"s{number}")
    client = await connect(env={**patched(GATE), "GATE": str(gate)})
    await client.status(lambda status: status["totals"]["sessions"] == 3)
    client.gate = gate
    return client


@pytest.mark.parametrize("by", ["request", "progress"])
async def test_an_export_that_is_cancelled_leaves_nothing(gated, tmp_path, by):
    target = tmp_path / "exports" / "out.json"
    target.parent.mkdir()
    gated.gate.touch()
    params = {"output": str(target)}
    answer = asyncio.wrap_future(
        gated.protocol.send_request("stats/export", params, msg_id="export")
    )
    await appears(lambda: list(target.parent.iterdir()))
    (token,) = await gated.until(lambda: list(gated.progress_reports))
    if by == "request":
        gated.cancel_request(types.CancelParams(id="export"))
        # Messages are handled in turn: when this one is answered, the export is cancelled.
        await gated.ask("stats/history")
    else:
        begun = await gated.until(lambda: gated.progress_reports[token])
        assert (begun[0]["kind"], begun[0]["cancellable"]) == ("begin", True)
        gated.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
        # It is seen with the next report of the progress, of which the last says so.
        await gated.until(lambda: gated.progress_reports[token][-1]["kind"] == "end")
    gated.gate.unlink()
    with pytest.raises(JsonRpcException) as caught:
        await answer
    assert caught.value.code == -32800
    await appears(lambda: not list(target.parent.iterdir()))
    assert (await gated.ask("stats/export", params))["sessions"] == 3


async def test_requests_are_answered_while_an_export_runs(gated, tmp_path):
    gated.gate.touch()
    params = {"output": str(tmp_path / "out.json")}
    answer = asyncio.ensure_future(gated.ask("stats/export", params))
    assert (await gated.ask("stats/history"))["total"] == 3
    assert not answer.done()
    gated.gate.unlink()
    assert (await answer)["sessions"] == 3
