"""The workspace folders of a client: a store for each, kept fresh, and its status.

Events say where to look, a cheap scan says whether there is anything to see. So the figures are
right where events are lost, late, or unknown: network and container mounts, spent watch limits.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from rad_lsp import service, settings, sources, wire
from rad_lsp.core import cost as costs
from rad_lsp.core import figures, period
from rad_lsp.core.cost import UNKNOWN, CostRow, Savings
from rad_lsp.core.errors import BadSettings, NoWorkspace
from rad_lsp.pricing import Prices
from rad_lsp.render import answers
from rad_lsp.server import links
from rad_lsp.server.uris import path_of
from rad_lsp.server.watcher import TreeWatcher, Watcher
from rad_lsp.sources.radium import FOLDER
from rad_lsp.store import workspace
from rad_lsp.store.agents import Machine
from rad_lsp.store.snapshot import Snapshot
from rad_lsp.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import tzinfo
    from typing import Protocol

    from rad_lsp.core.problems import Problem
    from rad_lsp.core.session import Session

    class Client(Protocol):
        """What a folder tells the client; all of it on the event loop."""

        def status(self, status: wire.Status) -> None:
            """A folder's status has changed."""

        def linked(self) -> frozenset[str]:
            """Commands that links may name."""

        def changed(self, folder: Folder) -> None:
            """There is a new snapshot."""

        def complain(self, folder: Folder, message: str) -> None:
            """Something in the settings wants mending; nothing does when `message` is empty."""

        async def show_reading(self, folder: Folder, read: Callable[[], int]) -> None:
            """The first read has begun, of `read()` files so far; cancelled at its end."""


P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)

TICK_SECONDS: Final = 1.0
"""How often the folder itself is looked at, which a rename into it changes."""

STATUS_SECONDS: Final = 0.12
"""The least time between two statuses: under ten a second."""

SCAN_SECONDS: Final = 3.0
"""The least time between two scans of every file without an event."""

SCAN_SHARE: Final = 0.005
"""The most of a core that scans without an event may take."""


