"""The sessions of a workspace folder."""

from __future__ import annotations

import asyncio
import functools
import os
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from rad_lsp import settings
from rad_lsp.service import Snapshot, sessions, workspaces

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

    from rad_lsp.core.problems import Problem
    from rad_lsp.core.session import Session
    from rad_lsp.server.folder_settings import FolderSettings
    from rad_lsp.service.sessions import Machine, Store

P = ParamSpec("P")
T = TypeVar("T")


class FolderSessions:
    """The sessions of the workspace that a folder lies in, read in a thread of the `executor`.

    `root` is the workspace's folder, which may be above `path`. `snapshot` has the sessions as
    they were read last; `files_read` is the number of files that the last read has read so far.
    `machine` is called in the thread.
    """

    def __init__(
        self,
        path: Path,
        folder_settings: FolderSettings,
        executor: ThreadPoolExecutor,
        machine: Callable[[], Machine],
    ) -> None:
        self.root = path
        self.files_read = 0
        self._path = path
        self._settings = folder_settings
        self._executor = executor
        self._machine = machine
        self._store: Store | None = None
        self.snapshot = Snapshot()
        self._scope: object = None

    def holds(self, path: str) -> bool:
        """Whether a report's path lies in this workspace."""
        return os.path.dirname(path) == str(self.root / workspaces.REPORTS_FOLDER)  # noqa: PTH120

    async def signature(self) -> object:
        """A value that changes when all reports, and the settings, must be looked at.

        It is cheap: it looks at the sessions folder and at the settings files only.
        """
        return await self._in_thread(self._signature)

    async def refresh(self, paths: set[str] | None, *, load_settings: bool) -> None:
        """Read what changed at these paths, or everywhere; load the settings first if asked to.

        Where the workspace or its settings have changed, everything is read.
        """
        self.snapshot = await self._in_thread(self._refresh, paths, load_settings=load_settings)

    async def edit(self, path: str, content: Session | Problem | None) -> None:
        """Count an open buffer instead of its file; the file again when `content` is None."""
        self.snapshot = await self._in_thread(self._edit, path, content)

    def _refresh(self, paths: set[str] | None, *, load_settings: bool) -> Snapshot:
        self.root = workspaces.nearest(self._path) or self._path
        if load_settings:
            self._settings.load(self.root)
        values = self._settings.values
        scope = (self.root, values.sources, values.prices, workspaces.folders_of(self.root))
        if scope != self._scope:
            self._store = sessions.open_store(self._machine(), *scope[:3], before=self._store)
            self._scope = scope
            paths = None
        return self._opened.refresh(paths, self._count)

    def _edit(self, path: str, content: Session | Problem | None) -> Snapshot:
        return self._opened.edit(path, content)

    @property
    def _opened(self) -> Store:
        if self._store is None:
            raise RuntimeError("The folder has not been read yet.")
        return self._store

    def _count(self, read: int) -> None:
        self.files_read = read

    def _signature(self) -> object:
        root = workspaces.nearest(self._path) or self._path
        files = (
            root / workspaces.REPORTS_FOLDER,
            root / settings.WORKSPACE_FILE,
            settings.user_file(),
        )
        return (root, *map(_stamp, files))

    async def _in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        call = functools.partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
