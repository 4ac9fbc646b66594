"""Options that commands share, and what they lead to: workspace, settings, snapshot, period."""

from __future__ import annotations

import functools
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rad_lsp.cli.output import note
from rad_lsp.core.errors import NoWorkspace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from click.shell_completion import CompletionItem

    from rad_lsp.core.period import Period
    from rad_lsp.pricing import Prices
    from rad_lsp.settings import Settings
    from rad_lsp.store.agents import Machine
    from rad_lsp.store.index import Recent
    from rad_lsp.store.snapshot import Snapshot
    from rad_lsp.store.store import Store
    from rad_lsp.store.workspace import Workspace

_NAMED = 10
"""Skipped files that are named; the others are counted."""

_QUIET_SECONDS = 0.5
"""Reading that takes no longer shows no progress."""


_kept: list[Store] = []
"""What was read stays until the process ends: letting go of it takes a tenth of its reading."""


class Context:
    """The workspace that the options lead to."""

    def __init__(
        self,
        workspace: Path | None,
        timezone_name: str | None = None,
        sources: Sequence[str] = (),
        *,
        all_projects: bool = False,
    ) -> None:
        self.now = datetime.now(UTC)
        self.all_projects = all_projects
        self.current = Path.cwd()
        self.flags: dict[str, Any] = {}
        if timezone_name:
            self.flags["timezone"] = timezone_name
        if sources:
            self.flags["sources"] = sources
        self._named = workspace

    @functools.cached_property
    def workspace(self) -> Workspace:
        """The workspace. Raises RadError when the one that was named is no folder."""
        from rad_lsp.store import workspace

        return workspace.find(self._named, os.environ, self.current)

    @functools.cached_property
    def settings(self) -> Settings:
        """The settings in force. Raises BadSettings."""
        from rad_lsp import settings

        return settings.load(self.workspace.root, self.flags, "command line")

    @functools.cached_property
    def prices(self) -> Prices:
        """The prices that the settings and the price list have. Raises BadSettings."""
        from rad_lsp.pricing import Prices

        return Prices(self.settings.prices)

    @functools.cached_property
    def machine(self) -> Machine:
        """The agents' transcripts of this user, and their index."""
        return self._machine()

    @staticmethod
    def _machine() -> Machine:
        from rad_lsp import settings
        from rad_lsp.store.agents import Machine

        machine = Machine(os.environ, settings.home(), settings.data_folder())
        command = click.get_current_context(silent=True)
        if command is not None:
            # Whoever closes the index last folds what is new into it; else the next has to.
            command.call_on_close(machine.database.close)
        return machine

    def read_transcripts(self) -> None:
        """Read what is new in all transcripts."""
        progress = _Progress()
        self.machine.index.update(
            self.machine.agents(), progress=progress if sys.stderr.isatty() else None
        )
        progress.done()

    def store(self, recent: Recent | None = None, *, fresh: bool = False) -> Store:
        """The sessions of the workspace, or of all projects, from the sources that count.

        All of them, or `recent` ones. `fresh` is for one beside another: it has a connection of
        its own to the index.
        """
        settings = self.settings  # a mistake in them shows before any work
        machine = self._machine() if fresh else self.machine
        store = machine.store(
            self.workspace.root,
            settings.sources,
            settings.prices,
            everywhere=self.all_projects,
            recent=recent,
        )
        _kept.append(store)
        return store

    def snapshot(self, *, quiet: bool = False) -> Snapshot:
        """All sessions, after the skipped files were named on stderr unless `quiet`.

        Raises NoWorkspace where there is neither a `.radium` folder nor a session.
        """
        progress = _Progress()
        snapshot = self.store().refresh(progress=progress if sys.stderr.isatty() else None)
        progress.done()
        if not snapshot.entries and not self.workspace.marked and not self.all_projects:
            raise NoWorkspace
        if not quiet:
            _name_skipped(snapshot)
            if self.machine.database.trouble:
                note(f"The index is kept in memory only: {self.machine.database.trouble}.")
        return snapshot

    def period(self, since: str | None, until: str | None) -> Period:
        """The period between two moments as they were typed. Raises click.BadParameter."""
        from rad_lsp.core import period

        try:
            return period.parse(since, until, self.now, self.settings.zone)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="'--since' / '--until'") from None


