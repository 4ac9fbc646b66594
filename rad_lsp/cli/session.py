"""`rad session`: track the session of an agent that rad starts, or that sends events to rad."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rad_lsp.cli.context import Context
from rad_lsp.cli.groups import Group
from rad_lsp.cli.options import json_option, workspace_option
from rad_lsp.cli.output import EXIT_INTERRUPTED, drop, emit, emit_data, note, painter
from rad_lsp.core.errors import RadError, reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from rad_lsp.core.session import Session
    from rad_lsp.service import Machine
    from rad_lsp.tracking import SessionRecorder
    from rad_lsp.tracking.clock import Clock
    from rad_lsp.tracking.events import Reader
    from rad_lsp.tracking.recorder import Children

ID_VARIABLE = "RAD_SESSION_ID"
EVENTS_VARIABLE = "RAD_SESSION_EVENTS"

_CHUNK = 2**16
_WAIT_SECONDS = 0.5

_id_option = click.option(
    "--session-id", metavar="ID", help="The session's id; a new UUID by default."
)


@click.group(cls=Group)
def session() -> None:
    """Track an agent's session from start to finish.

    Example: rad session run -- my-agent --task "fix the tests"
    """


@session.command(context_settings={"allow_interspersed_args": False})
@workspace_option
@_id_option
@json_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def run(
    context: click.Context,
    workspace: Path | None,
    session_id: str | None,
    command: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Run COMMAND and track it; its summary is printed when it has ended.

    The terminal is the command's own, and its exit code is returned. It may append events to the
    file that $RAD_SESSION_EVENTS names, see 'rad session record --schema'.

    Example: rad session run -- my-agent --task "fix the tests"
    """
    from rad_lsp.tracking import process
    from rad_lsp.tracking.events import Tail

    gc.enable()  # this may take hours
    try:
        with process.Agent(command, note) as agent:
            machine = Context(workspace).machine
            folder = Path.cwd()
            recorder, zone = _recorder(
                workspace, session_id, lambda start: tuple(machine.active_since(folder, start))
            )
            with recorder, _events_file(recorder.workspace) as events:
                environment = {
                    **os.environ,
                    ID_VARIABLE: recorder.id,
                    EVENTS_VARIABLE: str(events),
                }
                with Tail(events, recorder):
                    code = agent.run(environment)
    except process.NotRun as error:
        note(f"Error: {error}")
        context.exit(error.exit_code)
    _show(recorder, _with_children(recorder, machine), zone, as_json=as_json)
    context.exit(code)


@session.command()
@workspace_option
@_id_option
@json_option
@click.option("--schema", is_flag=True, help="Print the JSON Schema of an event, and exit.")
@click.pass_context
def record(
    context: click.Context,
    workspace: Path | None,
    session_id: str | None,
    *,
    as_json: bool,
    schema: bool,
) -> None:
    """Track a session whose events come in on stdin, a JSON object on each line, until its end.

    Without an event there is no session.

    Example: rad session record < events.jsonl
    """
    from rad_lsp.tracking import events, ids
    from rad_lsp.tracking.clock import Clock

    if schema:
        from rad_lsp.render import rows

        emit_data([rows.encode(events.schema())])
        return
    if session_id is not None:
        ids.check(session_id)
    gc.enable()  # this may take hours
    clock = Clock()
    begun: list[tuple[SessionRecorder, tzinfo | None]] = []
    with contextlib.ExitStack() as stack:

        def begin() -> SessionRecorder:
            begun.append(_recorder(workspace, session_id, clock=clock))
            return stack.enter_context(begun[0][0])

        code = _read_stdin(events.Reader(begin))
    if not begun:
        note("No event came in, so there is no session. 'rad session record --help' tells more.")
        context.exit(code)
    recorder, zone = begun[0]
    _show(recorder, _read(recorder), zone, as_json=as_json)
    context.exit(code)


