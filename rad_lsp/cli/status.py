"""`rad status`: one line for shell prompts, tmux and agents' own status lines."""

from __future__ import annotations

import functools
import os
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from rad_lsp.cli.options import json_option, workspace_options
from rad_lsp.cli.output import emit_answer, note

if TYPE_CHECKING:
    from rad_lsp.cli.context import Context
    from rad_lsp.core.budget import OnProject
    from rad_lsp.core.limits import Limit
    from rad_lsp.core.money import Money
    from rad_lsp.service import Selection, Store

CAP_SECONDS: Final = 0.25
"""How long a prompt waits for transcripts to be read; then it shows what the index has."""

_GRACE_SECONDS: Final = 0.35
"""How long to wait after that, while what was read is put together."""

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
        if mistake := context.forgive_settings():
            note(f"{mistake}.")
        _watch(context, as_json=as_json)
    hook = _Hook()
    _ = context.machine  # opening it takes a while, in which the hook may write
    folder, session_id = hook.origin()
    if hook.rate_limits is not None:
        from rad_lsp.service import limits

        limits.keep(hook.rate_limits, session_id, context.now)
    if os.path.isdir(folder):  # noqa: PTH112  (never raises)
        context.current = Path(folder)
    mistake = context.forgive_settings()
    recent = _recent(context, session_id, as_json=as_json)
    store, complete = _read_in_time(context, recent)
    line = _line(context, store, session_id, as_json=as_json, reading=not complete)
    if mistake and as_json:
        note(f"{mistake}.")
    elif mistake:
        line = f"{line.rstrip()} (bad settings: rad doctor)\n"
    emit_answer(line, as_json=as_json)


def _recent(context: Context, session_id: str, *, as_json: bool) -> Selection | None:
    """Selects the sessions that the line is about; None for all of them."""
    from rad_lsp import service
    from rad_lsp.service import sessions

    if _shows_totals(context, as_json=as_json):
        return None
    settings = context.settings
    period = service.status_period(context.now, settings.zone, settings.budget, settings.week_start)
    return sessions.recent(period, session_id)


def _shows_totals(context: Context, *, as_json: bool) -> bool:
    return as_json or "{total_" in context.settings.status.format


def _limits(context: Context) -> tuple[Limit, ...]:
    """What is stored of plan limits, where the line shows any."""
    if "{limit_" not in context.settings.status.format:
        return ()
    from rad_lsp.service import limits

    return limits.status(context.machine, context.now)


def _line(
    context: Context,
    store: Store,
    session_id: str,
    *,
    as_json: bool,
    indent: bool = True,
    reading: bool = False,
) -> str:
    from rad_lsp import service
    from rad_lsp.render.status_line import marked, status_line

    settings = context.settings
    figures = service.status(
        store.snapshot,
        context.now,
        settings.zone,
        settings.budget,
        session_id,
        totals=_shows_totals(context, as_json=as_json),
        reading=reading,
        limits=_limits(context),
        on_projects=_on_projects(context, store),
        week_start=settings.week_start,
    )
    if not as_json:
        return f"{marked(status_line(figures, settings.status.format), figures)}\n"
    from rad_lsp.render import answers, rows

    answer = answers.status(
        figures,
        context.workspace.root.as_uri(),
        context.now,
        settings.zone,
        template=settings.status.format,
        links="",
    )
    return rows.encode(rows.answer(answer), indent=2 if indent else -1).decode()


def _on_projects(context: Context, store: Store) -> dict[OnProject, Money]:
    """What was spent on the budgets of the workspace's project."""
    if not context.settings.budget.projects:
        return {}
    from rad_lsp.service import budget

    return budget.on_projects(store, context.workspace.root, context.settings, context.now)


def _read_in_time(context: Context, recent: Selection | None) -> tuple[Store, bool]:
    """The sessions, and whether they are complete: as the index has them if reading takes long."""
    store = context.store(recent)
    look = store.refresh if recent is None else store.glance
    reading = threading.Thread(target=look, daemon=True)
    reading.start()
    reading.join(CAP_SECONDS)
    complete = not reading.is_alive()
    if not complete:
        # What was read is kept, so that a long first read is finished over several prompts.
        store.stop()
        reading.join(_GRACE_SECONDS)
    if not reading.is_alive():
        return store, complete
    # The thread that reads is not waited for, and still uses the index.
    context.machine.index.abandoned = True
    other = context.store(recent, own_connection=True)
    other.recall()
    return other, False


def _watch(context: Context, *, as_json: bool) -> NoReturn:
    """Print a line at once and after each change, until Ctrl-C."""
    from rad_lsp.cli.watch import watch

    store = context.store()

    def line() -> str:
        context.now = datetime.now(UTC)
        store.refresh()
        return _line(context, store, "", as_json=as_json, indent=False)

    watch(_WATCH_SECONDS, line, functools.partial(emit_answer, as_json=as_json))


class _Hook:
    """Reads stdin in a thread, so that a pipe that stays open and silent delays nothing."""

    def __init__(self) -> None:
        self.rate_limits: Any = None
        """What the hook says of the plan's limits, once `origin` was asked for."""
        self._data = b""
        self._thread: threading.Thread | None = None
        if sys.stdin is not None and not sys.stdin.closed and not sys.stdin.isatty():
            self._thread = threading.Thread(target=self._read, daemon=True)
            self._thread.start()

    def origin(self) -> tuple[str, str]:
        """The folder that the agent works in, and its session's id.

        They are empty where the hook has not written them, in whole JSON, by now.
        """
        import msgspec

        if self._thread is not None:
            self._thread.join(_HOOK_SECONDS)
        try:
            values = msgspec.json.decode(self._data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            values = None
        values = values if isinstance(values, dict) else {}
        self.rate_limits = values.get("rate_limits")
        place = values.get("workspace")
        place = place if isinstance(place, dict) else {}
        folder = place.get("project_dir") or place.get("current_dir") or values.get("cwd")
        session_id = values.get("session_id")
        return _text(folder), _text(session_id)

    def _read(self) -> None:
        try:
            while len(self._data) < _HOOK_BYTES and (chunk := os.read(0, 1 << 16)):
                self._data += chunk
        except OSError:
            return


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
