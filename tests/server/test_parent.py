"""Whether the client's process is there."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from rad_lsp.server.parent import is_alive, watch_parent


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.communicate()


def test_processes_are_alive_until_they_have_ended(child):
    assert is_alive(os.getpid())
    assert is_alive(os.getppid())
    assert is_alive(child.pid)
    child.communicate(b"\n")
    assert not is_alive(child.pid)


@pytest.mark.parametrize("process_id", [0, -1, 2**80])
def test_what_cannot_be_told_counts_as_alive(process_id):
    assert is_alive(process_id)


async def test_the_server_is_stopped_when_the_process_has_ended(child, monkeypatch):
    monkeypatch.setattr("rad_lsp.server.parent.SECONDS", 0.01)
    stopped = asyncio.get_running_loop().create_future()
    watching = asyncio.create_task(watch_parent(child.pid, stopped.set_result))
    await asyncio.sleep(0)
    assert not stopped.done()
    child.communicate(b"\n")
    async with asyncio.timeout(30):
        assert await stopped == 1
        await watching
