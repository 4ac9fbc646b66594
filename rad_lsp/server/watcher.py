"""Events of the file system, passed on as hints on where something may have changed."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rad_lsp.service import REPORTS_FOLDER, documents
from rad_lsp.settings import WORKSPACE_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)

_RETRY_SECONDS: Final = 30.0
"""How long to wait before watching again, when the system can't watch more files."""

_GATHER_SECONDS: Final = 0.05
_OVERLAP_SECONDS: Final = 0.2
_STEP_MILLISECONDS: Final = 40
_FOLD_MILLISECONDS: Final = 80


class Watch:
    """What is watched of one workspace until `close`; `hint` is called for what has happened."""

    def __init__(
        self, root: Path, hint: Callable[[Iterable[str] | None], None], watcher: Watcher
    ) -> None:
        self.root = root
        self.hint = hint
        self.watched: tuple[tuple[str, int], ...] | None = None
        self._watcher = watcher

    def look(self, root: Path) -> None:
        """Begin a new watch if a folder between the root and the reports has come or gone."""
        self.root = root
        if self.watched is not None and self.way() != self.watched:
            self._watcher.restart()

    def close(self) -> None:
        """Give no more hints."""
        self._watcher.forget(self)

    def way(self) -> tuple[tuple[str, int], ...]:
        """The folders to watch, each with its inode, which changes when the folder is replaced."""
        found = []
        folder = self.root
        for part in ("", *REPORTS_FOLDER.parts):
            folder = folder / part
            try:
                status = folder.stat()
            except OSError:
                break
            found.append((str(folder), status.st_ino))
        return tuple(found)

    def changed(self, path: str) -> bool:
        """Hint at a path in a folder on the way; returns whether a folder may be another one."""
        place = Path(path)
        reports = self.root / REPORTS_FOLDER
        if place.parent == reports and documents.is_report(path):
            self.hint([path])
        elif place == reports or place in reports.parents:
            self.watched = None  # it may have been replaced, even by one with the same inode
            self.hint(None)
            return True
        elif place == self.root / WORKSPACE_FILE:
            self.hint(None)
        return False


class Watcher:
    """Watches workspaces' reports, and the folders from the roots down to them, if they exist.

    Each of these folders is watched by itself, without what is below it. So a folder that is made,
    replaced or deleted is noticed, and the rest of a workspace costs nothing. All are watched by
    one thread, and as one of the few things of their kind that a user may watch.
    """

    def __init__(self) -> None:
        self._watches: set[Watch] = set()
        self._is_stale = asyncio.Event()
        self._current: _Current | None = None
        self._task: asyncio.Task[None] | None = None

    def watch(self, root: Path, hint: Callable[[Iterable[str] | None], None]) -> Watch:
        """Watch a workspace, too. `hint` is called soon, as what happened before is not known."""
        watch = Watch(root, hint, self)
        self._watches.add(watch)
        self.restart()
        if self._task is None:
            self._task = asyncio.create_task(self._keep_watching())
        return watch

    def forget(self, watch: Watch) -> None:
        """Watch a workspace no longer."""
        self._watches.discard(watch)
        self.restart()

    def restart(self) -> None:
        """Watch the folders that there are now."""
        self._is_stale.set()

    async def close(self) -> None:
        """Watch nothing any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._current is not None:
            await self._current.close()

    async def _keep_watching(self) -> None:
        while True:
            await self._is_stale.wait()
            await asyncio.sleep(_GATHER_SECONDS)  # folders are often added one after the other
            self._is_stale.clear()
            before, self._current = self._current, self._begin()
            if before is not None:
                try:  # it still tells what happened before the new watch began
                    await asyncio.sleep(_OVERLAP_SECONDS)
                finally:
                    await before.close()

    def _begin(self) -> _Current:
        by_folder: dict[str, list[Watch]] = {}
        for watch in self._watches:
            way = watch.way()
            for folder, _ in way:
                by_folder.setdefault(folder, []).append(watch)
            if way != watch.watched:
                # What happened before the watch began is found by the scan that this asks for.
                asyncio.get_running_loop().call_later(_OVERLAP_SECONDS, watch.hint, None)
            watch.watched = way
        return _Current(by_folder, self.restart)


class _Current:
    """Some folders that are watched until `close`; `stale` is called when one may be another."""

    def __init__(self, by_folder: dict[str, list[Watch]], stale: Callable[[], None]) -> None:
        self._by_folder = by_folder
        self._stale = stale
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self._watch())

    async def close(self) -> None:
        self._stop.set()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        import watchfiles

        try:
            if self._by_folder:
                async for changes in watchfiles.awatch(
                    *self._by_folder,
                    watch_filter=None,
                    debounce=_FOLD_MILLISECONDS,
                    step=_STEP_MILLISECONDS,
                    stop_event=self._stop,
                    recursive=False,
                    ignore_permission_denied=True,
                ):
                    self._tell({path for _, path in changes})
        except OSError as error:
            logger.warning("Can't watch %s, so it is scanned: %s", self._named(), error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETRY_SECONDS):
                    await self._stop.wait()
            self._stale()

    def _named(self) -> str:
        """The workspaces, in a log."""
        watches = itertools.chain.from_iterable(self._by_folder.values())
        first, *others = sorted({str(watch.root) for watch in watches})
        return f"{first} and {len(others):,} more" if others else first

    def _tell(self, paths: set[str]) -> None:
        for path in paths:
            near = {
                *self._by_folder.get(path, ()),
                *self._by_folder.get(str(Path(path).parent), ()),
            }
            for watch in near:
                if watch.changed(path):
                    self._stale()


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
