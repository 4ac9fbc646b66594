"""`rad status`: one line for shell prompts, tmux and agents' own status lines."""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from rad_lsp.cli.options import Context, json_option, workspace_options
from rad_lsp.cli.output import EXIT_INTERRUPTED, emit

if TYPE_CHECKING:
    from rad_lsp.store.index import Recent
    from rad_lsp.store.snapshot import Snapshot
    from rad_lsp.store.store import Store

CAP_SECONDS: Final = 0.25
"""A prompt waits no longer: then it shows what the index has."""

_GRACE_SECONDS: Final = 0.35
"""In which what has been read by then is put together."""

_HOOK_SECONDS: Final = 0.02
_HOOK_BYTES: Final = 1 << 20
_WATCH_SECONDS: Final = 1.0


@click.command()
@workspace_options
@click.option(
    "--format", "template", metavar="TEMPLATE", help="Such as '{cost} today {today_cost}'."
)
@click.option("--watch", is_flag=True, help="Go on, with a line whenever something changes.")
@json_option
def status(context: Context, template: str | None, *, watch: bool, as_json: bool) -> None:
    """Show the most recent session in one line, for prompts and status bars.

    Reads the JSON that an agent's status-line hook gives on stdin, if it does, and then shows
    that agent's session. Never waits for it, nor for a long first read of transcripts.

    Example: rad status --format '{cost} · {tokens} tokens'
    """
    if template is not None:
        context.flags["status"] = {"format": template}
    if watch:
        _watch(context, as_json=as_json)
    hook = _Hook()
    _ = context.machine  # takes a while, in which the hook may write
    told = hook.told()
    if told.folder is not None and os.path.isdir(told.folder):  # noqa: PTH112  (it never raises)
        context.current = Path(told.folder)
    recent = _recent(context, told.session_id, as_json=as_json)
    emit(_line(context, _within_cap(context, recent), told.session_id, as_json=as_json))


def _recent(context: Context, session_id: str, *, as_json: bool) -> Recent | None:
    """The sessions that the line is about; None for all of them."""
    from rad_lsp import service
    from rad_lsp.store.index import Recent

    if _shows_totals(context, as_json=as_json):
        return None
    settings = context.settings
    since = service.status_since(context.now, settings.zone, settings.budget)
    return Recent(int(since.timestamp()) * 1000, session_id)


def _shows_totals(context: Context, *, as_json: bool) -> bool:
    return as_json or "{total_" in context.settings.status.format


def _line(
    context: Context, snapshot: Snapshot, session_id: str, *, as_json: bool, indent: bool = True
) -> str:
    from rad_lsp import service
    from rad_lsp.render.status_line import status_line

    settings = context.settings
    found = service.status(
        snapshot,
        context.now,
        settings.zone,
        settings.budget,
        session_id,
        totals=_shows_totals(context, as_json=as_json),
    )
    if not as_json:
        return f"{status_line(found, settings.status.format)}\n"
    from rad_lsp.render import answers, rows

    answer = answers.status(
        found,
        context.workspace.root.as_uri(),
        context.now,
        settings.zone,
        template=settings.status.format,
        links="",
    )
    return rows.encode(rows.status(answer), indent=2 if indent else -1).decode()


def _within_cap(context: Context, recent: Recent | None) -> Snapshot:
    """The sessions as they are now, or as far as they are known where reading takes too long."""
    store = context.store(recent)
    reading = threading.Thread(target=store.refresh, daemon=True)
    reading.start()
    reading.join(CAP_SECONDS)
    if reading.is_alive():
        # What it has read is kept: a long first read goes on from prompt to prompt.
        store.stop()
        reading.join(_GRACE_SECONDS)
    if not reading.is_alive():
        return store.snapshot
    context.machine.database.left = True
    return context.store(recent, fresh=True).recall()


def _watch(context: Context, *, as_json: bool) -> NoReturn:
    """A line at once and after each change, until Ctrl-C, which is how this is meant to end."""
    store: Store = context.store()
    said = ""
    try:
        while True:
            begun = time.monotonic()
            context.now = datetime.now(UTC)
            line = _line(context, store.refresh(), "", as_json=as_json, indent=False)
            if line != said:
                emit(line)
                said = line
            # Looking takes a small share of a core, however many transcripts there are.
            time.sleep(max(_WATCH_SECONDS, 20 * (time.monotonic() - begun)))
    except KeyboardInterrupt:
        click.get_current_context().exit(EXIT_INTERRUPTED)


class _Told:
    """What a hook says: the folder that its agent works in, and its session."""

    def __init__(self, values: Any) -> None:
        values = values if isinstance(values, dict) else {}
        place = values.get("workspace")
        place = place if isinstance(place, dict) else {}
        folder = place.get("project_dir") or place.get("current_dir") or values.get("cwd")
        self.folder = folder if isinstance(folder, str) and folder else None
        session_id = values.get("session_id")
        self.session_id = session_id if isinstance(session_id, str) else ""


class _Hook:
    """Reads stdin on the side, so that a pipe that stays open and silent holds nothing up."""

    def __init__(self) -> None:
        self._data = b""
        self._thread: threading.Thread | None = None
        if sys.stdin is not None and not sys.stdin.closed and not sys.stdin.isatty():
            self._thread = threading.Thread(target=self._read, daemon=True)
            self._thread.start()

    def told(self) -> _Told:
        """What has come by now, if it is whole."""
        import msgspec

        if self._thread is not None:
            self._thread.join(_HOOK_SECONDS)
        try:
            return _Told(msgspec.json.decode(self._data))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _Told(None)

    def _read(self) -> None:
        try:
            while len(self._data) < _HOOK_BYTES and (chunk := os.read(0, 1 << 16)):
                self._data += chunk
        except OSError:
            return
