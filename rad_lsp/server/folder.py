"""A workspace folder of the client, kept fresh.

Events name the files that changed. Regular scans find the changes without an event, so that
figures are right where events are lost or late, as on network and container mounts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from rad_lsp.server.folder_sessions import FolderSessions
from rad_lsp.server.status import StatusReporter
from rad_lsp.server.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

    from rad_lsp.core.problems import Problem
    from rad_lsp.core.session import Session
    from rad_lsp.server.notifier import Notifier
    from rad_lsp.server.status import RateLimiter
    from rad_lsp.service import Machine, Snapshot

logger = logging.getLogger(__name__)

TICK_SECONDS: Final = 1.0
"""The longest time between two cheap checks for a change without an event."""

STATUS_SECONDS: Final = 0.12
"""The least time between two statuses: fewer than ten a second."""

SCAN_SECONDS: Final = 3.0
"""The least time between two scans of every file without an event."""

SCAN_SHARE: Final = 0.005
"""The largest share of a core that scans without an event may take."""


class Folder:
    """One workspace folder, from when it is added until `close`.

    `sessions` are those in it, `settings` the ones in force.
    """

    def __init__(
        self,
        uri: str,
        path: Path,
        notifier: Notifier,
        limiter: RateLimiter,
        executor: ThreadPoolExecutor,
        machine: Callable[[], Machine],
    ) -> None:
        self.uri = uri
        self.path = path
        self._notifier = notifier
        self.sessions = FolderSessions(path, executor, machine)
        self.settings = self.sessions.settings
        self._status = StatusReporter(uri, self.sessions, notifier, limiter)
        self._hints = _Hints()
        self._configured = asyncio.Event()
        self._ready = asyncio.Event()
        self._told: Snapshot | None = None
        self._task = asyncio.create_task(self._keep_fresh())

    async def ready(self) -> Snapshot:
        """The newest snapshot, once there is one."""
        await self._ready.wait()
        return self.sessions.snapshot

    def hint(self, paths: Iterable[str] | None = None) -> None:
        """Look soon, because something may have changed: at these paths, or anywhere."""
        self._hints.add(paths)

    def configure(self, editor: Any) -> None:
        """Use the editor's settings, `radLsp.*`."""
        self.settings.editor = editor
        self._configured.set()
        self.hint()

    async def edit(self, path: str, content: Session | Problem | None) -> None:
        """Count an open buffer instead of its file; the file again when `content` is None."""
        await self._ready.wait()
        await self.sessions.edit(path, content)
        self._hints.add([])

    async def close(self) -> None:
        """Stop watching."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_fresh(self) -> None:
        """Read the folder, then look again whenever there is a reason to."""
        async with self._notifier.first_read(self.path.name, self.sessions):
            signature = await self.sessions.signature()
            await self._refresh(None)
        # No status is sent before the client's settings are known, because it depends on them.
        await self._configured.wait()
        await self._refresh(set())
        await self._report()
        scanned = time.monotonic()
        reported = scanned - STATUS_SECONDS
        pause = SCAN_SECONDS
        async with Watcher(self.sessions.root, self.hint) as watcher:
            while True:
                await self._wait(reported)
                paths = self._hints.take()
                before, signature = signature, await self.sessions.signature()
                begun = time.monotonic()
                scan = paths is None or signature != before or begun - scanned > pause
                if scan:
                    watcher.look(self.sessions.root)
                    await self._refresh(None)
                elif paths:
                    await self._refresh(paths)
                elif self.sessions.snapshot is self._told and datetime.now(UTC) < self._status.due:
                    continue
                await self._report()
                reported = time.monotonic()
                if scan:
                    scanned = reported
                    pause = max(SCAN_SECONDS, (scanned - begun) / SCAN_SHARE)

    async def _wait(self, reported: float) -> None:
        """Wait until there is a hint, or something is due by the clock.

        Hints that come soon after the last report are collected, so that one look follows them.
        """
        due = (self._status.due - datetime.now(UTC)).total_seconds()
        await self._hints.wait(min(TICK_SECONDS, max(due, 0.01)))
        await asyncio.sleep(max(0.0, reported + STATUS_SECONDS - time.monotonic()))

    async def _refresh(self, paths: set[str] | None) -> None:
        """Look at these paths only, or everywhere."""
        try:
            await self.sessions.refresh(paths)
        except Exception:
            logger.exception("Failed to look at %s", self.path)
        self._ready.set()

    async def _report(self) -> None:
        """Notify the client of everything that has changed."""
        await self._status.report()
        self._notifier.warn(self.uri, self.settings.mistake, self.settings.loaded.ignored)
        if self.sessions.snapshot is not self._told:
            self._told = self.sessions.snapshot
            self._notifier.changed(self.sessions)


class _Hints:
    """Paths at which something may have changed, collected until they are looked at."""

    def __init__(self) -> None:
        self._paths: set[str] | None = set()  # None is anywhere
        self._added = asyncio.Event()

    def add(self, paths: Iterable[str] | None) -> None:
        """Something may have changed at these paths, or anywhere when that is None."""
        if paths is None:
            self._paths = None
        elif self._paths is not None:
            self._paths.update(paths)
        self._added.set()

    async def wait(self, seconds: float) -> None:
        """Wait until something is added, no longer than some seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._added.wait()

    def take(self) -> set[str] | None:
        """The paths that were added since the last call; None for anywhere."""
        self._added.clear()
        paths, self._paths = self._paths, set()
        return paths
