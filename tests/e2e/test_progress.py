"""Progress of a first read that takes long, where the client shows it."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import capabilities_of

GATE = """
import os, time
gate, scanned = os.environ["GATE"], os.scandir

def scandir(path="."):
    while str(path).endswith("sessions") and os.path.exists(gate):
        time.sleep(0.005)
    return scanned(path)

os.scandir = scandir
"""


@pytest.fixture
def slow(patched, tmp_path):
    """The environment of a server whose disk does not answer while the file `gate` is there."""
    gate = tmp_path / "gate"
    gate.touch()
    return gate, {**patched(GATE), "GATE": str(gate)}


async def test_a_first_read_that_takes_long_shows_progress(connect, workspace, slow):
    gate, env = slow
    workspace.add("first")
    client = await connect(editor="emacs", env=env)
    (token,) = await client.until(lambda: list(client.progress_reports))
    begun = await client.until(lambda: client.progress_reports[token])
    assert begun[0]["kind"] == "begin"
    assert "workspace" in begun[0]["title"]
    assert client.statuses == []
    gate.unlink()
    await client.until(lambda: client.progress_reports[token][-1]["kind"] == "end")
    assert (await client.status())["session"]["sessionId"] == "first"


async def test_the_name_of_a_folder_is_shown_in_harmless_letters(connect, workspace, slow):
    gate, env = slow
    folder = workspace.root.rename(workspace.root.with_name("a\x1b]0;title\x07\u202e"))
    client = await connect([folder], editor="emacs", env=env)
    (token,) = await client.until(lambda: list(client.progress_reports))
    (begun, *_) = await client.until(lambda: client.progress_reports[token])
    assert begun["title"] == "Reading sessions of a\\x1b]0;title\\x07\\u202e"
    gate.unlink()
    await client.status()


async def test_a_client_that_shows_no_progress_gets_none(connect, workspace, slow):
    gate, env = slow
    workspace.add("first")
    capabilities = capabilities_of("emacs")
    capabilities.window.work_done_progress = False
    client = await connect(editor=capabilities, env=env)
    with pytest.raises(TimeoutError):  # longer than it takes for progress to be shown
        await client.within(1, lambda: client.progress_reports)
    gate.unlink()
    assert (await client.status())["session"]["sessionId"] == "first"
    assert client.progress_reports == {}
