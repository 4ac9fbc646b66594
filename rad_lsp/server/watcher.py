"""Events of the file system, passed on as hints on where something may have changed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from rad_lsp.service import REPORTS_FOLDER, documents
from rad_lsp.settings import WORKSPACE_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from watchfiles import Change

logger = logging.getLogger(__name__)

_RETRY_SECONDS: Final = 30.0
"""How long to wait before watching again, when the system can't watch more files."""

_STEP_MILLISECONDS: Final = 40
_FOLD_MILLISECONDS: Final = 80


class Watcher:
    """Watches a workspace's reports, and the folders from its root down to them, if they exist.

    Each of these folders is watched by itself, without what is below it. So a folder that is made,
    replaced or deleted is noticed, and the rest of the workspace costs nothing.
    """

    def __init__(self, root: Path, hint: Callable[[Iterable[str] | None], None]) -> None:
        self._root = root
        self._hint = hint
        self._watched: tuple[tuple[str, int], ...] = ()
        self._restart = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep_watching())
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def look(self, root: Path) -> None:
        """Begin a new watch if a folder between the root and the reports has come or gone."""
        self._root = root
        if self._way() != self._watched:
            self._restart.set()

    def _way(self) -> tuple[tuple[str, int], ...]:
        """The folders to watch, each with its inode, which changes when the folder is replaced."""
        found = []
        folder = self._root
        for part in ("", *REPORTS_FOLDER.parts):
            folder = folder / part
            try:
                status = folder.stat()
            except OSError:
                break
            found.append((str(folder), status.st_ino))
        return tuple(found)

    async def _keep_watching(self) -> None:
        import watchfiles

        while True:
            self._restart.clear()
            self._watched = self._way()
            try:
                # Changes before the watch began are found by the scan that this asks for.
                asyncio.get_running_loop().call_later(0.05, self._hint, None)
                async for changes in watchfiles.awatch(
                    *(path for path, _ in self._watched),
                    watch_filter=self._matters,
                    debounce=_FOLD_MILLISECONDS,
                    step=_STEP_MILLISECONDS,
                    stop_event=self._restart,
                    recursive=False,
                    ignore_permission_denied=True,
                ):
                    paths = {path for _, path in changes}
                    if all(self._is_report(path) for path in paths):
                        self._hint(paths)
                    else:  # a folder may have been replaced, even by one with the same inode
                        self._hint(None)
                        self._restart.set()
            except OSError as error:
                logger.warning("Can't watch %s, so it is scanned: %s", self._root, error)
                self._watched = ()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_RETRY_SECONDS):
                        await self._restart.wait()

    def _matters(self, _change: Change, path: str) -> bool:
        place = Path(path)
        if place == self._root / WORKSPACE_FILE or self._is_report(path):
            return True
        below = self._root / REPORTS_FOLDER
        return place == below or place in below.parents

    def _is_report(self, path: str) -> bool:
        return Path(path).parent == self._root / REPORTS_FOLDER and documents.is_report(path)


class TreeWatcher:
    """Watches folders with all that is below them, such as those of transcripts, if they exist."""

    def __init__(
        self, folders: Callable[[], Iterable[Path]], hint: Callable[[Iterable[str]], None]
    ) -> None:
        self._folders = folders
        self._hint = hint
        self._task = asyncio.create_task(self._keep_watching())

    async def close(self) -> None:
        """Stop watching."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_watching(self) -> None:
        import watchfiles

        while True:
            there = await asyncio.to_thread(self._existing)
            stop = asyncio.Event()
            check = asyncio.create_task(self._until_others(there, stop))
            try:
                if not there:
                    await stop.wait()
                    continue
                async for changes in watchfiles.awatch(
                    *there,
                    watch_filter=None,
                    debounce=_FOLD_MILLISECONDS,
                    step=_STEP_MILLISECONDS,
                    stop_event=stop,
                    ignore_permission_denied=True,
                ):
                    self._hint({path for _, path in changes})
            except OSError as error:
                logger.warning("Can't watch transcripts, so they are scanned: %s", error)
                await stop.wait()
            finally:
                check.cancel()

    async def _until_others(self, there: list[Path], stop: asyncio.Event) -> None:
        """Set `stop` once folders have come or gone, so that a new watch begins."""
        while True:
            await asyncio.sleep(_RETRY_SECONDS)
            if await asyncio.to_thread(self._existing) != there:
                stop.set()
                return

    def _existing(self) -> list[Path]:
        return [folder for folder in self._folders() if folder.is_dir()]