def _recorder(
    named: Path | None,
    session_id: str | None,
    children: Children | None = None,
    clock: Clock | None = None,
) -> tuple[SessionRecorder, tzinfo | None]:
    """A recorder, and the user's time zone; None is the local one.

    The session starts when `clock` was made, or when it is entered.
    """
    from rad_lsp import service, settings
    from rad_lsp.service import workspace as workspaces
    from rad_lsp.tracking import SessionRecorder, ids
    from rad_lsp.tracking.clock import Clock

    if session_id is not None:
        ids.check(session_id)  # before anything is made
    try:
        workspace, made = workspaces.find_or_make(named, os.environ, Path.cwd())
    except OSError as error:
        why = reason(error)
        raise RadError(f"No workspace can be made: {why}. Name one with --workspace.") from None
    if made:
        note(f"Made {workspace.sessions}")
    loaded = settings.load(workspace.root, {}, "command line")
    if loaded.ignored:
        note(f"{loaded.ignored}.")
    prices = service.Prices(loaded.values.prices)
    recorder = SessionRecorder(
        workspace.root,
        session_id=session_id,
        prices=prices,
        children=children,
        clock=Clock if clock is None else lambda: clock,
    )
    return recorder, loaded.values.zone


@contextlib.contextmanager
def _events_file(workspace: Path) -> Iterator[Path]:
    """An empty file that only the user may read.

    It lies outside the workspace, where it would count as a code change.
    """
    import tempfile

    from rad_lsp import temporary

    folder = Path(tempfile.gettempdir()).resolve()
    if folder.is_relative_to(workspace.resolve()):
        import platformdirs

        folder = platformdirs.user_cache_path("rad-lsp", appauthor=False, ensure_exists=True)
    with temporary.folder("session", folder) as private:
        events = private / "events.jsonl"
        events.touch(mode=0o600)
        yield events


def _read_stdin(reader: Reader) -> int:
    """Read events until there are no more; returns an exit code.

    From a pipe, the first Ctrl-C is meant for the agent that writes into it: its last events are
    still read.
    """
    if sys.stdin is None:
        return 0
    patience = not sys.stdin.isatty()
    while True:
        try:
            while chunk := _read_chunk(sys.stdin.fileno()):
                reader.feed(chunk)
        except KeyboardInterrupt:
            if not patience:
                reader.finish()
                return EXIT_INTERRUPTED
            patience = False
            note("Waiting for the last events; Ctrl-C ends the session at once.")
        else:
            reader.finish()
            return 0


def _read_chunk(descriptor: int) -> bytes:
    """What there is to read, once there is something; empty at the end.

    A Ctrl-C that comes just before the system is asked to wait does not break that wait, and is
    handled only after it. So it is asked to wait for a short while at a time.
    """
    if sys.platform != "win32":  # where only sockets can be waited for
        import select

        while not select.select([descriptor], [], [], _WAIT_SECONDS)[0]:
            pass
    return os.read(descriptor, _CHUNK)


def _read(recorder: SessionRecorder) -> Session:
    """The tracked session. Raises RadError."""
    from msgspec.structs import replace

    from rad_lsp.core.session import Session
    from rad_lsp.repository import project_of
    from rad_lsp.service import documents

    content = documents.read_report(str(recorder.path), recorder.report())
    if not isinstance(content, Session):
        raise RadError(f"The report can't be shown: {content.reason}. 'rad doctor' tells more.")
    return replace(content, project=project_of(str(recorder.workspace)))


def _with_children(recorder: SessionRecorder, machine: Machine) -> Session:
    """The tracked session together with those that ran as part of it, as other commands show it."""
    from rad_lsp.service import RADIUM

    tracked = _read(recorder)
    if not tracked.children:
        return tracked
    context = Context(recorder.workspace, sources=[RADIUM])
    context.machine = machine  # transcripts that it has read need not be read again
    entry = context.store().refresh().by_id.get(tracked.id)
    return tracked if entry is None else entry.session


def _show(
    recorder: SessionRecorder, tracked: Session, zone: tzinfo | None, *, as_json: bool
) -> None:
    """Print the tracked session, and on stderr what could not be tracked.

    Closed output is no error here: the exit code is the agent's in any case.
    """
    from datetime import UTC, datetime

    from rad_lsp import service

    for problem in tracked.problems:
        note(f"{problem.message}.")
    savings = service.savings(tracked, recorder.prices)
    now = datetime.now(UTC)
    try:
        if as_json:
            from rad_lsp.render import answers, rows

            stored = service.stored(tracked) if tracked.children else recorder.report()
            told = answers.session(tracked, now, zone, savings)
            emit_data([rows.encode(rows.session(stored, told))])
        else:
            from rad_lsp.render import text

            emit(text.session(tracked, now, painter(), savings=savings, zone=zone))
    except BrokenPipeError:
        drop()
