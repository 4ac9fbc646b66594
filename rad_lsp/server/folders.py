"""The workspace folders of a client: a store for each, kept fresh, and its status."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from rad_lsp import service, settings, wire
from rad_lsp.core.errors import NoWorkspace
from rad_lsp.render import markdown, text
from rad_lsp.sources.radium import Radium
from rad_lsp.store.snapshot import Snapshot
from rad_lsp.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

SCAN_SECONDS: Final = 0.5
"""How long a change can stay unseen."""

Publish = Callable[[str, Any], None]


class Folder:
    """One workspace folder: its sessions, and what was last said of them."""

    def __init__(self, root: Path, executor: ThreadPoolExecutor, publish: Publish) -> None:
        self.root = root
        self.snapshot = Snapshot()
        self._store = Store([Radium(root)])
        self._executor = executor
        self._publish = publish
        self._ready = asyncio.Event()
        self._said: wire.Status | None = None
        self._task = asyncio.create_task(self._watch())

    async def ready(self) -> Snapshot:
        """The newest snapshot, once there is one."""
        await self._ready.wait()
        return self.snapshot

    def close(self) -> asyncio.Task[None]:
        """Stop watching."""
        self._task.cancel()
        return self._task

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                self.snapshot = await loop.run_in_executor(self._executor, self._store.refresh)
                self._ready.set()
                self._say()
            except Exception:
                logger.exception("Failed to look at %s", self.root)
            await asyncio.sleep(SCAN_SECONDS)

    def _say(self) -> None:
        now = datetime.now(UTC)
        in_force = settings.Settings()
        found = service.status(self.snapshot, now, in_force.zone)
        status = wire.status(
            found,
            self.root,
            now,
            text=text.status(found, in_force.status.format),
            tooltip=markdown.tooltip(found, now),
        )
        if status != self._said:
            self._said = status
            self._publish("stats/status", status)


class Folders:
    """All workspace folders, by their path."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._folders: dict[Path, Folder] = {}
        # One thread: files are read one after the other, however many folders there are.
        self._executor = ThreadPoolExecutor(1, "store")

    def add(self, root: Path) -> None:
        """Watch a folder; one that is watched already is left alone."""
        if root not in self._folders:
            self._folders[root] = Folder(root, self._executor, self._publish)

    def pick(self, named: Path | None = None) -> Folder:
        """The folder that is named, else the first. Raises NoWorkspace."""
        for root, folder in self._folders.items():
            if named is None or root == named:
                return folder
        raise NoWorkspace

    async def close(self) -> None:
        """Stop watching all folders."""
        tasks = [folder.close() for folder in self._folders.values()]
        await asyncio.gather(*tasks, return_exceptions=True)
        self._executor.shutdown(wait=False, cancel_futures=True)
