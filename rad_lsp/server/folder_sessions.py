"""The sessions of a workspace folder, and the settings that they are read with."""

from __future__ import annotations

import asyncio
import functools
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rad_lsp import settings
from rad_lsp.core.errors import BadSettings
from rad_lsp.service import (
    REPORTS_FOLDER,
    Prices,
    Snapshot,
    budget,
    documents,
    limits,
    overview,
    sessions,
    workspace,
)
from rad_lsp.service.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import ThreadPoolExecutor

    from rad_lsp.core.budget import OnProject
    from rad_lsp.core.limits import Limit, Overview
    from rad_lsp.core.money import Money
    from rad_lsp.core.session import Session
    from rad_lsp.service import Machine, Store
    from rad_lsp.service.overview import Overview as OverviewOfMoney
    from rad_lsp.service.tally import Overall

T = TypeVar("T")


class FolderSettings:
    """The settings in force for a folder, and the `prices` that follow from them.

    `editor` are the editor's settings, `radLsp.*`. `mistake` is the sentence on what is wrong with
    the settings that were loaded last, else empty. While there is a mistake, the last good settings
    stay in force.
    """

    def __init__(self) -> None:
        self.loaded = settings.Loaded(settings.Settings())
        self.prices = Prices()
        self.mistake = ""
        self.editor: Any = None

    @property
    def values(self) -> settings.Settings:
        """The settings themselves."""
        return self.loaded.values

    def load(self, root: Path) -> None:
        """Read the settings of the workspace at `root`, and merge the user's and the editor's."""
        try:
            editor = settings.from_editor(self.editor)
            loaded = settings.load(root, editor, "The editor's radLsp settings")
        except BadSettings as error:
            self.mistake = str(error)
            return
        if loaded.values.prices != self.values.prices:
            self.prices = Prices(loaded.values.prices)
        self.loaded = loaded
        self.mistake = ""


class FolderSessions:
    """The sessions of the workspace that a folder lies in, read in a thread of the `executor`.

    `root` is the workspace's folder, which may be above `path`. `snapshot` has the sessions as
    they were read last, with the `settings` in force, and `overall` what they come to;
    `on_projects` is what was spent on the budgets of the workspace's project, `limits` are those of
    plans where the status shows any. `files_read` is the number of files that the last read has
    read so far. `signature_read` was the signature when everything was looked at, or the reports
    that had changed, as far as events told them; to look at everything took `scan_seconds`.
    `machine` is called in the thread.
    """

    def __init__(
        self,
        path: Path,
        executor: ThreadPoolExecutor,
        machine: Callable[[], Machine],
    ) -> None:
        self.root = path
        self.settings = FolderSettings()
        self.files_read = 0
        self.signature_read: object = None
        self.scan_seconds = 0.0
        self._path = path
        self._executor = executor
        self._machine = machine
        self._store: Store | None = None
        self._tally = Tally()
        self.snapshot = Snapshot()
        self.overall = self._tally.overall
        self.limits: tuple[Limit, ...] = ()
        self.on_projects: dict[OnProject, Money] = {}
        self._scope: object = None
        self._everywhere: Store | None = None
        self._everywhere_scope: object = None

    def holds(self, path: str) -> bool:
        """Whether a report's path lies in this workspace."""
        return Path(path).parent == self.root / REPORTS_FOLDER

    def signature(self) -> object:
        """A value that changes when all reports must be looked at.

        It is cheap: it looks at the sessions folder and at the settings files only.
        """
        return self._signature(self._nearest())

    async def refresh(
        self, paths: set[str] | None, edits: Mapping[str, Session | None], asked: float
    ) -> None:
        """Load the settings, and read what changed at these paths, or everywhere.

        Where the workspace or its settings have changed, everything is read. `edits` are open
        buffers that count instead of the files at their paths, or no longer where they are None.
        `asked` is when this was asked for: see `Store.refresh`.
        """
        loop = asyncio.get_running_loop()
        work = functools.partial(self._refresh, paths, edits, asked)
        found = await loop.run_in_executor(self._executor, work)
        self.snapshot, self.overall, self.on_projects = found

    async def ask(self, work: Callable[[Store], T], *, all_projects: bool = False) -> T:
        """What `work` finds in the sessions' store, in the thread that reads it.

        With `all_projects`, in one of all projects' sessions.
        """

        def asked() -> T:
            if self._store is None:  # the first read has failed
                self._store = sessions.open_store(self._machine(), self.root)
            return work(self._all_projects() if all_projects else self._store)

        return await asyncio.get_running_loop().run_in_executor(self._executor, asked)

    async def overview(self) -> OverviewOfMoney:
        """Today, this week and this month, here and in all projects, and what is left."""
        values, prices = self.settings.values, self.settings.prices

        def work(store: Store) -> OverviewOfMoney:
            arguments = (store, self._opened_everywhere(), self.root, values, prices)
            return store.ask_known(lambda _: overview.ask(*arguments, datetime.now(UTC)))

        return await self.ask(work)

    async def plan_limits(self) -> Overview:
        """Plan limits of all accounts, by the sources in force."""
        values = self.settings.values
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._executor,
            lambda: limits.overview(
                self._machine(), datetime.now(UTC), values.prices, values.sources
            ),
        )

    def _refresh(
        self, paths: set[str] | None, edits: Mapping[str, Session | None], asked: float
    ) -> tuple[Snapshot, Overall, dict[OnProject, Money]]:
        begun = time.monotonic()
        self.root = self._nearest()
        signature = self._signature(self.root)
        self.settings.load(self.root)
        values = self.settings.values
        scope = (self.root, values.sources, values.prices, workspace.folders_of(self.root))
        if self._store is None or scope != self._scope:
            store = sessions.open_store(self._machine(), *scope[:3])
            if self._store is not None:
                store.edited = self._store.edited
            self._store = store
            self._scope = scope
            paths = None
        self._store.edit_all(edits)
        snapshot = self._store.refresh(paths, self._count, asked)
        shows_limits = "{limit_" in values.status.format
        self.limits = limits.status(self._machine(), datetime.now(UTC)) if shows_limits else ()
        if paths is None:
            self.scan_seconds = time.monotonic() - begun
        if paths is None or any(map(self.holds, paths)):
            self.signature_read = signature
        on_projects: dict[OnProject, Money] = {}
        if values.budget.projects:
            on_projects = budget.on_projects(self._store, self.root, values, datetime.now(UTC))
        return snapshot, self._tally.take(snapshot), on_projects

    def _all_projects(self) -> Store:
        """The store of all projects, with what has been read: each folder looks at all agents."""
        everywhere = self._opened_everywhere()
        everywhere.recall()
        return everywhere

    def _opened_everywhere(self) -> Store:
        """The store of all projects, of which no session may have been read yet."""
        values = self.settings.values
        scope = (self.root, values.sources, values.prices)
        if self._everywhere is None or scope != self._everywhere_scope:
            self._everywhere = sessions.open_store(self._machine(), *scope, everywhere=True)
            self._everywhere_scope = scope
        return self._everywhere

    def _nearest(self) -> Path:
        return workspace.nearest(self._path) or self._path

    def _signature(self, root: Path) -> object:
        files = (root / REPORTS_FOLDER, root / settings.WORKSPACE_FILE, settings.user_file())
        return (root, *(documents.file_stamp(str(file)) for file in files))

    def _count(self, read: int) -> None:
        self.files_read = read
