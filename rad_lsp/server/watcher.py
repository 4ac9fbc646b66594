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


async def watch_trees(
    folders: Callable[[], Iterable[Path]], hint: Callable[[Iterable[str]], None]
) -> None:
    """Watch folders with all that is below them, such as those of transcripts, if they exist.

    Goes on until it is cancelled.
    """
    import watchfiles

    def existing() -> list[Path]:
        return [folder for folder in folders() if folder.is_dir()]

    while True:
        there = await asyncio.to_thread(existing)
        if not there:
            await asyncio.sleep(_RETRY_SECONDS)
            continue
        try:
            async for changes in watchfiles.awatch(
                *there,
                watch_filter=None,
                debounce=_FOLD_MILLISECONDS,
                step=_STEP_MILLISECONDS,
                rust_timeout=int(1000 * _RETRY_SECONDS),
                yield_on_timeout=True,
                ignore_permission_denied=True,
            ):
                if changes:
                    hint({path for _, path in changes})
                if await asyncio.to_thread(existing) != there:
                    break  # folders have come or gone: a new watch begins
        except OSError as error:
            logger.warning("Can't watch transcripts, so they are scanned: %s", error)
            await asyncio.sleep(_RETRY_SECONDS)
