"""Events of the file system, as hints: where something may have changed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from rad_lsp.settings import WORKSPACE_FILE
from rad_lsp.sources.radium import FOLDER, SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from watchfiles import Change

logger = logging.getLogger(__name__)

_RETRY_SECONDS: Final = 30.0
"""When the system can watch no more, scans do; it may have room again later."""

_STEP_MILLISECONDS: Final = 40
_FOLD_MILLISECONDS: Final = 80


class Watcher:
    """Watches the way down to a workspace's reports, as far as it exists.

    Each folder on the way is watched for itself, not for all below it, so that a folder that is
    made, replaced or deleted is noticed, and nothing else in the workspace costs anything.
    """

    def __init__(self, root: Path, hint: Callable[[Iterable[str] | None], None]) -> None:
        self._root = root
        self._hint = hint
        self._watched: tuple[tuple[str, int], ...] = ()
        self._restart = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep_watching())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def look(self, root: Path) -> None:
        """Watch anew when folders on the way to the reports have come, gone or been replaced."""
        self._root = root
        if self._way() != self._watched:
            self._restart.set()

    def _way(self) -> tuple[tuple[str, int], ...]:
        """The folders to watch, with what tells a replaced one from the one before."""
        found = []
        folder = self._root
        for part in ("", *FOLDER.parts):
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
                # What changed before the watch began is found by the look that this asks for.
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
                    else:  # a folder on the way may be another one now, of the same inode even
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
        below = self._root / FOLDER
        return place == below or place in below.parents

    def _is_report(self, path: str) -> bool:
        return path.endswith(SUFFIX) and os.path.dirname(path) == str(self._root / FOLDER)  # noqa: PTH120


class TreeWatcher:
    """Watches whole folders, such as those of agents' transcripts, as far as they exist."""

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
        """Ask for a new watch when folders have come or gone."""
        while True:
            await asyncio.sleep(_RETRY_SECONDS)
            if await asyncio.to_thread(self._existing) != there:
                stop.set()
                return

    def _existing(self) -> list[Path]:
        return [folder for folder in self._folders() if folder.is_dir()]
