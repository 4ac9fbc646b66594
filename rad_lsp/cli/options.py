"""Options that several commands share."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from rad_lsp.cli.context import Context
from rad_lsp.cli.output import emit_data
from rad_lsp.core import wording
from rad_lsp.core.errors import NoWorkspace, RadError

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

_COMPLETABLE: Final = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._-]*")
"""What means the same in every shell without quotes, which none puts around a completion."""

workspace_option = click.option(
    "-w",
    "--workspace",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The workspace's folder, instead of $RADIUM_WORKSPACE or the nearest one upward.",
)


def workspace_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--workspace`, `--timezone`, `--source` and `--all-projects`.

    The command gets a `Context` as its first argument in their place.
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
        shell_complete=source_names,
        help="Only sessions of this source, such as claude-code; can be given several times.",
    )
    @click.option(
        "--all-projects/--no-all-projects",
        default=None,
        help="Sessions of other agents in all folders, too, or not; set by scope in the settings.",
    )
    @functools.wraps(command)
    def wrapped(**options: Any) -> Any:
        named = ("workspace", "timezone_name", "sources", "all_projects")
        context = Context(**{name: options.pop(name) for name in named})
        return command(context, **options)

    return wrapped


def period_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--since` and `--until`; the command gets the period `within` in their place.

    They are about when sessions were last active.
    """
    return _period_options(
        command,
        "Only sessions active since then: a date, an RFC 3339 time, or 24h, 7d ago.",
        "Only sessions active before then; a date counts whole.",
    )


def spending_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same as `period_options`, about when requests were made."""
    return _period_options(
        command,
        "Only requests made since then: a date, an RFC 3339 time, or 24h, 7d ago. "
        "They are told apart by slots of 15 minutes.",
        "Only requests made before then; a date counts whole.",
    )


def _period_options(
    command: Callable[..., Any], since_help: str, until_help: str
) -> Callable[..., Any]:
    @click.option("--since", metavar="WHEN", help=since_help)
    @click.option("--until", metavar="WHEN", help=until_help)
    @functools.wraps(command)
    def wrapped(context: Context, *, since: str | None, until: str | None, **rest: Any) -> Any:
        if rest.get("session_id") is not None and (since or until):
            raise click.UsageError("--since and --until go with all sessions, not with one ID.")
        return command(context, within=context.period(since, until), **rest)

    return wrapped


def session_id_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `[ID]` and `--session-id ID`; the command gets one of them as `session_id`, or None."""

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


def json_rows_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--json` to a command that prints an array: [] where only other folders have sessions."""

    @json_option
    @functools.wraps(command)
    def wrapped(*args: Any, as_json: bool, **rest: Any) -> Any:
        try:
            return command(*args, as_json=as_json, **rest)
        except NoWorkspace as error:
            if as_json and error.elsewhere:
                emit_data([b"[]\n"])
            raise

    return wrapped


def session_ids(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Ids of sessions that begin with `incomplete`, newest first, for the shell's completion.

    An id comes from a file that anyone may have written, and one such as `a$(date)` would be run
    once it was completed: those that need quotes are left out.
    """
    from click.shell_completion import CompletionItem

    try:
        options = context.params
        snapshot = Context(
            options.get("workspace"),
            sources=options.get("sources") or (),
            all_projects=options.get("all_projects"),
        ).snapshot(quiet=True)
    except (RadError, OSError):
        return []
    return [
        CompletionItem(session.id, help=wording.money(session.money))
        for session in (e.session for e in snapshot.entries if e.id.startswith(incomplete))
        if _COMPLETABLE.fullmatch(session.id)
    ]


def source_names(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of sources that begin with `incomplete`, for the shell's completion."""
    from click.shell_completion import CompletionItem

    from rad_lsp.service import SOURCES

    return [CompletionItem(name) for name in SOURCES if name.startswith(incomplete)]
