"""What a command works with: the workspace that its options lead to, its settings and sessions."""

from __future__ import annotations

import functools
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import click

from rad_lsp.cli.output import note
from rad_lsp.core.errors import NoWorkspace
from rad_lsp.core.wording import only_elsewhere

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rad_lsp.core.period import Period
    from rad_lsp.service import (
        KnownPrices,
        Machine,
        Selection,
        Skipped,
        Snapshot,
        Store,
        Sums,
        Workspace,
    )
    from rad_lsp.settings import Loaded, Settings

T = TypeVar("T")

_NAMED = 10
"""How many skipped files are named; the others are only counted."""

_QUIET_SECONDS = 0.5
"""How long reading may take before its progress is shown."""

_STEP_SECONDS = 0.1

_kept: list[Store] = []
"""Stores live until the process ends: freeing one takes a tenth of the time to read it."""


class Context:
    """The workspace that a command is about, its settings and its sessions.

    Each is looked up when it is first asked for. `workspace` is the folder that the user named;
    `now` is the moment that the command is about.
    """

    def __init__(
        self,
        workspace: Path | None,
        timezone_name: str | None = None,
        sources: Sequence[str] = (),
        *,
        all_projects: bool | None = None,
    ) -> None:
        self.now = datetime.now(UTC)
        self.current = Path.cwd()
        self.flags: dict[str, Any] = {}
        if timezone_name:
            self.flags["timezone"] = timezone_name
        if sources:
            self.flags["sources"] = sources
        self._named = workspace
        self._all_projects = all_projects

    @property
    def all_projects(self) -> bool:
        """Whether all projects count, by an option or else by the settings. Raises BadSettings."""
        if self._all_projects is not None:
            return self._all_projects
        return self.settings.scope == "all"

    @functools.cached_property
    def workspace(self) -> Workspace:
        """The workspace. Raises RadError when the folder that was named does not exist."""
        from rad_lsp.service import workspace as workspaces

        return workspaces.find(self._named, os.environ, self.current)

    @functools.cached_property
    def settings(self) -> Settings:
        """The settings in force. Raises BadSettings."""
        return self.loaded.values

    @functools.cached_property
    def loaded(self) -> Loaded:
        """The settings in force, and where they come from. Raises BadSettings."""
        from rad_lsp import settings

        return settings.load(self.workspace.root, self.flags, "command line")

    def forgive_settings(self) -> str:
        """Do without a settings file that has a mistake; returns what is wrong, else nothing.

        Raises BadSettings for a mistake in the command line.
        """
        from rad_lsp import settings
        from rad_lsp.core.errors import BadSettings

        try:
            _ = self.loaded
        except BadSettings as error:
            values = settings.checked(self.flags, "command line")
            try:
                self.loaded = settings.load(None, self.flags, "command line")  # the user's own
            except BadSettings:
                self.loaded = settings.Loaded(values)
            return str(error)
        return ""

    @functools.cached_property
    def prices(self) -> KnownPrices:
        """The prices from the settings, then from the price list. Raises BadSettings."""
        return self.machine.prices(self.settings.prices)

    @functools.cached_property
    def machine(self) -> Machine:
        """The transcripts of this user's agents, and the index of them."""
        return _open_machine()

    def store(self, selection: Selection | None = None, *, own_connection: bool = False) -> Store:
        """The workspace's sessions, or those of all projects, from the sources that count.

        With a `selection`, most other sessions are left out. With `own_connection` the store can be
        used while another one is still being refreshed. Raises BadSettings.
        """
        from rad_lsp.service import sessions

        settings = self.settings  # a mistake in them shows before any work
        store = sessions.open_store(
            _open_machine() if own_connection else self.machine,
            self.workspace.root,
            settings.sources,
            settings.prices,
            everywhere=self.all_projects,
            selection=selection,
        )
        _kept.append(store)
        return store

    def snapshot(
        self,
        selection: Selection | None = None,
        *,
        named: Sequence[str | None] = (),
        quiet: bool = False,
        store: Store | None = None,
    ) -> Snapshot:
        """All sessions, or the selected ones, and those of other folders that are `named`.

        They are those of a `store`, where one is given.

        Files that were skipped are named on stderr, unless `quiet`, and so are other folders'
        sessions where this one has none. Raises NoWorkspace where there is no `.radium` folder
        either, and SessionNotFound or SessionAmbiguous where that of another folder is not clear.
        """
        snapshot = self.read(selection, store)
        elsewhere = self.elsewhere(is_empty=not snapshot.entries)
        references = [reference for reference in named if reference is not None]
        if references:
            snapshot = self._including(snapshot, references)
        if not (snapshot.by_id or self.workspace.marked or self.all_projects):
            raise NoWorkspace(elsewhere)
        if elsewhere and not (snapshot.by_id or quiet):
            note(only_elsewhere(elsewhere))
        if not quiet:
            self._tell(snapshot.skipped)
        return snapshot

    def ask(
        self, question: Callable[[Sums], T], show_empty: Callable[[T], None] | None = None
    ) -> T:
        """What a question makes of sums of the sessions: no session is unpacked for it.

        Files that were skipped are named on stderr. Raises NoWorkspace as `snapshot` does; where
        other folders have sessions, `show_empty` gets the answer before.
        """
        store = self.store()

        def work(sums: Sums) -> tuple[T, bool, Sequence[Skipped]]:
            return question(sums), sums.oldest() is None, store.skipped()

        with Progress() as progress:
            answer, is_empty, skipped = store.ask(work, progress)
        elsewhere = self.elsewhere(is_empty=is_empty)
        if is_empty and not self.workspace.marked and not self.all_projects:
            if elsewhere and show_empty:
                show_empty(answer)
            raise NoWorkspace(elsewhere)
        if elsewhere:
            note(only_elsewhere(elsewhere))
        self._tell(skipped)
        return answer

    def _tell(self, skipped: Sequence[Skipped]) -> None:
        """Say what is missing in the sessions, and why."""
        _name_skipped(skipped)
        if ignored := self.loaded.ignored:
            note(f"{ignored}.")
        if why := self.machine.index.trouble:
            note(f"The index is kept in memory only: {why}.")
        if what := self.machine.index.notice:
            note(f"{what}.")

    def _including(self, snapshot: Snapshot, references: Sequence[str]) -> Snapshot:
        from rad_lsp.service import elsewhere

        of_user = (self.settings.sources, self.settings.prices)
        root = self.workspace.root
        return elsewhere.including(snapshot, references, self.machine, root, *of_user)

    def read(self, selection: Selection | None = None, store: Store | None = None) -> Snapshot:
        """All sessions of the workspace, or the selected ones, and nothing is said."""
        with Progress() as progress:
            return (store or self.store(selection)).refresh(progress=progress)

    def elsewhere(self, *, is_empty: bool) -> int:
        """The number of sessions in other folders, where this one has none."""
        if not is_empty or self.all_projects:
            return 0
        return self.store().elsewhere()

    def period(self, since: str | None, until: str | None) -> Period:
        """The period between two moments, as the user typed them. Raises click.BadParameter."""
        from rad_lsp.core import period

        try:
            return period.parse(since, until, self.now, self.settings.zone)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="'--since' / '--until'") from None


def _open_machine() -> Machine:
    from rad_lsp.service import sessions

    machine = sessions.open_machine()
    command = click.get_current_context(silent=True)
    if command is not None:
        # The last process to close the index folds recent changes into it; else the next one must.
        command.call_on_close(machine.close)
    return machine


def _name_skipped(skipped: Sequence[Skipped]) -> None:
    for one in skipped[:_NAMED]:
        note(f"Skipped {Path(one.path).name}: {one.problem.reason}.")
    more = len(skipped) - _NAMED
    if more > 0:
        note(f"Skipped {more:,} more: 'rad doctor' names them all.")


class Progress:
    """The number of files read so far, on stderr: only on a terminal, once reading takes long."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._shown = 0.0
        self._is_terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __call__(self, read: int) -> None:
        """Show the number of files read, ten times a second at most."""
        now = time.monotonic()
        if (
            self._is_terminal
            and now - self._begun > _QUIET_SECONDS
            and now - self._shown > _STEP_SECONDS
        ):
            self._shown = now
            click.echo(f"\rReading sessions: {read:,}", nl=False, err=True)

    def __exit__(self, *_error: object) -> None:
        if self._shown:
            click.echo("\r" + " " * 40 + "\r", nl=False, err=True)
