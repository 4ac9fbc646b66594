"""All workspace folders of the client.

Events name the files that changed. Regular scans find the changes without an event, so that
figures are right where events are lost or late, as on network and container mounts.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from rad_lsp.core.errors import NoWorkspace
from rad_lsp.core.paths import folder_key
from rad_lsp.core.session import RADIUM
from rad_lsp.render import label
from rad_lsp.server.folder import Folder
from rad_lsp.server.titles import TitleReader
from rad_lsp.server.uris import path_of
from rad_lsp.server.watcher import Watcher, watch_trees
from rad_lsp.service import Prices, limits, sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import tzinfo

    from rad_lsp.core.session import Session
    from rad_lsp.server.notifier import Notifier
    from rad_lsp.service.told import Things


T = TypeVar("T")

logger = logging.getLogger(__name__)

TICK_SECONDS: Final = 1.0
"""The least time between two cheap checks for a change without an event."""

SCAN_SECONDS: Final = 3.0
"""The least time between two scans of every file without an event."""

LIMITS_SECONDS: Final = 15.0
"""The least time between two looks at the limits of plans, for notices."""

SHARE: Final = 0.005
"""The largest share of a core that the checks, and that the scans, may take."""


class Folders:
    """The folders that the client has open, by URI, in the order in which they were added."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._folders: dict[str, Folder] = {}
        self._editor: Any = None
        self._configured = False
        self._list_prices = Prices()
        self._tasks: list[asyncio.Task[None]] = []
        self._watcher = Watcher()
        # One thread: files are read one after the other, however many folders there are.
        self._executor = ThreadPoolExecutor(1, "store")
        # Opened in the executor's thread, when a folder first needs it.
        self._machine = functools.cache(sessions.open_machine)
        self.titles = TitleReader(self._machine)

    def __iter__(self) -> Iterator[Folder]:
        return iter(self._folders.values())

    def add(self, uri: str) -> None:
        """Watch a folder, unless it is watched already or its URI is not that of a file."""
        path = path_of(uri)
        if path is None or uri in self._folders:
            return
        folder = Folder(
            uri,
            Path(path),
            self._notifier,
            self._executor,
            self._machine,
            self._watcher,
            self.titles,
            functools.partial(self._name, Path(path)),
        )
        self._folders[uri] = folder
        self._renamed()
        if not self._tasks:
            watching = watch_trees(sessions.transcript_folders, self._hint_all)
            self._tasks = [asyncio.create_task(work) for work in (watching, self._keep_looking())]
        if self._configured:
            folder.configure(self._editor)

    async def remove(self, uri: str) -> Folder | None:
        """Stop watching a folder; returns it, or None when it was not watched."""
        folder = self._folders.pop(uri, None)
        if folder is not None:
            await folder.close()
            self._renamed()
        return folder

    def pick(self, uri: str | None = None) -> Folder:
        """The folder with that URI, or the first one without a URI. Raises NoWorkspace."""
        path = None if uri is None else path_of(uri)
        wanted = None if path is None else folder_key(path)
        for folder in self:
            if uri is None or folder.uri == uri or folder_key(str(folder.path)) == wanted:
                return folder
        raise NoWorkspace

    def holding(self, path: str) -> Folder | None:
        """The first folder in whose workspace a report lies."""
        return next(iter(self.all_holding(path)), None)

    def all_holding(self, path: str) -> list[Folder]:
        """The folders in whose workspace a report lies: more than one where they are nested."""
        return [folder for folder in self if folder.sessions.holds(path)]

    def counting(self, source: str, session_id: str) -> tuple[Folder, Session] | None:
        """The first folder in which a session counts, and the whole session.

        A transcript is one file of a session, which may have others.
        """
        for folder in self:
            entry = folder.sessions.snapshot.by_id.get(session_id)
            if entry is not None and entry.source == source:
                return folder, entry.session
        return None

    def of(self, session: Session) -> Folder | None:
        """The first folder in which a transcript's session counts, or in which a report lies."""
        if session.source == RADIUM:
            return self.holding(session.path)
        counting = self.counting(session.source, session.id)
        return counting[0] if counting else None

    def shown(self, session: Session) -> Session:
        """The session of a report or transcript as all answers show it.

        A report has those that ran as part of it, and the place that is known of it. A transcript
        is one file of its session, which may have others, such as those of sub-agents.
        """
        counting = self.counting(session.source, session.id)
        if counting is None:
            return session
        known = counting[1]
        if session.source != RADIUM:
            return known
        if known.path != session.path:
            return session
        place = {"project": known.project, "branch": known.branch}
        return known if session.children else msgspec.structs.replace(session, **place)

    def label(self, session: Session, zone: tzinfo | None) -> str:
        """What a session is called, with its title where that was read."""
        return label.of(session, datetime.now(UTC), zone, self.titles.known.of(session))

    def prices_of(self, session: Session) -> Prices:
        """The prices in force for a session: those of the folder in which its report lies.

        For a transcript, and a report outside of all folders, see `prices_for`.
        """
        folder = self.holding(session.path)
        return folder.settings.prices if folder else self.prices_for(session.source, session.id)

    def prices_for(self, source: str, session_id: str) -> Prices:
        """The prices of the folder in which a session counts, else those of the first folder.

        Without a folder they are those of the price list.
        """
        counting = self.counting(source, session_id)
        folder = counting[0] if counting else next(iter(self), None)
        return folder.settings.prices if folder else self._list_prices

    def configure(self, editor: Any) -> None:
        """Use the editor's settings, `radLsp.*`, for all folders."""
        self._editor = editor
        self._configured = True
        for folder in self:
            folder.configure(editor)

    async def close(self) -> None:
        """Stop watching all folders."""
        await asyncio.gather(*(folder.close() for folder in self))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self._watcher.close(), *self._tasks, return_exceptions=True)
        self._executor.shutdown(wait=False, cancel_futures=True)
        self.titles.close()

    def _name(self, path: Path) -> str:
        """The name of a folder among others: its path where one of them is called alike."""
        others = [folder.path for folder in self._folders.values() if folder.path != path]
        if path.name in {other.name for other in others}:
            return str(path)
        return path.name if others else ""

    def _renamed(self) -> None:
        """With the number of folders, their names in tooltips change."""
        for folder in self:
            folder.hint([])

    async def _keep_looking(self) -> None:
        """Let each folder look where it has changed without an event, or when that is due."""
        loop = asyncio.get_running_loop()
        scanned = time.monotonic()
        limits_due = 0.0
        pause = TICK_SECONDS
        while True:
            await asyncio.sleep(pause)
            folders = list(self)
            work = functools.partial(_signatures, folders)
            signatures, took = await loop.run_in_executor(self._executor, _timed, work)
            for folder, signature in zip(folders, signatures, strict=True):
                folder.look(signature, datetime.now(UTC))
            scanning = sum(folder.sessions.scan_seconds for folder in folders)
            if time.monotonic() - scanned > max(SCAN_SECONDS, scanning / SHARE):
                for folder in folders:
                    folder.hint()
                scanned = time.monotonic()
            if self._configured and folders and time.monotonic() >= limits_due:
                looked = await self._tell_limits(folders[0])
                limits_due = time.monotonic() + max(LIMITS_SECONDS, looked / SHARE)
            pause = max(TICK_SECONDS, took / SHARE)

    async def _tell_limits(self, folder: Folder) -> float:
        """Tell the user of plan limits that are nearly used up; returns the seconds of a core.

        They are those of the user's accounts: one folder speaks for all.
        """
        zone = folder.settings.values.zone

        def work() -> list[tuple[Things, str]]:
            return limits.notices(self._machine(), datetime.now(UTC), zone)

        try:
            loop = asyncio.get_running_loop()
            notices, took = await loop.run_in_executor(self._executor, _timed, work)
        except Exception:
            logger.exception("Failed to look at the limits of plans")
            return 0.0
        self._notifier.notices.announce("limits", folder.uri, notices)
        return took

    def _hint_all(self, paths: Iterable[str]) -> None:
        for folder in self:
            folder.hint(paths)


def _signatures(folders: Iterable[Folder]) -> list[object]:
    return [folder.sessions.signature() for folder in folders]


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` returns, and the seconds of a core that it took."""
    begun = time.thread_time()
    return work(), time.thread_time() - begun