class Turns:
    """Folders speak one after the other, so that all of them together keep to the limit."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._last = -STATUS_SECONDS

    async def take(self) -> bool:
        """Wait until there may be a status again; whether that took any time."""
        waited = self._lock.locked()
        async with self._lock:
            pause = self._last + STATUS_SECONDS - time.monotonic()
            if pause > 0:
                waited = True
                await asyncio.sleep(pause)
            self._last = time.monotonic()
        return waited


class Folder:
    """One workspace folder: its sessions, and what was last said of them."""

    def __init__(
        self,
        uri: str,
        path: Path,
        executor: ThreadPoolExecutor,
        client: Client,
        turns: Turns,
        machine: Callable[[], Machine],
    ) -> None:
        self.uri = uri
        self.path = path
        self.snapshot = Snapshot()
        self.settings = settings.Settings()
        self.prices = Prices()
        self._root = path
        self._machine = machine
        self._store = Store([])
        self._scope: object = None
        self._editor: Any = None
        self._configured = asyncio.Event()
        self._executor = executor
        self._client = client
        self._turns = turns
        self._ready = asyncio.Event()
        self._hinted = asyncio.Event()
        self._hints: set[str] | None = set()  # None is anywhere
        self._read = 0
        self._said: wire.Status | None = None
        self._said_of: Snapshot | None = None
        self._complaint = ""
        self._priced = False
        self._due = datetime.now(UTC)
        self._task = asyncio.create_task(self._keep_fresh())

    async def ready(self) -> Snapshot:
        """The newest snapshot, once there is one."""
        await self._ready.wait()
        return self.snapshot

    def hint(self, paths: Iterable[str] | None = None) -> None:
        """Something may have changed: at these paths, or anywhere."""
        if paths is None:
            self._hints = None
        elif self._hints is not None:
            self._hints.update(paths)
        self._hinted.set()

    def configure(self, editor: Any) -> None:
        """Take the editor's settings, `radLsp.*`."""
        self._editor = editor
        self._configured.set()
        self.hint()

    def holds(self, path: str) -> bool:
        """Whether a report's path lies in this workspace."""
        return os.path.dirname(path) == str(self._root / FOLDER)  # noqa: PTH120

    async def edit(self, path: str, content: Session | Problem | None) -> None:
        """An open buffer changed, or was closed when `content` is None."""
        await self._ready.wait()
        self.snapshot = await self._in_thread(self._store.edit, path, content)
        self._hinted.set()

    async def close(self) -> None:
        """Stop watching."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_fresh(self) -> None:
        """The folder's life: read it, then look again whenever there is a reason to."""
        reading = asyncio.create_task(self._client.show_reading(self, lambda: self._read))
        signature = await self._in_thread(self._signature)
        await self._refresh(None)
        reading.cancel()
        # The client hears nothing before it has told its settings, which may have come meanwhile.
        await self._configured.wait()
        await self._refresh(set(), configured=True)
        await self._say()
        scanned = time.monotonic()
        spoken = scanned - STATUS_SECONDS
        pause = SCAN_SECONDS
        async with Watcher(self._root, self.hint) as watcher:
            while True:
                await self._wait(spoken)
                paths, self._hints = self._hints, set()
                before, signature = signature, await self._in_thread(self._signature)
                begun = time.monotonic()
                if paths is None or signature != before or begun - scanned > pause:
                    watcher.look(self._root)
                    await self._refresh(None)
                    await self._say()
                    scanned = time.monotonic()
                    pause = max(SCAN_SECONDS, (scanned - begun) / SCAN_SHARE)
                elif paths:
                    await self._refresh(paths)
                    await self._say()
                elif self.snapshot is not self._said_of or datetime.now(UTC) >= self._due:
                    await self._say()
                else:
                    continue
                spoken = time.monotonic()

    async def _wait(self, spoken: float) -> None:
        """Until there is a hint, or something is due by the clock.

        Bursts are folded: what comes soon after the last status is seen by the one look that
        follows.
        """
        due = (self._due - datetime.now(UTC)).total_seconds()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(TICK_SECONDS, max(due, 0.01))):
                await self._hinted.wait()
        await asyncio.sleep(max(0.0, spoken + STATUS_SECONDS - time.monotonic()))
        self._hinted.clear()

    async def _refresh(self, paths: set[str] | None, *, configured: bool = False) -> None:
        """Look at these paths, or everywhere; anew at the settings, too, when `configured`."""
        try:
            self.snapshot = await self._in_thread(self._look, paths, configured=configured)
        except Exception:
            logger.exception("Failed to look at %s", self.path)
        self._ready.set()

    def _look(self, paths: set[str] | None, *, configured: bool) -> Snapshot:
        """In the thread: read what changed, from where the workspace now is."""
        self._root = workspace.nearest(self.path) or self.path
        if paths is None or configured:
            self._load_settings()
        found = self.settings
        scope = (self._root, found.sources, found.prices, workspace.folders_of(self._root))
        if scope != self._scope:
            store = self._machine().store(*scope[:3])
            store.edited = self._store.edited
            self._store, self._scope, paths = store, scope, None
        return self._store.refresh(paths, self._count)

    def _count(self, read: int) -> None:
        self._read = read

    def _load_settings(self) -> None:
        """The settings in force; the last good ones while there is a mistake in them."""
        try:
            editor = settings.from_editor(self._editor)
            found = settings.load(self._root, editor, "The editor's radLsp settings")
            if found.prices != self.settings.prices:
                self.prices = Prices(found.prices)
            self.settings = found
            self._complaint = ""
        except BadSettings as error:
            self._complaint = str(error)

    def _signature(self) -> tuple[object, ...]:
        """In the thread: what tells, at no cost, that a full look is due."""
        root = workspace.nearest(self.path) or self.path
        files = (root / FOLDER, root / settings.WORKSPACE_FILE, settings.user_file())
        return (root, *map(_stamp, files))

    async def _say(self) -> None:
        """Tell the client of the status when it has changed, and of a mistake in the settings."""
        await self._send_status()
        if not self._priced and (session := self._cached_session()):
            # Loading the prices takes a while: the first status does not wait for them.
            await asyncio.to_thread(service.savings, session, self.prices)
            self._priced = True
            await self._send_status()
        self._client.complain(self, self._complaint)
        if self.snapshot is not self._said_of:
            self._said_of = self.snapshot
            self._client.changed(self)

    async def _send_status(self) -> None:
        status = self._status()
        if status != self._said:
            if await self._turns.take():
                status = self._status()  # meanwhile all may be as it was
            if status != self._said:
                self._said = status
                self._client.status(status)

    def _cached_session(self) -> Session | None:
        """The session that the status is about, if a cache had to do with it."""
        session = self.snapshot.entries[0].session if self.snapshot.entries else None
        return session if session and figures.has_cache(session) else None

    def _status(self) -> wire.Status:
        now = datetime.now(UTC)
        zone = self.settings.zone
        found = service.status(self.snapshot, now, zone, self.settings.budget)
        self._due = _next_change(found, now, zone)
        session = found.session if self._priced else None
        savings = service.savings(session, self.prices) if session else UNKNOWN
        return answers.status(
            found,
            self.uri,
            now,
            zone,
            template=self.settings.status.format,
            links=self._links(found.session) if found.session else "",
            savings=savings,
        )

    def _links(self, session: Session) -> str:
        offered = [links.open_session(self.uri, session.id)]
        previous = self.snapshot.previous(session.id)
        if previous is not None:
            offered.append(links.compare_with_previous(self.uri, previous, session.id))
        offered.append(links.export(self.uri, session.id))
        return links.markdown(self._client.linked(), *offered)

    async def _in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._executor, functools.partial(function, *args, **kwargs)
        )


