"""A workspace folder's life, where opening the index fails once."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor

from rad_lsp.server.folder import Folder
from rad_lsp.server.notifier import Notifier
from rad_lsp.server.titles import TitleReader
from rad_lsp.server.watcher import Watcher
from rad_lsp.service import sessions


class Statuses(Notifier):
    """Keeps what would be sent to a client."""

    def __init__(self):
        self.statuses = asyncio.Queue()

    def status(self, status):
        self.statuses.put_nowait(status)

    def linked(self):
        return frozenset()

    def changed(self, sessions):
        pass

    def mistake(self, uri, sentence):
        pass

    def first_read(self, *_arguments):
        return contextlib.nullcontext()


async def test_an_index_that_could_not_be_opened_is_tried_again(workspace, caplog):
    workspace.add("first", total_cost=2.5)
    tries = []

    def machine():
        tries.append(len(tries))
        if not tries[-1]:
            raise OSError("not now")
        return sessions.open_machine()

    notifier = Statuses()
    with ThreadPoolExecutor(1) as executor:
        root = workspace.root
        watcher = Watcher()
        titles = TitleReader(machine)
        folder = Folder(root.as_uri(), root, notifier, executor, machine, watcher, titles, str)
        folder.configure({})
        async with asyncio.timeout(30):
            status = await notifier.statuses.get()
        await folder.close()
        await watcher.close()
        titles.close()
    assert status.text.startswith("$2.5000")
    assert tries == [0, 1]
    assert "Failed to look at" in caplog.text
