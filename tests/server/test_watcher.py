"""Hints of where something may have changed."""

from __future__ import annotations

import asyncio
import contextlib
import shutil

import pytest
import watchfiles

from rad_lsp.server.watcher import Watcher

FOLDER = (".radium", "_internals", "sessions")


class Hints:
    def __init__(self):
        self._news = asyncio.Event()
        self.got = []

    def __call__(self, paths):
        self.got.append(None if paths is None else set(paths))
        self._news.set()

    async def until(self, wanted):
        async with asyncio.timeout(30):
            while not any(map(wanted, self.got)):
                self._news.clear()
                await self._news.wait()


@contextlib.asynccontextmanager
async def watching(root, hints):
    """Watches one workspace."""
    watcher = Watcher()
    yield watcher.watch(root, hints)
    await watcher.close()


def names(path):
    """Whether a hint covers a path."""
    return lambda hint: hint is None or str(path) in hint


async def test_a_report_that_appears_is_named(workspace):
    hints = Hints()
    async with watching(workspace.root, hints) as watcher:
        watcher.look(workspace.root)
        await hints.until(lambda hint: hint is None)
        hints.got.clear()
        path = workspace.add("first")
        await hints.until(names(path))


async def test_the_first_look_is_asked_for_without_an_event(workspace):
    hints = Hints()
    async with watching(workspace.root, hints):
        await hints.until(lambda hint: hint is None)


async def test_folders_on_the_way_are_noticed_when_they_come_and_go(tmp_path):
    root = tmp_path / "fresh"
    root.mkdir()
    hints = Hints()
    async with watching(root, hints) as watcher:
        await hints.until(lambda hint: hint is None)
        folder = root
        for part in FOLDER:
            hints.got.clear()
            folder = folder / part
            folder.mkdir()
            await hints.until(lambda hint: hint is None)
            watcher.look(root)
            await hints.until(lambda hint: hint is None)
        hints.got.clear()
        shutil.rmtree(root / ".radium")
        await hints.until(lambda hint: hint is None)


async def test_where_nothing_can_be_watched_it_goes_on_without(workspace, monkeypatch, caplog):
    async def awatch(*_paths, **_options):
        raise OSError(28, "inotify watch limit reached")
        yield

    monkeypatch.setattr(watchfiles, "awatch", awatch)
    hints = Hints()
    async with watching(workspace.root, hints) as watcher:
        await hints.until(lambda hint: hint is None)
        watcher.look(workspace.root)
    assert "limit reached" in caplog.text


@pytest.mark.parametrize("exists", [True, False])
async def test_a_root_that_is_not_there_is_no_error(tmp_path, exists, caplog):
    root = tmp_path / "root"
    if exists:
        root.mkdir()
    hints = Hints()
    async with watching(root, hints):
        await hints.until(lambda hint: hint is None)
    assert "Traceback" not in caplog.text