class Folders:
    """All workspace folders, by the client's URI."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._folders: dict[str, Folder] = {}
        self._editor: Any = None
        self._configured = False
        self._turns = Turns()
        self._list_prices = Prices()
        self._transcripts: TreeWatcher | None = None
        # One thread: files are read one after the other, however many folders there are.
        self._executor = ThreadPoolExecutor(1, "store")

    def __iter__(self) -> Iterator[Folder]:
        return iter(self._folders.values())

    def add(self, uri: str) -> None:
        """Watch a folder; one that is watched already, or is no file's, is left alone."""
        path = path_of(uri)
        if path is not None and uri not in self._folders:
            folder = Folder(
                uri, Path(path), self._executor, self._client, self._turns, self._machine
            )
            self._folders[uri] = folder
            if self._transcripts is None:
                self._transcripts = TreeWatcher(self._transcript_folders, self._hint_all)
            if self._configured:
                folder.configure(self._editor)

    async def remove(self, uri: str) -> Folder | None:
        """Watch a folder no longer; returns it, or None when it was not watched."""
        folder = self._folders.pop(uri, None)
        if folder is not None:
            await folder.close()
        return folder

    def pick(self, uri: str | None = None) -> Folder:
        """The folder with that URI, else the first. Raises NoWorkspace."""
        if uri is None:
            for folder in self._folders.values():
                return folder
            raise NoWorkspace
        wanted = path_of(uri)
        for folder in self._folders.values():
            if folder.uri == uri or str(folder.path) == wanted:
                return folder
        raise NoWorkspace

    def holding(self, path: str) -> Folder | None:
        """The first folder in whose workspace a report lies."""
        return next(iter(self.all_holding(path)), None)

    def all_holding(self, path: str) -> list[Folder]:
        """The folders in whose workspace a report lies: more than one where they are nested."""
        return [folder for folder in self if folder.holds(path)]

    async def savings(self, session: Session) -> Savings:
        """What the cache saved in a session."""
        if not figures.has_cache(session):
            return UNKNOWN
        return await asyncio.to_thread(service.savings, session, self._prices(session))

    async def cost(self, session: Session, model: str | None = None) -> tuple[CostRow, ...]:
        """What a session's cost is made of, or that of one of its models."""
        return await asyncio.to_thread(costs.rows, session, self._prices(session), model)

    def _hint_all(self, paths: Iterable[str]) -> None:
        for folder in self:
            folder.hint(paths)

    @staticmethod
    def _transcript_folders() -> list[Path]:
        """In a thread: where agents may keep transcripts."""
        return sources.folders(os.environ, settings.home())

    @functools.cache  # noqa: B019  (there is one of these in a process)
    def _machine(self) -> Machine:
        """In the thread: the agents' transcripts of this user."""
        return Machine(os.environ, settings.home(), settings.data_folder())

    def _prices(self, session: Session) -> Prices:
        folder = self.holding(session.path)
        known = None if folder else self.known(session)
        folder = known[0] if known else folder
        return folder.prices if folder else self._list_prices

    def known(self, session: Session) -> tuple[Folder, Session] | None:
        """The folder that a session counts in, and all that is known of the session there.

        A transcript is one file of a session, to which others may belong.
        """
        for folder in self:
            entry = folder.snapshot.by_id.get(session.id)
            if entry is not None and entry.source == session.source:
                return folder, entry.session
        return None

    def configure(self, editor: Any) -> None:
        """Take the editor's settings, `radLsp.*`, for all folders."""
        self._editor = editor
        self._configured = True
        for folder in self:
            folder.configure(editor)

    async def close(self) -> None:
        """Stop watching all folders."""
        await asyncio.gather(*(folder.close() for folder in self))
        if self._transcripts is not None:
            await self._transcripts.close()
        self._executor.shutdown(wait=False, cancel_futures=True)


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _next_change(found: service.StatusFigures, now: datetime, zone: tzinfo | None) -> datetime:
    """When the status changes though nothing happens: at midnight, or when a session breaks off."""
    midnight = period.today(now, zone).until or now + timedelta(days=1)
    session = found.session
    if session is None or figures.state(session, now) != "running":
        return midnight
    return min(midnight, figures.last_activity(session) + figures.INTERRUPTED_AFTER)
