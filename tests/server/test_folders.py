"""A workspace folder's life, where something on its way fails once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from rad_lsp.server.folders import Folder, Turns
from rad_lsp.store.agents import Machine


class Client:
    def __init__(self):
        self.statuses = asyncio.Queue()

    def status(self, status):
        self.statuses.put_nowait(status)

    def linked(self):
        return frozenset()

    def changed(self, folder):
        pass

    def complain(self, folder, message):
        pass

    async def show_reading(self, folder, read):
        pass


async def test_a_store_that_could_not_be_made_is_tried_again(workspace, tmp_path, caplog):
    workspace.add("first", total_cost=2.5)
    tries = []

    def machine():
        tries.append(len(tries))
        if not tries[-1]:
            raise OSError("not now")
        return Machine({}, tmp_path / "home", tmp_path / "data")

    client = Client()
    with ThreadPoolExecutor(1) as executor:
        root = workspace.root
        folder = Folder(root.as_uri(), root, executor, client, Turns(), machine)
        folder.configure({})
        async with asyncio.timeout(30):
            status = await client.statuses.get()
        await folder.close()
    assert status.text.startswith("$2.5000")
    assert tries == [0, 1]
    assert "Failed to look at" in caplog.text