workspace_option = click.option(
    "-w",
    "--workspace",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The workspace's folder, instead of $RADIUM_WORKSPACE or the nearest one upward.",
)


def workspace_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--workspace`, `--timezone`, `--source` and `--all-projects`.

    The command gets a `Context` in their place.
    """

    @workspace_option
    @click.option(
        "--timezone", "timezone_name", metavar="NAME", help="IANA time zone, such as Europe/Berlin."
    )
    @click.option(
        "--source",
        "sources",
        metavar="NAME",
        multiple=True,
        shell_complete=_source_names,
        help="Only sessions of this source, such as claude-code; can be given several times.",
    )
    @click.option(
        "--all-projects", is_flag=True, help="Sessions of other agents in all folders, too."
    )
    @functools.wraps(command)
    def wrapped(
        workspace: Path | None,
        timezone_name: str | None,
        sources: tuple[str, ...],
        *,
        all_projects: bool,
        **rest: Any,
    ) -> Any:
        return command(
            Context(workspace, timezone_name, sources, all_projects=all_projects), **rest
        )

    return wrapped


def period_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--since` and `--until`."""
    since = click.option(
        "--since",
        metavar="WHEN",
        help="Only sessions active since then: a date, an RFC 3339 time, or 24h, 7d ago.",
    )
    until = click.option(
        "--until", metavar="WHEN", help="Only sessions active before then; a date counts whole."
    )
    return since(until(command))


def session_id_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `[ID]` and `--session-id ID`; the command gets one `session_id` or None."""

    @click.argument("id_argument", metavar="[ID]", required=False, shell_complete=session_ids)
    @click.option(
        "--session-id",
        "id_option",
        metavar="ID",
        shell_complete=session_ids,
        help="A session's id, the beginning of one, latest, or latest~N.",
    )
    @functools.wraps(command)
    def wrapped(*args: Any, id_argument: str | None, id_option: str | None, **rest: Any) -> Any:
        if None not in (id_argument, id_option) and id_argument != id_option:
            raise click.UsageError("Name the session once: as ID or with --session-id.")
        session_id = id_argument if id_option is None else id_option
        return command(*args, session_id=session_id, **rest)

    return wrapped


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def refuse_period_of_one(session_id: str | None, since: str | None, until: str | None) -> None:
    """A period narrows many sessions. Raises click.UsageError when one is named."""
    if session_id is not None and (since or until):
        raise click.UsageError("--since and --until go with all sessions, not with one ID.")


def session_ids(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Session ids that begin with what was typed, newest first, for the shell."""
    from click.shell_completion import CompletionItem

    from rad_lsp.core import wording
    from rad_lsp.core.errors import RadError

    try:
        options = context.params
        snapshot = Context(
            options.get("workspace"),
            sources=options.get("sources") or (),
            all_projects=bool(options.get("all_projects")),
        ).snapshot(quiet=True)
    except (RadError, OSError):
        return []
    return [
        CompletionItem(session.id, help=wording.money(session.cost))
        for session in (e.session for e in snapshot.entries if e.id.startswith(incomplete))
        if wording.printable(session.id) == session.id
    ]


def _source_names(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from rad_lsp import sources

    return [CompletionItem(name) for name in sources.NAMES if name.startswith(incomplete)]


def _name_skipped(snapshot: Snapshot) -> None:
    from rad_lsp.core.wording import printable

    for skipped in snapshot.skipped[:_NAMED]:
        note(f"Skipped {printable(Path(skipped.path).name)}: {skipped.problem.reason}.")
    more = len(snapshot.skipped) - _NAMED
    if more > 0:
        note(f"Skipped {more:,} more: 'rad doctor' names them all.")


class _Progress:
    """Counts files read on a terminal's stderr, once reading takes long."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._shown = 0.0

    def __call__(self, read: int) -> None:
        now = time.monotonic()
        if now - self._begun > _QUIET_SECONDS and now - self._shown > 0.1:  # noqa: PLR2004
            self._shown = now
            click.echo(f"\rReading sessions: {read:,}", nl=False, err=True)

    def done(self) -> None:
        if self._shown:
            click.echo("\r" + " " * 40 + "\r", nl=False, err=True)
