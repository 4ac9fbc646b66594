"""A workspace folder of the client, kept fresh: read again whenever there is a hint."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from rad_lsp.core.problems import Problem
from rad_lsp.server.folder_sessions import FolderSessions
from rad_lsp.server.status import RateLimiter, StatusReporter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import ThreadPoolExecutor
    from datetime import datetime
    from pathlib import Path

    from rad_lsp.core.session import Session
    from rad_lsp.server.notifier import Notifier
    from rad_lsp.server.titles import TitleReader
    from rad_lsp.server.watcher import Watcher
    from rad_lsp.service import Machine, Snapshot

logger = logging.getLogger(__name__)

STATUS_SECONDS: Final = 0.12
"""The least time between two statuses of a folder: fewer than ten a second."""


class Folder:
    """One workspace folder, from when it is added until `close`.

    `sessions` are those in it, `settings` the ones in force. `name` gives its name where there are
    others, too.
    """

    def __init__(
        self,
        uri: str,
        path: Path,
        notifier: Notifier,
        executor: ThreadPoolExecutor,
        machine: Callable[[], Machine],
        watcher: Watcher,
        titles: TitleReader,
        name: Callable[[], str],
    ) -> None:
        self.uri = uri
        self.path = path
        self._notifier = notifier
        self.sessions = FolderSessions(path, executor, machine)
        self.settings = self.sessions.settings
        self._status = StatusReporter(
            uri,
            self.sessions,
            notifier,
            RateLimiter(STATUS_SECONDS),
            titles,
            lambda: self.hint([]),
            name,
        )
        self._hints = _Hints()
        self._edits: dict[str, Session | None] = {}
        self._configured = asyncio.Event()
        self._ready = asyncio.Event()
        self._told: Snapshot | None = None
        self._checked: object = None
        self._watch = watcher.watch(path, self.hint)
        self._task = asyncio.create_task(self._keep_fresh())

    async def ready(self) -> Snapshot:
        """The newest snapshot, once there is one."""
        await self._ready.wait()
        return self.sessions.snapshot

    def hint(self, paths: Iterable[str] | None = None) -> None:
        """Look soon, because something may have changed: at these paths, or anywhere."""
        self._hints.add(paths)

    def look(self, signature: object, now: datetime) -> None:
        """Look soon if its signature has changed, or if its status is due though no file has.

        Where many reports are, a look at all of them takes long: an event may tell of the change
        until the next check, and then it is not needed.
        """
        if signature == self.sessions.signature_read:
            if self._configured.is_set() and now >= self._status.due:
                self.hint([])
        elif signature == self._checked:
            self.hint()
        self._checked = signature

    def configure(self, editor: Any) -> None:
        """Use the editor's settings, `radLsp.*`."""
        self.settings.editor = editor
        self._configured.set()
        self.hint([])

    def edit(self, path: str, content: Session | Problem | None) -> None:
        """Count an open buffer instead of its file; the file again when `content` is None.

        While the buffer can't be read, its last good session counts.
        """
        if isinstance(content, Problem):
            return
        self._edits[path] = content
        if content is None:
            self._told = None  # what was shown of the buffer goes, even if no figure changes
        self.hint([])

    async def close(self) -> None:
        """Stop watching."""
        self._watch.close()
        self._status.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_fresh(self) -> None:
        """Read the folder, then look again whenever there is a reason to."""
        async with self._notifier.first_read(self.path.name, self.sessions):
            await self._refresh(None)
        # No status is sent before the client's settings are known, because it depends on them.
        await self._configured.wait()
        while True:
            paths = self._hints.take()
            await self._refresh(paths)
            if paths is None:
                self._watch.look(self.sessions.root)
            await self._report()
            reported = time.monotonic()
            await self._hints.wait()
            # Hints that come soon after a report are collected, so that one look follows them.
            await asyncio.sleep(max(0.0, reported + STATUS_SECONDS - time.monotonic()))

    async def _refresh(self, paths: set[str] | None) -> None:
        """Look at these paths only, or everywhere."""
        edits, self._edits = self._edits, {}
        try:
            await self.sessions.refresh(paths, edits, self._hints.asked)
        except Exception:
            logger.exception("Failed to look at %s", self.path)
            self._edits = edits | self._edits
        self._ready.set()

    async def _report(self) -> None:
        """Notify the client of everything that has changed."""
        await self._status.report()
        self._status.announce()
        self._notifier.warn(self.uri, self.settings.mistake, self.settings.loaded.ignored)
        if self.sessions.snapshot is not self._told:
            self._told = self.sessions.snapshot
            self._notifier.changed(self.sessions)


class _Hints:
    """Paths at which something may have changed, collected until they are looked at.

    `asked` is when the last ones were added, in seconds of `time.monotonic`.
    """

    def __init__(self) -> None:
        self.asked = time.monotonic()
        self._paths: set[str] | None = set()  # None is anywhere
        self._added = asyncio.Event()

    def add(self, paths: Iterable[str] | None) -> None:
        """Something may have changed at these paths, or anywhere when that is None."""
        if paths is None:
            self._paths = None
        elif self._paths is not None:
            self._paths.update(paths)
        self.asked = time.monotonic()
        self._added.set()

    async def wait(self) -> None:
        """Wait until something is added."""
        await self._added.wait()

    def take(self) -> set[str] | None:
        """The paths that were added since the last call; None for anywhere."""
        self._added.clear()
        paths, self._paths = self._paths, set()
        return paths
